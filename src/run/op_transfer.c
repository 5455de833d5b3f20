/*
 * Images from and to registries: the layers of a transfer are folded into one line, and a refusal
 * is told with the login that helps.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "build/transfer.h"
#include "run/private.h"
#include "text/imageref.h"

static void on_progress(void *ctx, const struct layers *layers)
{
    struct task *t = ctx;
    struct run *r = t->run;
    auto_free char *text = xasprintf("%zu of %zu layers", layers->done, strmap_len(&layers->parts));
    r->sink.event(r->sink.ctx, &(struct event){ .kind = EVENT_PROGRESS,
                                                .plan = r->plan,
                                                .op = t->op,
                                                .text = text,
                                                .len = strlen(text),
                                                .current = layers->current,
                                                .total = layers->total });
}

/* Registries refuse in these words, with a login that is wrong as well as without one. */
static bool is_refusal(const char *message)
{
    static const char *const words[] = { "unauthorized",  "authentication required",
                                         "no basic auth", "access denied",
                                         "denied: ",      "401 Unauthorized" };
    for (size_t i = 0; i < countof(words); i++)
        if (strstr(message, words[i]))
            return true;
    return false;
}

static void hint_login(struct error *e, const char *ref, bool login)
{
    auto_(arena_freep) struct arena *arena = arena_new();
    struct imageref parsed;
    if (imageref_parse(&parsed, arena, ref, NULL) < 0)
        return;
    bool hub = str_eq(parsed.domain, "docker.io");
    auto_free char *command =
        xasprintf("docker login%s%s", hub ? "" : " ", hub ? "" : parsed.domain);
    if (login)
        error_hint(e, "%s does not accept the login that is kept for it: log in anew with '%s'",
                   parsed.domain, command);
    else
        error_hint(e, "log in with '%s', unless the image's name is wrong", command);
}

static void fail_transfer(struct task *t, const struct error *err, bool login)
{
    struct error e = ERROR_INIT;
    error_set(&e, ERR_PULL, err->code, "%s '%s': %s", op_words[t->op->kind].verb, t->op->ref,
              err->msg);
    if (err->hint)
        error_hint(&e, "%s", err->hint);
    else if (is_refusal(err->msg))
        hint_login(&e, t->op->ref, login);
    if (err->kind == ERR_NETWORK || err->kind == ERR_CANCELED)
        e.kind = err->kind;
    task_fail(t, &e);
}

static void on_done(void *ctx, const json_t *image, const struct error *err)
{
    struct task *t = ctx;
    const struct transfer *x = t->data;
    bool asked = transfer_asked(x), login = transfer_has_login(x);
    t->data = NULL;
    t->cancel = NULL;
    if (err && asked) {
        fail_transfer(t, err, login);
    } else if (err) {
        task_fail_copy(t, err);
    } else {
        free(t->id);
        t->id = xstrdup(json_str(image, "Id"));
        task_done(t, OUTCOME_DONE);
    }
}

static void cancel(struct task *t)
{
    transfer_cancel(t->data);
    t->data = NULL;
}

void start_transfer(struct task *t)
{
    const struct transfer_handlers hd = { on_progress, on_done, t };
    const struct op *op = t->op;
    t->cancel = cancel;
    t->data = op->kind == OP_IMAGE_PUSH ? transfer_push(t->run->engine, op->ref, &hd)
                                        : transfer_pull(t->run->engine, op->ref, op->platform, &hd);
}
