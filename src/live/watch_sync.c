/*
 * Each container by itself: what differs is asked (stat), what is gone is removed (rm), the rest is
 * sent (one PUT).
 */
#include "live/watch_sync.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/requests.h"
#include "live/watch_tar.h"
#include "run/exec.h"

/* Of the arguments of one command in a container. */
#define ARGS_MAX 1000
#define ARGS_BYTES ((size_t)96 << 10)
#define EXEC_TIMEOUT_MS 60000

struct local {
    enum { GONE, FILE_THERE, FOLDER_THERE } kind;
    int64_t size, mtime;
};

struct replica {
    struct watch_sync *sync;
    const struct seen_container *container;
    size_t at;      /* the next of the files that the current step looks at */
    size_t removed; /* arguments of rm so far */
    const char *last_removed;
    bool *send;   /* by file */
    bool cleared; /* what was in the way is removed */
    struct exec *exec;
    struct engine_call *call;
    struct watch_tar *tar;
};

struct watch_sync {
    struct engine *engine;
    struct watch_sync_options opt;
    struct local *locals; /* by file */
    struct strmap by_target;
    struct replica *replicas;
    size_t left; /* replicas under way */
    struct watch_sync_result result;
    struct error err;
    struct loop_timer *timer;
    void (*done)(void *ctx, const struct watch_sync_result *result, const struct error *err);
    void *ctx;
};

static size_t count(const struct watch_sync *s)
{
    return s->opt.work->files.len;
}

static const struct watch_file *file_at(const struct watch_sync *s, size_t i)
{
    return &s->opt.work->files.items[i];
}

/* --- begin and end --- */

static void free_sync(struct watch_sync *s)
{
    loop_timer_cancel(&s->timer);
    for (size_t i = 0; i < s->opt.n; i++) {
        struct replica *r = &s->replicas[i];
        exec_cancel(r->exec);
        if (r->call)
            engine_cancel(r->call);
        watch_tar_free(r->tar);
        free(r->send);
    }
    free(s->replicas);
    free(s->locals);
    strmap_clear(&s->by_target, NULL);
    error_clear(&s->err);
    free(s);
}

void watch_sync_cancel(struct watch_sync *s)
{
    if (s)
        free_sync(s);
}

static void finish(void *ctx)
{
    struct watch_sync *s = ctx;
    s->done(s->ctx, &s->result, s->err.kind ? &s->err : NULL);
    free_sync(s);
}

static void add_result(struct watch_sync_result *out, const struct replica *r)
{
    size_t files = 0, folders = 0;
    for (size_t i = 0; i < count(r->sync); i++) {
        if (!r->send[i])
            continue;
        if (r->sync->locals[i].kind == FOLDER_THERE)
            folders++;
        else if (files++ == 0)
            out->first = file_at(r->sync, i)->to;
    }
    out->files = files > out->files ? files : out->files;
    out->folders = folders > out->folders ? folders : out->folders;
    out->removed = r->removed > out->removed ? r->removed : out->removed;
}

/* A replica is done, with or without an error. The end comes in a turn of its own. */
static void end(struct replica *r, const struct error *err)
{
    struct watch_sync *s = r->sync;
    if (err && !s->err.kind) {
        error_copy(&s->err, err);
        error_wrap(&s->err, "container '%s'", r->container->name);
    }
    if (!err) {
        add_result(&s->result, r);
    }
    if (--s->left == 0)
        loop_after(&s->timer, engine_loop(s->engine), 0, finish, s);
}

/* --- commands in the container --- */

static json_t *command(const char *const *first)
{
    json_t *list = json_array();
    for (; *first; first++)
        json_array_append_new(list, json_string_nocheck(*first));
    return list;
}

/* Adds the files from r->at on that `wanted` says, as many as one command takes; how many. */
static size_t add_args(json_t *list, struct replica *r, bool (*wanted)(struct replica *r, size_t i))
{
    size_t n = 0, bytes = 0;
    for (; r->at < count(r->sync) && n < ARGS_MAX && bytes < ARGS_BYTES; r->at++) {
        const char *to = file_at(r->sync, r->at)->to;
        if (!wanted(r, r->at))
            continue;
        json_array_append_new(list, json_string_nocheck(to));
        bytes += strlen(to) + 1;
        n++;
    }
    return n;
}

/* As root: what was sent before may belong to anybody. */
static void run(struct replica *r, json_t *argv,
                void (*done)(void *ctx, int code, const char *output, const struct error *err))
{
    json_t *body = json_pack("{s:o, s:b, s:b, s:s, s:s}", "Cmd", argv, "AttachStdout", 1,
                             "AttachStderr", 1, "User", "0", "WorkingDir", "/");
    r->exec = exec_start(r->sync->engine, r->container->id, body, EXEC_TIMEOUT_MS, done, r);
}

/* --- sending --- */

static void on_put(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct replica *r = ctx;
    (void)answer;
    r->call = NULL;
    watch_tar_free(take(r->tar));
    end(r, err);
}

static void send_files(struct replica *r)
{
    struct watch_sync *s = r->sync;
    bool any = false;
    for (size_t i = 0; i < count(s); i++)
        any |= r->send[i];
    if (!any) {
        end(r, NULL);
        return;
    }
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_put, .ctx = r };
    r->tar = watch_tar_new(s->opt.work->files.items, r->send, count(s));
    rq_container_archive_replace(&rq, r->container->id, "/", watch_tar_upload(r->tar));
    r->call = engine_start(s->engine, &rq, &hd);
}

/* --- removing --- */

/* Gone, and not removed with a folder above it: what is below one follows it in the list. */
static bool is_removed(struct replica *r, size_t i)
{
    const struct watch_sync *s = r->sync;
    const char *to = file_at(s, i)->to;
    if (s->opt.differing || s->locals[i].kind != GONE || file_at(s, i)->fresh ||
        (r->last_removed && path_below(r->last_removed, to)))
        return false;
    r->last_removed = to;
    return true;
}

static void remove_files(struct replica *r);

static void on_removed(void *ctx, int code, const char *output, const struct error *err)
{
    struct replica *r = ctx;
    auto_error struct error e = ERROR_INIT;
    r->exec = NULL;
    if (!err && code != 0) {
        size_t len = strcspn(output, "\r\n");
        error_set(&e, ERR_ENGINE, code, "rm ended with exit code %d: %.*s", code, (int)len, output);
        err = &e;
    }
    if (err)
        end(r, err);
    else
        remove_files(r);
}

static void remove_files(struct replica *r)
{
    json_t *argv = command((const char *const[]){ "rm", "-rf", NULL });
    size_t n = r->container->state == CONTAINER_RUNNING ? add_args(argv, r, is_removed) : 0;
    r->removed += n;
    if (n) {
        run(r, argv, on_removed);
        return;
    }
    json_decref(argv);
    send_files(r);
}

/* --- comparing --- */

/* "<size> <time> <name>" of stat(1), which GNU, busybox and toybox have. */
static void take_line(struct replica *r, char *line)
{
    struct watch_sync *s = r->sync;
    char *size = line, *time = strchr(line, ' '), *name = time ? strchr(time + 1, ' ') : NULL;
    int64_t bytes, seconds;
    if (!name)
        return;
    *time++ = *name++ = '\0';
    size_t i = (size_t)(uintptr_t)strmap_get(&s->by_target, name);
    if (i == 0 || num_int(&bytes, size) < 0 || num_int(&seconds, time) < 0)
        return;
    const struct local *l = &s->locals[i - 1];
    if (l->kind == FOLDER_THERE || (bytes == l->size && seconds == l->mtime))
        r->send[i - 1] = false;
}

static bool is_compared(struct replica *r, size_t i)
{
    return r->send[i];
}

static void compare(struct replica *r);

static void on_compared(void *ctx, int code, const char *output, const struct error *err)
{
    struct replica *r = ctx;
    r->exec = NULL;
    auto_free char *text = xstrdup(output);
    (void)code; /* not 0 where one of the files is not there */
    for (char *rest = text, *line; !err && (line = strsep(&rest, "\n"));)
        take_line(r, line);
    if (err)
        r->at = count(r->sync);
    compare(r);
}

static void compare(struct replica *r)
{
    json_t *argv = command((const char *const[]){ "stat", "-c", "%s %Y %n", NULL });
    if (r->container->state == CONTAINER_RUNNING && add_args(argv, r, is_compared)) {
        run(r, argv, on_compared);
        exec_keep(r->exec, 2 * ARGS_BYTES + (size_t)ARGS_MAX * 128);
        return;
    }
    json_decref(argv);
    r->at = 0;
    send_files(r);
}

/* --- all of them --- */

static void look(struct watch_sync *s)
{
    s->locals = xcalloc(count(s) + 1, sizeof(*s->locals));
    for (size_t i = 0; i < count(s); i++) {
        struct stat st;
        struct local *l = &s->locals[i];
        if (lstat(file_at(s, i)->from, &st) < 0)
            continue;
        l->kind = S_ISDIR(st.st_mode) ? FOLDER_THERE : FILE_THERE;
        l->size = st.st_size;
        l->mtime = st.st_mtime;
        strmap_set(&s->by_target, file_at(s, i)->to, (void *)(uintptr_t)(i + 1));
    }
}

struct watch_sync *watch_sync_start(struct engine *e, const struct watch_sync_options *opt,
                                    void (*done)(void *ctx, const struct watch_sync_result *result,
                                                 const struct error *err),
                                    void *ctx)
{
    struct watch_sync *s = xnew(struct watch_sync);
    s->engine = e;
    s->opt = *opt;
    s->done = done;
    s->ctx = ctx;
    s->replicas = xcalloc(opt->n + 1, sizeof(*s->replicas));
    s->left = opt->n;
    look(s);
    for (size_t i = 0; i < opt->n; i++) {
        struct replica *r = &s->replicas[i];
        r->sync = s;
        r->container = opt->containers[i];
        r->send = xcalloc(count(s) + 1, sizeof(*r->send));
        for (size_t k = 0; k < count(s); k++)
            r->send[k] = s->locals[k].kind != GONE;
        if (opt->differing)
            compare(r);
        else
            remove_files(r);
    }
    if (opt->n == 0)
        loop_after(&s->timer, engine_loop(e), 0, finish, s);
    return s;
}
