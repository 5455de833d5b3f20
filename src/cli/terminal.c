/*
 * What exec, run and attach share: the size of the window, signals, the keys that detach.
 *
 * A window's size is told when the stream is open. The process may not be there yet: then the
 * engine refuses, and is told again. Of several changes only the last one counts.
 */
#include "cli/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/requests.h"
#include "loop/tty.h"
#include "registry/config.h"

#define RESIZE_TRIES 20
#define RESIZE_MS 25

bool terminal_there(void)
{
    return tty_is(STDIN_FILENO) && tty_is(STDOUT_FILENO);
}

/* --- keys --- */

int terminal_keys(struct terminal *t, const char *option, struct error *err)
{
    if (option) {
        t->keys = xstrdup(option);
        return detach_parse(&t->detach, option, err) < 0 ? error_wrap(err, "--detach-keys") : 0;
    }
    if (t->tty && t->input)
        t->keys = config_setting("detachKeys");
    if (detach_parse(&t->detach, t->keys, err) < 0)
        return error_wrap(err, "detachKeys in docker's config.json");
    return 0;
}

void terminal_query(const struct terminal *t, struct str *path)
{
    engine_query(path, "detachKeys", t->keys);
}

/* --- the window --- */

void terminal_size_at_start(const struct terminal *t, json_t *body)
{
    int rows, cols;
    if (t->tty && tty_size(STDOUT_FILENO, &rows, &cols))
        json_object_set_new(body, "ConsoleSize", json_pack("[i, i]", rows, cols));
}

static void send_size(void *ctx);

static void on_sent(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct terminal *t = ctx;
    (void)answer;
    t->resize = NULL;
    if (err && t->tries++ < RESIZE_TRIES) {
        loop_after(&t->retry, cli_loop(t->cli), RESIZE_MS, send_size, t);
    } else if (!err && t->redraw) {
        t->redraw = false;
        send_size(t);
    }
}

static void send_size(void *ctx)
{
    struct terminal *t = ctx;
    struct engine_request rq;
    /* A window that does not change is not painted anew: it is another one for a moment. */
    int more = t->redraw;
    if (t->exec)
        rq_exec_resize(&rq, t->exec, t->rows + more, t->cols + more);
    else
        rq_container_resize(&rq, t->container, t->rows + more, t->cols + more);
    t->resize =
        engine_start(t->cli->engine, &rq, &(struct engine_handlers){ .done = on_sent, .ctx = t });
}

static void forget_size(struct terminal *t)
{
    loop_timer_cancel(&t->retry);
    if (t->resize)
        engine_cancel(take(t->resize));
}

static void on_resized(void *ctx, int rows, int cols)
{
    struct terminal *t = ctx;
    forget_size(t);
    t->rows = rows;
    t->cols = cols;
    t->tries = 0;
    send_size(t);
}

void terminal_started(struct terminal *t)
{
    if (!t->tty || !t->rows)
        return;
    forget_size(t);
    send_size(t);
}

/* --- signals --- */

static void ignore(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    (void)ctx, (void)answer, (void)err;
}

static void on_signal(void *ctx, int signum)
{
    struct terminal *t = ctx;
    char number[16];
    struct engine_request rq;
    snprintf(number, sizeof(number), "%d", signum);
    rq_container_kill(&rq, t->container, number);
    engine_start(t->cli->engine, &rq, &(struct engine_handlers){ .done = ignore });
}

/* --- the session --- */

static void on_opened(void *ctx)
{
    struct terminal *t = ctx;
    if (t->opened)
        t->opened(t);
}

int terminal_run(struct terminal *t, struct error *err)
{
    t->interact = (struct interact_options){
        .path = t->path,
        .body = t->body,
        .tty = t->tty,
        .input = t->input,
        .end_input = t->end_input,
        .detach = t->tty && t->input ? &t->detach : NULL,
        .opened = on_opened,
        .resized = t->tty ? on_resized : NULL,
        .signaled = t->sig_proxy && !t->tty ? on_signal : NULL,
        .ctx = t,
    };
    int rc = interact_run(&t->end, t->cli->engine, &t->interact, err);
    forget_size(t);
    t->rows = 0; /* who is told later that it has started has no window for it any more */
    return rc;
}

void terminal_end(struct terminal *t)
{
    interact_end(&t->interact);
}

void terminal_clear(struct terminal *t)
{
    free(take(t->keys));
}

int terminal_left(const struct terminal *t, const char *name)
{
    if (t->end.signum)
        return 128 + t->end.signum;
    if (!t->end.detached)
        return -1;
    fprintf(stderr, "\ndetached: %s runs on\n", name);
    return EXIT_DONE;
}
