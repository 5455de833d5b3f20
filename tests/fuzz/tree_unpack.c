/* Tars from a container: whatever the bytes are, nothing is made or changed beside the folder. */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/tree_unpack.h"

#define KEPT "kept"

struct source {
    const uint8_t *data;
    size_t left;
};

static ssize_t read_source(void *ctx, char *buf, size_t max)
{
    struct source *s = ctx;
    size_t n = s->left < max ? s->left : max;
    memcpy(buf, s->data, n);
    s->data += n;
    s->left -= n;
    return (ssize_t)n;
}

static size_t seen;

static int count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path, (void)st, (void)type, (void)ftw;
    seen++;
    return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void write_kept(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    fuzz_check(fd >= 0 && write(fd, KEPT, strlen(KEPT)) == (ssize_t)strlen(KEPT));
    close(fd);
}

static void check_kept(const char *path)
{
    char text[16] = "";
    struct stat st;
    int fd = open(path, O_RDONLY);
    fuzz_check(fd >= 0 && read(fd, text, sizeof(text) - 1) == (ssize_t)strlen(KEPT));
    fuzz_check(strcmp(text, KEPT) == 0);
    fuzz_check(fstat(fd, &st) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
    close(fd);
}

static void unpack(const char *name, const uint8_t *data, size_t size)
{
    char dir[] = "/tmp/fuzz-unpack-XXXXXX", in[64], kept[64], link[64];
    fuzz_check(mkdtemp(dir));
    snprintf(in, sizeof(in), "%s/in", dir);
    snprintf(kept, sizeof(kept), "%s/kept", dir);
    snprintf(link, sizeof(link), "%s/in/l", dir);
    fuzz_check(mkdir(in, 0700) == 0 && symlink("..", link) == 0);
    write_kept(kept);
    int fd = open(in, O_RDONLY | O_DIRECTORY);
    struct source source = { data, size };
    struct tree_unpacked done;
    struct tree_unpack_options opt = {
        .folder = fd, .where = "in", .name = name, .read = read_source, .ctx = &source
    };
    struct error err = ERROR_INIT;
    int result = tree_unpack(&done, &opt, &err);
    fuzz_check((result == 0) == (err.kind == ERR_NONE));
    error_clear(&err);
    close(fd);
    check_kept(kept);
    chmod(in, 0700);
    fuzz_check(nftw(in, drop, 16, FTW_DEPTH | FTW_PHYS) == 0);
    seen = 0;
    nftw(dir, count, 16, FTW_PHYS);
    fuzz_check(seen == 2); /* the folder itself, and what was kept */
    fuzz_check(nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unpack(NULL, data, size);
    unpack("x", data, size);
    return 0;
}
