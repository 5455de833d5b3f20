/* Polls of repositories. */
#include "server/poll.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "loop/child.h"
#include "server/deliver.h"

enum {
    STATE_MAX = 16 << 20,
};

struct look {
    struct poller *poller;
    const struct hook_project *project;
    struct loop_timer *timer;
    struct child *child;
    bool failed; /* the last one */
};

struct poller {
    struct loop *loop;
    const struct hook_config *config;
    char *dir;
    struct poller_handlers hd;
    struct {
        VEC(struct look);
    } looks;
};

json_t *poll_read(const char *text, size_t len)
{
    json_t *refs = json_object();
    const char *end = text + len;
    for (const char *line = text, *next; line < end; line = next) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        next = stop ? stop + 1 : end;
        auto_free char *whole = xstrndup(line, (size_t)((stop ? stop : end) - line));
        char *ref = strchr(whole, '\t');
        if (!ref)
            continue;
        *ref++ = '\0';
        /* After a tag with a message comes what it stands for. */
        if (str_ends(ref, "^{}"))
            ref[strlen(ref) - 3] = '\0';
        if (deliver_commit_valid(whole) && deliver_ref_valid(ref))
            json_object_set_new(refs, ref, json_string(whole));
    }
    return refs;
}

static char *state_path(const struct look *k)
{
    return xasprintf("%s/%s.json", k->poller->dir, k->project->name);
}

/* What was there the last time; NULL: there was none. */
static json_t *state_load(const struct look *k)
{
    auto_free char *path = state_path(k);
    auto_free char *text = NULL;
    size_t len;
    if (file_read(&text, &len, path, STATE_MAX, NULL) < 0)
        return NULL;
    json_t *state = json_parse(text, len, "poll state", NULL);
    if (json_is_object(state))
        return state;
    json_decref(state);
    return NULL;
}

static void fail(struct look *k, const char *why)
{
    if (!k->failed)
        k->poller->hd.failed(k->poller->hd.ctx, k->project, why);
    k->failed = true;
}

static void compare(struct look *k, const json_t *found)
{
    const struct poller_handlers *hd = &k->poller->hd;
    auto_json json_t *before = state_load(k);
    auto_json json_t *after = json_object();
    const char *ref;
    json_t *commit;
    json_object_foreach ((json_t *)(uintptr_t)found, ref, commit) {
        const json_t *old = json_object_get(before, ref);
        if (!hook_config_wants(k->project, ref))
            continue;
        if (!before || json_equal(old, commit) ||
            hd->push(hd->ctx, k->project, ref, json_string_value(commit)) == 0)
            json_object_set(after, ref, commit);
        else if (old)
            json_object_set(after, ref, (json_t *)(uintptr_t)old);
    }
    if (before && json_equal(before, after))
        return;
    auto_error struct error err = ERROR_INIT;
    auto_free char *path = state_path(k);
    auto_free char *text = json_canonical(after);
    if (file_mkdirs(k->poller->dir, 0700, &err) < 0 ||
        file_write_atomic(path, text, strlen(text), 0600, &err) < 0)
        fail(k, err.msg);
}

static void look(void *ctx);

/* A tenth more or less, so that many do not come at once. */
static int64_t delay(const struct look *k)
{
    int64_t every = k->project->poll_ms;
    return every * 9 / 10 + clock_unix_ns() / 1000 % (every / 5);
}

static void on_look(void *ctx, const struct child_result *r, const struct error *err)
{
    struct look *k = ctx;
    k->child = NULL;
    if (err) {
        fail(k, err->msg);
    } else if (r->status != 0 || r->out.overflow) {
        auto_free char *said = xstrndup(r->err.buf, strcspn(r->err.buf, "\n"));
        fail(k, *said ? said : "git ls-remote failed");
    } else {
        auto_json json_t *found = poll_read(r->out.buf, r->out.len);
        k->failed = false;
        compare(k, found);
    }
    loop_after(&k->timer, k->poller->loop, delay(k), look, k);
}

static void look(void *ctx)
{
    struct look *k = ctx;
    const char *const argv[] = { "git", "ls-remote",     "--heads", "--tags",
                                 "--",  k->project->git, NULL };
    k->child = child_start(k->poller->loop,
                           &(struct child_options){
                               .argv = argv,
                               .cwd = k->poller->config->dir,
                               .output_max = POLL_OUTPUT_MAX,
                               .timeout_ms = POLL_TIME_MS,
                               .own_session = true,
                           },
                           on_look, k);
}

struct poller *poller_new(struct loop *l, const struct hook_config *c, const char *queue_dir,
                          const struct poller_handlers *hd)
{
    struct poller *p = xnew(struct poller);
    p->loop = l;
    p->config = c;
    p->dir = xasprintf("%s/polls", queue_dir);
    p->hd = *hd;
    /* Looks do not move once they have begun. */
    vec_reserve(&p->looks, c->projects.len);
    for (size_t i = 0; i < c->projects.len; i++)
        if (c->projects.items[i].poll_ms) {
            struct look *k = vec_push(&p->looks);
            k->poller = p;
            k->project = &c->projects.items[i];
            look(k);
        }
    return p;
}

void poller_free(struct poller *p)
{
    if (!p)
        return;
    vec_each (k, &p->looks) {
        loop_timer_cancel(&k->timer);
        if (k->child)
            child_cancel(k->child);
    }
    vec_free(&p->looks);
    free(p->dir);
    free(p);
}
