/* What would be lost, and a question. */
#include "cli/confirm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "base/str.h"
#include "base/strmap.h"
#include "engine/requests.h"
#include "loop/tty.h"

#define SIZES_MS 2000 /* an engine with much data adds it up for minutes */
#define SHOWN_MOST 20

/* --- sizes --- */

struct sizes {
    struct strmap bytes; /* volume -> size + 1 */
    struct engine_call *call;
    bool over;
};

static void on_usage(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct sizes *s = ctx;
    size_t i;
    json_t *volume;
    s->call = NULL;
    s->over = true;
    if (err)
        return;
    json_array_foreach (json_object_get(answer->json, "Volumes"), i, volume) {
        int64_t size = json_int(volume, "UsageData.Size", -1);
        if (size >= 0)
            strmap_set(&s->bytes, json_str_or(volume, "Name", ""), (void *)(uintptr_t)(size + 1));
    }
}

static void on_late(void *ctx)
{
    ((struct sizes *)ctx)->over = true;
}

/* As far as the engine says them in time. */
static void get_sizes(struct sizes *s, struct cli *cli)
{
    struct loop_timer *late = NULL;
    struct engine_request rq;
    rq_volume_usage(&rq);
    s->call =
        engine_start(cli->engine, &rq, &(struct engine_handlers){ .done = on_usage, .ctx = s });
    loop_after(&late, cli_loop(cli), SIZES_MS, on_late, s);
    loop_wait(cli_loop(cli), &s->over);
    loop_timer_cancel(&late);
    if (s->call)
        engine_cancel(s->call);
}

/* --- what would go --- */

static size_t count(const struct change *c, enum op_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < c->plan->nops; i++)
        n += c->plan->ops[i]->kind == kind;
    return n;
}

/* "demo-db-1:/var/lib/mysql", of a container that has it; the caller's. */
static char *place_of(const struct snapshot *now, const char *volume)
{
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        for (size_t k = 0; k < c->nmounts; k++)
            if (str_eq(c->mounts[k].type, "volume") && str_eq(c->mounts[k].name, volume))
                return xasprintf("%s:%s", c->name, c->mounts[k].target);
    }
    return xstrdup("");
}

static void show_volume(const struct change *c, const struct sizes *s, const char *name)
{
    char text[NUM_TEXT_MAX] = "";
    uintptr_t size = (uintptr_t)strmap_get(&s->bytes, name);
    if (size)
        num_size_text(text, (int64_t)size - 1);
    auto_str struct str shown = STR_INIT;
    auto_free char *place = place_of(c->now, name);
    auto_free char *safe_place = safe_text(place, SAFE_LINE);
    safe_add_cut(&shown, name, 40);
    fprintf(stderr, "  %s%*s  %8s  %s\n", shown.buf, 40 - (int)safe_width(shown.buf), "", text,
            safe_place);
}

static void show_volumes(const struct change *c)
{
    struct sizes sizes = { .bytes = { 0 } };
    size_t shown = 0, n = count(c, OP_VOLUME_REMOVE);
    get_sizes(&sizes, c->cli);
    fputs("Volumes that would be removed, with their data:\n", stderr);
    for (size_t i = 0; i < c->plan->nops && shown < SHOWN_MOST; i++)
        if (c->plan->ops[i]->kind == OP_VOLUME_REMOVE) {
            show_volume(c, &sizes, c->plan->ops[i]->subject);
            shown++;
        }
    if (n > shown)
        fprintf(stderr, "  ... and %zu more\n", n - shown);
    strmap_clear(&sizes.bytes, NULL);
}

/* --- the question --- */

struct question {
    char answer[64];
    size_t len;
    int signum;
    bool over;
};

static void show_question(const char *text)
{
    fprintf(stderr, "%s [y/N] ", text);
}

static void on_readable(void *ctx, int events)
{
    struct question *q = ctx;
    (void)events;
    ssize_t n = read(STDIN_FILENO, q->answer + q->len, sizeof(q->answer) - 1 - q->len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    q->len += n > 0 ? (size_t)n : 0;
    q->over = n <= 0 || memchr(q->answer, '\n', q->len) || q->len == sizeof(q->answer) - 1;
}

static void on_signal(void *ctx, int signum)
{
    struct question *q = ctx;
    q->signum = signum;
    q->over = true;
}

/* Signals are caught before the question stands there: who reads it may press Ctrl-C at once. */
static void wait_for_answer(struct question *q, const char *text, struct loop *loop)
{
    static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
    struct loop_signal *signals[countof(caught)];
    for (size_t i = 0; i < countof(caught); i++)
        signals[i] = loop_signal(loop, caught[i], on_signal, q);
    struct loop_io *io = loop_io(loop, STDIN_FILENO, LOOP_READ, on_readable, q);
    show_question(text);
    loop_wait(loop, &q->over);
    loop_io_cancel(&io);
    for (size_t i = 0; i < countof(caught); i++)
        loop_signal_cancel(&signals[i]);
}

static int ask(struct change *c, const char *text, struct error *err)
{
    struct question q = { .len = 0 };
    bool terminal = tty_is(STDIN_FILENO);
    if (terminal) {
        wait_for_answer(&q, text, cli_loop(c->cli));
    } else {
        show_question(text);
        while (!q.over)
            on_readable(&q, LOOP_READ);
    }
    if (!terminal || q.signum || !q.len)
        fputs("\n", stderr);
    if (q.signum)
        return 128 + q.signum;
    if (!terminal && !q.len) {
        error_set(err, ERR_USAGE, 0, "nobody is there to answer");
        return error_hint(err, "say 'stack %s -f'", c->verb);
    }
    q.answer[strcspn(q.answer, "\r\n")] = 0;
    if (strcasecmp(q.answer, "y") == 0 || strcasecmp(q.answer, "yes") == 0)
        return 0;
    fputs("nothing was changed\n", stderr);
    return EXIT_FAILED;
}

int confirm_volumes(struct change *c, struct error *err)
{
    size_t n = count(c, OP_VOLUME_REMOVE);
    if (!n || c->cli->global.dry_run || !tty_is(STDIN_FILENO) || !tty_is(STDERR_FILENO))
        return 0;
    show_volumes(c);
    auto_free char *text = xasprintf("Remove %zu volume%s?", n, n == 1 ? "" : "s");
    return ask(c, text, err);
}

int confirm_containers(struct change *c, struct error *err)
{
    if (!count(c, OP_REMOVE) || c->cli->global.dry_run)
        return 0;
    if (count(c, OP_VOLUME_REMOVE) && tty_is(STDERR_FILENO))
        show_volumes(c);
    auto_str struct str text = STR_INIT;
    for (size_t i = 0; i < c->plan->nops; i++)
        if (c->plan->ops[i]->kind == OP_REMOVE) {
            str_add(&text, text.len ? ", " : "Going to remove ");
            safe_add(&text, c->plan->ops[i]->subject, strlen(c->plan->ops[i]->subject), SAFE_LINE);
        }
    return ask(c, text.buf, err);
}
