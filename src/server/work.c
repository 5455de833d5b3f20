/* The commands of a job, one after the other. */
#include "server/work.h"

#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "loop/child.h"
#include "server/supervise.h"
#include "server/words.h"

extern char **environ;

enum {
    STEPS_MAX = 2,
    ANSWER_MAX = 4096, /* of the supervising process */
};

struct step {
    const char *name; /* for messages */
    char *order;      /* for the supervising process */
};

struct work {
    struct loop *loop;
    struct step steps[STEPS_MAX];
    size_t nsteps, at;
    struct strv env;
    char *cwd;
    struct hook_limits limits;
    struct child *child;
    bool stopped;
    void (*done)(void *ctx, enum work_result result, const char *message);
    void *ctx;
};

static void next_step(struct work *w);

static void finish(struct work *w, enum work_result result, const char *message)
{
    w->done(w->ctx, result, message);
    for (size_t i = 0; i < w->nsteps; i++)
        free(w->steps[i].order);
    strv_clear(&w->env);
    free(w->cwd);
    free(w);
}

/* Why the step failed; owned by the caller. */
static char *explain(const struct work *w, const struct supervise_end *end)
{
    const char *name = w->steps[w->at].name;
    char time[NUM_TEXT_MAX];
    if (end->how == SUPERVISE_TIMEOUT)
        return xasprintf("%s took longer than %s", name,
                         num_duration_text(time, w->limits.time_ms * 1000000));
    if (end->how == SUPERVISE_EXITED)
        return xasprintf("%s ended with exit code %d", name, end->code);
    if (end->code == SIGXCPU)
        return xasprintf("%s used more processor time than its limit", name);
    if (end->code == SIGXFSZ)
        return xasprintf("%s wrote a file larger than its limit", name);
    return xasprintf("%s was killed by signal %d (%s)", name, end->code, strsignal(end->code));
}

static void on_step(void *ctx, const struct child_result *r, const struct error *err)
{
    struct work *w = ctx;
    struct supervise_end end;
    auto_error struct error why = ERROR_INIT;
    w->child = NULL;
    if (err) {
        finish(w, WORK_FAILED, err->msg);
    } else if (r->status != 0 || supervise_end_read(&end, r->out.buf, r->out.len, &why) < 0) {
        if (w->stopped) {
            finish(w, WORK_STOPPED, NULL);
            return;
        }
        auto_free char *text = xstrndup(r->err.buf, strcspn(r->err.buf, "\n"));
        finish(w, WORK_FAILED, *text ? text : "its supervising process was killed");
    } else if (end.how == SUPERVISE_STOPPED) {
        finish(w, WORK_STOPPED, NULL);
    } else if (end.how != SUPERVISE_EXITED || end.code != 0) {
        auto_free char *text = explain(w, &end);
        finish(w, WORK_FAILED, text);
    } else if (++w->at == w->nsteps) {
        finish(w, WORK_DONE, NULL);
    } else if (w->stopped) {
        finish(w, WORK_STOPPED, NULL);
    } else {
        next_step(w);
    }
}

static void next_step(struct work *w)
{
    const char *const argv[] = { "/proc/self/exe", "__job", w->steps[w->at].order, NULL };
    w->child = child_start(w->loop,
                           &(struct child_options){
                               .argv = argv,
                               .env = (const char *const *)w->env.items,
                               .cwd = w->cwd,
                               .hold_input = true,
                               .output_max = ANSWER_MAX,
                               .own_session = true,
                           },
                           on_step, w);
}

static void add_step(struct work *w, const char *name, const struct work_order *o,
                     const struct strv *command, const struct hook_words *words)
{
    struct supervise_order order = { .log = xstrdup(o->log),
                                     .lock = xstrdup(o->lock),
                                     .limits = o->project->limits };
    hook_command(&order.argv, command, words);
    w->steps[w->nsteps++] = (struct step){ name, supervise_order_text(&order) };
    supervise_order_clear(&order);
}

/* Ours without what held a secret, and what the job is about. */
static void make_env(struct work *w, const struct hook_config *c, const struct hook_words *words)
{
    for (char **it = environ; *it; it++) {
        auto_free char *name = xstrndup(*it, strcspn(*it, "="));
        if (!strv_has(&c->secret_env, name) && !str_starts(name, "STACK_HOOK_"))
            strv_add(&w->env, *it);
    }
    strv_addf(&w->env, "STACK_HOOK_JOB=%s", words->job);
    strv_addf(&w->env, "STACK_HOOK_PROJECT=%s", words->project);
    strv_addf(&w->env, "STACK_HOOK_GIT=%s", words->git);
    strv_addf(&w->env, "STACK_HOOK_REF=%s", words->ref);
    strv_addf(&w->env, "STACK_HOOK_BRANCH=%s", words->branch);
    strv_addf(&w->env, "STACK_HOOK_COMMIT=%s", words->commit);
    strv_add(&w->env, "GIT_TERMINAL_PROMPT=0");
}

struct work *work_start(struct loop *l, const struct work_order *o,
                        void (*done)(void *ctx, enum work_result result, const char *message),
                        void *ctx)
{
    struct work *w = xnew(struct work);
    w->loop = l;
    w->done = done;
    w->ctx = ctx;
    w->cwd = xstrdup(o->config->dir);
    w->limits = o->project->limits;
    auto_free char *id = xasprintf("%lld", (long long)o->job->id);
    const char *slash = strchr(o->job->ref + strlen("refs/"), '/');
    struct hook_words words = {
        .stack = o->stack,
        .project = o->project->name,
        .git = o->project->git,
        .ref = o->job->ref,
        .branch = slash + 1,
        .commit = o->job->commit,
        .job = id,
        .stack_file = o->project->stack_file,
        .up = o->project->up,
    };
    make_env(w, o->config, &words);
    add_step(w, "the command", o, &o->project->command, &words);
    if (o->project->up) {
        auto_strv struct strv up = STRV_INIT;
        strv_split(&up, "{stack}|-s|{up}|up|-d|--sync", "|");
        add_step(w, "'stack up'", o, &up, &words);
    }
    next_step(w);
    return w;
}

void work_stop(struct work *w)
{
    w->stopped = true;
    if (w->child)
        child_kill(w->child, SIGTERM);
}
