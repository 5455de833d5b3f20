/* How long a build context of many files is looked at when nothing in it changed. */
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "build/context.h"

enum { FOLDERS = 1000, FILES = 50, PARTS = 4, RUNS = 15 };

struct share {
    struct scan *scan;
    size_t number;
};

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

static void make_tree(const char *root)
{
    for (int i = 0; i < FOLDERS; i++) {
        auto_free char *outer = xasprintf("%s/package%02d", root, i / 20);
        auto_free char *folder = xasprintf("%s/source%02d", outer, i % 20);
        mkdir(outer, 0755);
        must(mkdir(folder, 0755) == 0, folder);
        for (int k = 0; k < FILES; k++) {
            auto_free char *path = xasprintf("%s/module_%03d.py", folder, k);
            auto_fclose FILE *file = fopen(path, "w");
            must(file && fputs(path, file) >= 0, path);
        }
    }
}

static void *look(void *ctx)
{
    struct share *share = ctx;
    scan_part(share->scan, share->number);
    return NULL;
}

/* As the survey does it, on as many threads. */
static double scan(const struct context_place *place, const char *cache)
{
    struct error err = ERROR_INIT;
    struct scan *s;
    struct share shares[PARTS];
    pthread_t threads[PARTS];
    char digest[DIGEST_HEX_LEN + 1];
    int64_t began = clock_unix_ns();
    must(scan_begin(&s, place, cache, PARTS, &err) == 0, "begin");
    for (size_t i = 0; i < PARTS; i++) {
        shares[i] = (struct share){ s, i };
        must(pthread_create(&threads[i], NULL, look, &shares[i]) == 0, "thread");
    }
    for (size_t i = 0; i < PARTS; i++)
        pthread_join(threads[i], NULL);
    must(scan_end(NULL, digest, s, &err) == 0, "end");
    return (double)(clock_unix_ns() - began) / 1e6;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int main(void)
{
    char root[] = "/tmp/stack-bench-XXXXXX", cache[] = "/tmp/stack-bench-XXXXXX";
    must(mkdtemp(root) && mkdtemp(cache), "folder");
    make_tree(root);
    sleep(3); /* until the files are old enough to be remembered */
    struct context_place place = { .root = root };
    double ms[RUNS];
    scan(&place, cache); /* reads all of it */
    for (int i = 0; i < RUNS; i++)
        ms[i] = scan(&place, cache);
    qsort(ms, RUNS, sizeof(*ms), by_value);
    printf("an unchanged context of %d files: %.1f (under 60)\n", FOLDERS * FILES, ms[RUNS / 2]);
    printf("... the best of %d: %.1f (under 60)\n", RUNS, ms[0]);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    nftw(cache, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
