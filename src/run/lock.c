/*
 * The lock: flock(2) on one file per engine and stack. The kernel releases it when the holder dies,
 * so that nothing stale is ever left; what stands in the file is for the message alone.
 */
#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"

#define LOOK_AGAIN_MS 100
#define SAY_AFTER_MS 1000

struct lock {
    int fd;
    bool broken;
};

struct waiting {
    bool over;
};

static void on_pause(void *ctx)
{
    ((struct waiting *)ctx)->over = true;
}

/* "'stack up' (process 4711)", from the file of the lock. */
static char *read_holder(int fd)
{
    char text[256];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    if (n <= 0)
        return xstrdup("another stack command");
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    return safe_text(text, SAFE_LINE);
}

static void write_holder(int fd, const char *command)
{
    auto_free char *text = xasprintf("'%s' (process %ld)\n", command, (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, strlen(text), 0) < 0)
        return; /* only the message of somebody who waits suffers */
}

static char *lock_path(const char *engine_host, const char *stack_name, struct error *err)
{
    auto_free char *dir = path_runtime_dir(err);
    if (!dir)
        return NULL;
    char hex[DIGEST_HEX_LEN + 1];
    struct digest *d = digest_new();
    digest_add_str(d, engine_host);
    digest_add_str(d, stack_name);
    digest_end(d, hex);
    return xasprintf("%s/%.32s.lock", dir, hex);
}

int lock_take(struct lock **out, struct loop *l, const char *engine_host, const char *stack_name,
              const char *command, int64_t timeout_ms,
              void (*waiting)(void *ctx, const char *holder), void *ctx, struct error *err)
{
    auto_free char *path = lock_path(engine_host, stack_name, err);
    if (!path)
        return error_wrap(err, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(err, "open lock '%s'", path);
    int64_t begin = clock_ms();
    bool said = false;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int64_t waited = clock_ms() - begin;
        if (errno != EWOULDBLOCK && errno != EINTR) {
            error_errno(err, "lock '%s'", path);
            close(fd);
            return -1;
        }
        auto_free char *holder = read_holder(fd);
        if (timeout_ms >= 0 && waited >= timeout_ms) {
            close(fd);
            error_set(err, ERR_CONFLICT, 0, "stack '%s' is in use by %s", stack_name, holder);
            return error_hint(err, "wait until it ends, or stop it");
        }
        if (!said && waited >= SAY_AFTER_MS && waiting) {
            waiting(ctx, holder);
            said = true;
        }
        struct waiting pause = { 0 };
        struct loop_timer *timer = NULL;
        loop_after(&timer, l, LOOK_AGAIN_MS, on_pause, &pause);
        loop_wait(l, &pause.over);
    }
    struct stat st;
    *out = xnew(struct lock);
    (*out)->fd = fd;
    /* A holder that ends well leaves nothing in the file. */
    (*out)->broken = fstat(fd, &st) == 0 && st.st_size > 0;
    write_holder(fd, command);
    return 0;
}

bool lock_is_held(const char *engine_host, const char *stack_name)
{
    struct stat st;
    auto_free char *path = lock_path(engine_host, stack_name, NULL);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return false;
    /* An empty file says that nobody has it: one that is free is not even touched. */
    bool held = fstat(fd, &st) == 0 && st.st_size > 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 &&
                errno == EWOULDBLOCK;
    close(fd);
    return held;
}

bool lock_was_broken(const struct lock *k)
{
    return k && k->broken;
}

void lock_release(struct lock *k)
{
    if (!k)
        return;
    if (ftruncate(k->fd, 0) < 0)
        log_debug("lock: cannot be emptied");
    close(k->fd);
    free(k);
}
