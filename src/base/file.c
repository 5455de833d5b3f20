/* Whole files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* Opens a regular file; a FIFO must not hold us, a device not feed us. */
static int open_regular(const char *path, struct error *err)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, "open '%s'", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, "look at '%s'", path);
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERR_SYSTEM, EISDIR, "open '%s': it is a folder", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_SYSTEM, EINVAL, "open '%s': not a regular file", path);
    int opened = fd;
    fd = -1;
    return opened;
}

int file_read(char **out, size_t *out_len, const char *path, size_t max, struct error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    const char *name = standard_input ? "standard input" : path;
    auto_close int opened = standard_input ? -1 : open_regular(path, err);
    if (!standard_input && opened < 0)
        return -1;

    /* The size is not asked for: files of /proc say 0, and others grow. */
    auto_str struct str text = STR_INIT_MAX(max);
    for (;;) {
        char buf[16 * 1024];
        ssize_t n = read(standard_input ? STDIN_FILENO : opened, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "read '%s'", name);
        if (n == 0)
            break;
        str_addn(&text, buf, (size_t)n);
        if (text.overflow)
            return error_set(err, ERR_SYSTEM, EFBIG, "read '%s': larger than %zu bytes", name, max);
    }
    *out_len = text.len;
    *out = str_detach(&text);
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* --- drafts --- */

/* The name by which the system knows an open file; false: it has none here. */
static bool name_of_fd(char name[static 32], int fd)
{
    snprintf(name, 32, "/proc/self/fd/%d", fd);
    return access(name, F_OK) == 0;
}

/* Without a name nothing of it outlives us. Not every file system can do that. */
static int open_nameless(const char *dir)
{
#ifdef O_TMPFILE
    char name[32];
    int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0 && name_of_fd(name, fd))
        return fd;
    auto_close_p(&fd);
#endif
    (void)dir;
    return -1;
}

int file_draft_open(struct file_draft *out, const char *path, struct error *err)
{
    char unique[13];
    auto_free char *dir = path_dir(path);
    random_hex(unique, 6);
    struct file_draft d = { .path = xstrdup(path), .fd = open_nameless(dir) };
    d.temp = xasprintf("%s/.%s.%s", dir, path_base(path), unique);
    if (d.fd < 0) {
        d.fd = open(d.temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        d.named = d.fd >= 0;
    }
    if (d.fd < 0) {
        error_errno(err, "write '%s'", path);
        file_draft_drop(&d);
        return -1;
    }
    *out = d;
    return 0;
}

static int give_name(struct file_draft *d)
{
    char name[32];
    if (!d->named && name_of_fd(name, d->fd) &&
        linkat(AT_FDCWD, name, AT_FDCWD, d->temp, AT_SYMLINK_FOLLOW) == 0)
        d->named = true;
    return d->named ? 0 : -1;
}

int file_draft_keep(struct file_draft *d, mode_t mode, struct error *err)
{
    int rc = 0;
    if (fchmod(d->fd, mode) < 0 || fsync(d->fd) < 0 || give_name(d) < 0 ||
        rename(d->temp, d->path) < 0)
        rc = error_errno(err, "write '%s'", d->path);
    else
        d->named = false; /* it is no draft any more */
    file_draft_drop(d);
    return rc;
}

void file_draft_drop(struct file_draft *d)
{
    if (d->named)
        unlink(d->temp);
    auto_close_p(&d->fd);
    free(d->path);
    free(d->temp);
    *d = (struct file_draft){ .fd = -1 };
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                      struct error *err)
{
    struct file_draft d;
    if (file_draft_open(&d, path, err) < 0)
        return -1;
    if (write_all(d.fd, data, len) < 0) {
        error_errno(err, "write '%s'", path);
        file_draft_drop(&d);
        return -1;
    }
    return file_draft_keep(&d, mode, err);
}

mode_t file_usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int file_mkdirs(const char *path, mode_t mode, struct error *err)
{
    auto_free char *part = path_clean(path);
    if (file_is_dir(part))
        return 0;
    for (char *slash = part + 1; slash; *slash++ = '/') {
        slash = strchr(slash, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(part, mode) < 0 && !file_is_dir(part))
            return error_errno(err, "make folder '%s'", part);
        if (!slash)
            break;
    }
    return 0;
}
