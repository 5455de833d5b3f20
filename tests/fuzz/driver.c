/*
 * A plain main() for a fuzz harness, so that it is an ordinary test as well: runs the inputs named
 * as arguments (files, or folders of them), or else those of tests/fuzz/corpus/NAME. Each input is
 * also run cut at every length, which is where parsers most often read too far.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strv.h"
#include "fuzz.h"

enum {
    CUT_MAX = 2048, /* longer inputs are cut only so often */
};

static char current[4096]; /* what a crash is to be reported with */

static void report_crash(int number)
{
    ssize_t ignored = write(STDERR_FILENO, current, strlen(current));
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

/* A sanitizer's own handler says more, and ends in SIGABRT. */
static void watch(int number)
{
    void (*other)(int) = signal(number, report_crash);
    if (other != SIG_DFL)
        signal(number, other);
}

static void __attribute__((noreturn)) fail(const char *path)
{
    printf("Bail out! %s: %s\n", path, strerror(errno));
    exit(1);
}

/* Adds the file, or the files below the folder. */
static void collect(struct strv *files, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        fail(path);
    if (!S_ISDIR(st.st_mode)) {
        strv_add(files, path);
        return;
    }
    DIR *dir = opendir(path);
    if (!dir)
        fail(path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        auto_free char *below = path_join(path, entry->d_name);
        if (entry->d_name[0] != '.')
            collect(files, below);
    }
    closedir(dir);
}

static void run_bytes(const char *path, const uint8_t *data, size_t size)
{
    /* A block of exactly this size, for AddressSanitizer to guard its end. */
    auto_free uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    snprintf(current, sizeof(current), "# in %s, first %zu bytes\n", path, size);
    LLVMFuzzerTestOneInput(exact, size);
}

static void run_file(const char *path)
{
    auto_fclose FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st) < 0)
        fail(path);
    size_t size = (size_t)st.st_size;
    auto_free uint8_t *data = malloc(size + 1);
    if (!data)
        abort();
    if (fread(data, 1, size, file) != size)
        fail(path);

    run_bytes(path, data, size);
    size_t step = size / CUT_MAX + 1;
    for (size_t cut = 0; cut < size; cut += step)
        run_bytes(path, data, cut);
}

int main(int argc, char **argv)
{
    watch(SIGABRT);
    watch(SIGSEGV);

    auto_strv struct strv files = STRV_INIT;
    const char *program = path_base(argv[0]);
    int name_len = (int)strcspn(program, ".");
    auto_free char *corpus = xasprintf("tests/fuzz/corpus/%.*s", name_len, program);
    if (argc < 2)
        collect(&files, corpus);
    for (int i = 1; i < argc; i++)
        collect(&files, argv[i]);
    strv_sort(&files);

    printf("1..1\n");
    strv_each (file, &files)
        run_file(*file);
    printf("%sok 1 - %.*s: %zu inputs\n", files.len ? "" : "not ", name_len, program, files.len);
    return files.len ? 0 : 1;
}
