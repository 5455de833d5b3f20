/*
 * The inside of the executor; for run/ alone.
 *
 * A task is an operation under way. The table of handlers (ops.c) says how each kind is started and
 * which pool it counts in; a handler ends its task exactly once with task_done() or task_fail(),
 * from a callback of the loop or at once.
 */
#ifndef RUN_PRIVATE_H
#define RUN_PRIVATE_H

#include "base/json.h"
#include "base/vec.h"
#include "run/run.h"

enum task_state { TASK_PENDING, TASK_READY, TASK_RUNNING, TASK_OVER };

enum pool { POOL_FREE, POOL_START, POOL_CREATE, POOL_STOP, POOL_BUILD, POOL_PULL, POOL_COUNT };

struct task {
    struct run *run;
    const struct op *op;
    enum task_state state;
    size_t missing; /* needs that are not over */
    enum outcome outcome;
    const struct task *cause; /* HELD: the task that failed */
    struct error err;
    int64_t started_ms, ended_ms;
    int64_t began_unix_ns;          /* wall clock, to tell this start from an earlier one */
    char *id;                       /* of the object that was made */
    char *output;                   /* last lines, for the failure block */
    int attempts;                   /* of the request, counting the first */
    bool recovering;                /* the object is being looked at after a lost answer */
    struct engine_call *call;       /* the request under way, or NULL */
    struct loop_timer *timer;       /* a pause before the next attempt, or a limit */
    void (*cancel)(struct task *t); /* stops what `data` stands for; may be NULL */
    void *data;                     /* the handler's own; freed by its cancel or its end */
};

struct watch; /* events.c */

struct run {
    struct engine *engine;
    struct loop *loop;
    const struct plan *plan;
    const struct run_options *opt;
    struct sink sink;
    struct task *tasks; /* by op->index */
    size_t over;
    int active[POOL_COUNT], limit[POOL_COUNT];
    int probes;
    int64_t started_ms;
    int interrupts;
    bool pumping, again, settled, done;
    struct watch *watch;
    struct settle *settle; /* while starts are looked after */
    struct loop_timer *settle_timer;
};

/* executor.c */
void task_done(struct task *t, enum outcome outcome);
/* Takes *err over; or copies one that is only borrowed, as callbacks get it. */
void task_fail(struct task *t, struct error *err);
void task_fail_copy(struct task *t, const struct error *err);
/* For the answer to a create: ends the task with the id of what was made; or returns -1, *why
 * filled. */
int task_made(struct error *why, struct task *t, const struct engine_answer *answer,
              const struct error *err);
void task_progress(struct task *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct task *task_of(const struct run *r, const struct op *op);
/* The engine's id of what the operation works on: known, or made by op->target. */
const char *task_target_id(const struct task *t);
/* Sends a request as the task's own; `done` gets the answer. */
void task_send(struct task *t, struct engine_request *rq,
               void (*done)(void *ctx, const struct engine_answer *answer,
                            const struct error *err));
void task_after(struct task *t, int64_t ms, void (*fn)(void *ctx));

/* ops.c */
struct handler {
    void (*start)(struct task *t);
    enum pool pool;
};
extern const struct handler run_handlers[];

/* op_*.c */
void start_create(struct task *t);
void start_container_verb(
    struct task *t); /* start, stop, kill, remove, rename, restart, pause ... */
void start_network_create(struct task *t);
void start_network_remove(struct task *t);
void start_connect(struct task *t);
void start_volume_create(struct task *t);
void start_volume_remove(struct task *t);
void start_transfer(struct task *t); /* pull, push */
void start_fetch(struct task *t);
void start_build(struct task *t);
void start_image_remove(struct task *t);
void start_files(struct task *t);
void start_hook(struct task *t);
void start_wait(struct task *t);

/*
 * recover.c: after an answer was lost (the connection broke, or silence) the object is looked at
 * again. `verdict` says what the inspection means; then the task is done, or sent once more through
 * `again`, or fails with the first error.
 */
enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_FAIL };
/* Whether the error leaves open if the request took effect. */
bool answer_lost(const struct error *err);
void recover(struct task *t, const struct error *first, struct engine_request *look,
             enum verdict (*verdict)(struct task *t, const json_t *seen /* NULL: not there */),
             void (*again)(struct task *t));

/* untangle.c: for an error that says that a network's name is ambiguous: removes networks of this
 * stack of that name, all of them or until one is left, then runs `again`. False, and nothing done,
 * for any other error and after several attempts. */
bool untangle(struct task *t, const struct error *err, bool keep_one,
              void (*again)(struct task *t));

/* events.c: the engine's events of this stack, while the plan runs. */
struct watch_listener {
    /* action: "start", "die", "health_status: healthy" ...; attributes: the Actor's. */
    void (*event)(void *ctx, const char *action, const char *id, const json_t *attributes);
    void *ctx;
};
/* Opens the stream; `ready` runs once when it is open, or cannot be (err). */
struct watch *watch_start(struct run *r, void (*ready)(void *ctx, const struct error *err),
                          void *ctx);
void watch_add(struct watch *w, const struct watch_listener *l);
void watch_remove(struct watch *w, const struct watch_listener *l);
void watch_free(struct watch *w);

/* settle.c: containers that died at once. settle_begin() listens; settle_end() turns the start of
 * each container that has died meanwhile into a failure with its last output, then runs `done`. */
struct settle;
struct settle *settle_begin(struct run *r);
void settle_end(struct settle *s, void (*done)(struct run *r));
void settle_free(struct settle *s);

/* links.c: the environment variables of 2014's links for a service, "NAME=value", NULL-terminated,
 * owned by the caller; asks the engine for the images of link targets once. `done` runs later. */
void links_collect(struct task *t,
                   void (*done)(struct task *t, char **variables, const struct error *err));

/* report.c */
/* A container's log keeps what its earlier starts said. These give the `since` that leaves it out,
 * or NULL and an empty text when that is not known: for a container that runs, the end of its last
 * run (it writes before the engine notes its start); for any, when `start` was sent, where the
 * engine has the same clock. */
#define LOGS_SINCE_MAX 40
const char *logs_since_end(char buf[LOGS_SINCE_MAX], const json_t *inspected);
const char *logs_since_start(char buf[LOGS_SINCE_MAX], const struct task *start);
void result_fill(struct run_result *out, struct run *r);
/* Hints for engine messages that are known. */
void explain(struct error *err, const struct op *op);

#endif
