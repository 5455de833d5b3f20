/* Reading the files of a scanned context again. */
#include "build/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"

int reader_open(struct reader *r, const char *root, struct error *err)
{
    r->root = root;
    r->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->root_fd < 0)
        return error_errno(err, "open the build context '%s'", root);
    return 0;
}

static void close_file(struct reader *r)
{
    auto_close_p(&r->fd);
    r->fd = -1;
}

void reader_close(struct reader *r)
{
    close_file(r);
    auto_close_p(&r->folder_fd);
    auto_close_p(&r->root_fd);
    free(r->folder);
    *r = READER_INIT;
}

static int changed(const struct reader *r, struct error *err)
{
    error_set(err, ERR_INPUT, 0, "'%s/%s' changed while it was sent to the engine", r->root,
              r->entry->path);
    return error_hint(err, "run it again; a file that changes all the time belongs into "
                           ".dockerignore");
}

static int open_file(struct reader *r, const char *path)
{
    const char *base = path_base(path);
    auto_free char *folder = xstrndup(path, (size_t)(base - path));
    if (r->folder_fd < 0 || strcmp(folder, r->folder) != 0) {
        auto_close_p(&r->folder_fd);
        r->folder_fd = context_open_parent(r->root_fd, path, &base);
        free(r->folder);
        r->folder = take(folder);
    }
    if (r->folder_fd < 0)
        return -1;
    return openat(r->folder_fd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static bool unchanged(int fd, const struct context_entry *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    struct stat_key now = context_stat_key(&st);
    return context_mode(&st) == e->mode && now.ino == e->stat.ino && now.size == e->stat.size &&
           now.mtime_ns == e->stat.mtime_ns && now.ctime_ns == e->stat.ctime_ns;
}

int reader_begin(struct reader *r, const struct context_entry *e, struct error *err)
{
    close_file(r);
    r->entry = e;
    r->fd = open_file(r, e->path);
    r->left = e->stat.size;
    if (r->fd < 0 || !unchanged(r->fd, e))
        return changed(r, err);
    return 0;
}

int reader_next(struct reader *r, char *buf, size_t max, size_t *n, bool *end, struct error *err)
{
    ssize_t got = 0;
    size_t want = r->left < (int64_t)max ? (size_t)r->left : max;
    if (want > 0) {
        do
            got = read(r->fd, buf, want);
        while (got < 0 && errno == EINTR);
        if (got <= 0) /* it must be as long as was announced */
            return changed(r, err);
        r->left -= got;
    }
    if (r->left == 0 && !unchanged(r->fd, r->entry))
        return changed(r, err);
    *n = (size_t)got;
    *end = r->left == 0;
    if (*end)
        close_file(r);
    return 0;
}
