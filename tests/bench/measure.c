/*
 * measure RUNS COMMAND... : runs a command and prints "median-ms peak-kib" of its wall time and of
 * the largest resident size of it and its children, as the kernel accounts them. A run that fails
 * ends the measurement with its code. Output of the command goes to /dev/null.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    int64_t runs;
    double times[100];
    long peak = 0;
    if (argc < 3 || num_range(&runs, argv[1], 1, 100) < 0) {
        fprintf(stderr, "usage: measure RUNS COMMAND...\n");
        return 2;
    }
    for (int64_t i = 0; i < runs; i++) {
        double begin = now_ms();
        pid_t pid = fork();
        if (pid == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 0);
            dup2(null, 1);
            if (!getenv("MEASURE_SHOW"))
                dup2(null, 2);
            execvp(argv[2], argv + 2);
            _exit(127);
        }
        int status;
        struct rusage usage;
        wait4(pid, &status, 0, &usage);
        times[i] = now_ms() - begin;
        if (usage.ru_maxrss > peak)
            peak = usage.ru_maxrss;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "measure: %s ended with %d\n", argv[2],
                    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
            return 1;
        }
    }
    qsort(times, runs, sizeof(*times), by_value);
    printf("%.2f %ld\n", times[runs / 2], peak);
    return 0;
}
