/* One header, or one piece of one file, at a time. */
#include "live/watch_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/tar.h"

#define PIECE ((size_t)64 << 10)

struct watch_tar {
    const struct watch_file *files;
    const bool *use;
    size_t n, next;
    struct http_upload upload;
    struct str out;
    size_t used; /* of out */
    int fd;      /* the file that is being read, or -1 */
    int64_t size, left;
    bool ended;
    char *piece;
};

/* The folders below it belong to the container's user, as all that copyUIDGID extracts. */
static void add(struct watch_tar *t, const struct watch_file *f)
{
    struct stat st;
    char link[PATH_MAX];
    struct tar_entry e = { .name = f->to, .link = link };
    if (lstat(f->from, &st) < 0)
        return;
    if (S_ISREG(st.st_mode)) {
        t->fd = open(f->from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (t->fd < 0)
            return;
        if (fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
            close(t->fd);
            t->fd = -1;
            return;
        }
        e.type = TAR_FILE;
        e.size = t->size = t->left = st.st_size;
    } else if (S_ISLNK(st.st_mode)) {
        ssize_t len = readlink(f->from, link, sizeof(link) - 1);
        if (len < 0)
            return;
        link[len] = '\0';
        e.type = TAR_SYMLINK;
    } else if (S_ISDIR(st.st_mode)) {
        e.type = TAR_FOLDER;
    } else {
        return;
    }
    e.mode = st.st_mode & 07777;
    e.mtime = st.st_mtime;
    tar_header(&t->out, &e);
}

static void add_piece(struct watch_tar *t)
{
    size_t want = t->left < (int64_t)PIECE ? (size_t)t->left : PIECE;
    ssize_t n = 0;
    if (want) {
        do
            n = read(t->fd, t->piece, want);
        while (n < 0 && errno == EINTR);
    }
    if (n < (ssize_t)want) {
        memset(t->piece + (n > 0 ? n : 0), 0, want - (size_t)(n > 0 ? n : 0));
        n = (ssize_t)want;
    }
    str_addn(&t->out, t->piece, (size_t)n);
    t->left -= n;
    if (t->left > 0)
        return;
    tar_pad(&t->out, t->size);
    close(t->fd);
    t->fd = -1;
}

static long upload_read(void *ctx, char *buf, size_t max)
{
    struct watch_tar *t = ctx;
    while (t->used == t->out.len && !t->ended) {
        str_truncate(&t->out, 0);
        t->used = 0;
        if (t->fd >= 0) {
            add_piece(t);
        } else if (t->next < t->n) {
            size_t i = t->next++;
            if (t->use[i])
                add(t, &t->files[i]);
        } else {
            tar_end(&t->out);
            t->ended = true;
        }
    }
    size_t n = t->out.len - t->used < max ? t->out.len - t->used : max;
    memcpy(buf, t->out.buf + t->used, n);
    t->used += n;
    return (long)n;
}

struct watch_tar *watch_tar_new(const struct watch_file *files, const bool *use, size_t n)
{
    struct watch_tar *t = xnew(struct watch_tar);
    t->files = files;
    t->use = use;
    t->n = n;
    t->upload = (struct http_upload){ upload_read, t };
    t->out = STR_INIT;
    t->fd = -1;
    t->piece = xmalloc(PIECE);
    return t;
}

const struct http_upload *watch_tar_upload(const struct watch_tar *t)
{
    return &t->upload;
}

void watch_tar_free(struct watch_tar *t)
{
    if (!t)
        return;
    auto_close_p(&t->fd);
    str_clear(&t->out);
    free(t->piece);
    free(t);
}
