/*
 * A plan as text, an operation a line with its reason, and as JSON.
 *
 * The text groups what belongs together: images, networks and volumes, then each service, in the
 * order in which the first of their operations comes. Texts from outside are made safe.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/strmap.h"
#include "plan/plan.h"

static const char *group_of(const struct op *op)
{
    switch (op->kind) {
    case OP_NETWORK_CREATE:
    case OP_NETWORK_REMOVE:
    case OP_VOLUME_CREATE:
    case OP_VOLUME_REMOVE:
        return "networks and volumes";
    case OP_IMAGE_PULL:
    case OP_IMAGE_FETCH:
    case OP_IMAGE_BUILD:
    case OP_IMAGE_PUSH:
    case OP_IMAGE_REMOVE:
        return "images";
    default:
        return op->service_name ? op->service_name : op->subject;
    }
}

static const char *condition_text(const struct op *op)
{
    static const char *const texts[] = { [COND_STARTED] = "started",
                                         [COND_HEALTHY] = "healthy",
                                         [COND_COMPLETED] = "completed",
                                         [COND_READY] = "ready" };
    return texts[op->condition];
}

static void print_op(struct str *out, const struct op *op)
{
    const struct op_words *w = &op_words[op->kind];
    str_addf(out, "  %s %s ", w->verb, w->object);
    safe_add(out, op->subject, strlen(op->subject), SAFE_LINE);
    if (op->kind == OP_WAIT)
        str_addf(out, ": %s", condition_text(op));
    if (op->kind == OP_CONNECT) {
        str_add(out, " to network ");
        safe_add(out, op->network->name, strlen(op->network->name), SAFE_LINE);
    }
    if (op->kind == OP_CREATE && op->old) {
        str_add(out, " in place of ");
        safe_add(out, op->old->id, strnlen(op->old->id, 12), SAFE_LINE);
    }
    if (op->reason) {
        str_add(out, " (");
        safe_add(out, op->reason, strlen(op->reason), SAFE_LINE);
        str_addc(out, ')');
    }
    str_addc(out, '\n');
}

/* What becomes of one object, from all operations on it. */
enum fate {
    CREATED,
    REPLACED,
    RESTARTED,
    STARTED,
    STOPPED,
    REMOVED,
    CHANGED,
    PULLED,
    PUSHED,
    BUILT,
    FATES
};

static enum fate fate_of(unsigned kinds, bool has_old)
{
#define HAS(kind) (kinds & 1U << (kind))
    if (HAS(OP_CREATE) || HAS(OP_NETWORK_CREATE) || HAS(OP_VOLUME_CREATE))
        return has_old || HAS(OP_NETWORK_REMOVE) ? REPLACED : CREATED;
    if (HAS(OP_REMOVE) || HAS(OP_NETWORK_REMOVE) || HAS(OP_VOLUME_REMOVE) || HAS(OP_IMAGE_REMOVE))
        return HAS(OP_RENAME) ? REPLACED : REMOVED;
    if (HAS(OP_RESTART) || (HAS(OP_STOP) && HAS(OP_START)))
        return RESTARTED;
    if (HAS(OP_START) || HAS(OP_UNPAUSE))
        return STARTED;
    if (HAS(OP_STOP) || HAS(OP_KILL) || HAS(OP_PAUSE))
        return STOPPED;
    if (HAS(OP_IMAGE_PUSH))
        return PUSHED;
    return HAS(OP_IMAGE_PULL) ? PULLED : HAS(OP_IMAGE_BUILD) ? BUILT : CHANGED;
#undef HAS
}

struct total {
    unsigned kinds; /* bits by enum op_kind */
    bool has_old;
};

/* "3 containers to create, 1 container to replace, 1 image to pull". */
static void print_totals_of(struct str *out, const struct strmap *objects, const char *object)
{
    static const char *const words[FATES] = { "create", "replace", "restart", "start", "stop",
                                              "remove", "change",  "pull",    "push",  "build" };
    size_t counts[FATES] = { 0 };
    strmap_each (it, objects) {
        const struct total *t = it->value;
        if (str_starts(it->key, object) && it->key[strlen(object)] == ' ')
            counts[fate_of(t->kinds, t->has_old)]++;
    }
    for (size_t i = 0; i < FATES; i++)
        if (counts[i])
            str_addf(out, "%s%zu %s%s to %s", out->len ? ", " : "", counts[i], object,
                     counts[i] == 1 ? "" : "s", words[i]);
}

static void print_totals(struct str *out, const struct plan *p)
{
    static const char *const objects[] = { "container", "image", "network", "volume" };
    struct strmap totals = STRMAP_INIT;
    auto_str struct str line = STR_INIT;
    for (size_t i = 0; i < p->nops; i++) {
        const struct op *op = p->ops[i];
        auto_free char *key = xasprintf("%s %s", op_words[op->kind].object, op->subject);
        struct total *t = strmap_get(&totals, key);
        if (!t) {
            t = xnew(struct total);
            strmap_set(&totals, key, t);
        }
        t->kinds |= 1U << op->kind;
        t->has_old = t->has_old || op->old;
    }
    for (size_t i = 0; i < countof(objects); i++)
        print_totals_of(&line, &totals, objects[i]);
    str_addf(out, "%s\n", line.buf);
    strmap_clear(&totals, free);
}

void plan_print(struct str *out, const struct plan *p)
{
    struct strmap groups = STRMAP_INIT;
    auto_free const struct op **next = xcalloc(p->nops, sizeof(*next)); /* of the same group */
    for (size_t i = p->nops; i-- > 0;)
        next[i] = strmap_set(&groups, group_of(p->ops[i]), p->ops[i]);
    strmap_clear(&groups, NULL);

    auto_free bool *printed = xcalloc(p->nops, sizeof(*printed));
    for (size_t i = 0; i < p->nops; i++) {
        if (printed[i])
            continue;
        safe_add(out, group_of(p->ops[i]), strlen(group_of(p->ops[i])), SAFE_LINE);
        str_addc(out, '\n');
        for (const struct op *op = p->ops[i]; op; op = next[op->index]) {
            print_op(out, op);
            printed[op->index] = true;
        }
    }
    for (size_t i = 0; i < p->nnotes; i++) {
        str_add(out, "note: ");
        safe_add(out, p->notes[i], strlen(p->notes[i]), SAFE_LINE);
        str_addc(out, '\n');
    }
    if (!p->nops)
        str_add(out, "nothing to do\n");
    else
        print_totals(out, p);
}

static json_t *text_or_null(const char *text)
{
    json_t *value = text ? json_string(text) : NULL; /* NULL too where it is not UTF-8 */
    return value ? value : json_null();
}

static json_t *op_json(const struct op *op)
{
    json_t *needs = json_array();
    for (size_t i = 0; i < op->nneeds; i++) {
        json_t *need = json_object();
        json_object_set_new(need, "op", json_integer((json_int_t)op->needs[i].op->index));
        json_object_set_new(need, "soft", json_boolean(op->needs[i].soft));
        json_array_append_new(needs, need);
    }
    json_t *j = json_object();
    json_object_set_new(j, "op", json_integer((json_int_t)op->index));
    json_object_set_new(j, "kind", json_string(op_words[op->kind].name));
    json_object_set_new(j, "object", json_string(op_words[op->kind].object));
    json_object_set_new(j, "subject", text_or_null(op->subject));
    json_object_set_new(j, "service", text_or_null(op->service_name));
    json_object_set_new(j, "reason", text_or_null(op->reason));
    if (op->kind == OP_CREATE)
        json_object_set_new(j, "replaces", text_or_null(op->old ? op->old->id : NULL));
    if (op->kind == OP_WAIT)
        json_object_set_new(j, "condition", json_string(condition_text(op)));
    if (op->kind == OP_CONNECT)
        json_object_set_new(j, "network", text_or_null(op->network->name));
    json_object_set_new(j, "needs", needs);
    return j;
}

void plan_print_json(struct str *out, const struct plan *p)
{
    auto_json json_t *all = json_object();
    json_t *ops = json_array(), *notes = json_array(), *kept = json_array();
    for (size_t i = 0; i < p->nops; i++)
        json_array_append_new(ops, op_json(p->ops[i]));
    for (size_t i = 0; i < p->nnotes; i++)
        json_array_append_new(notes, text_or_null(p->notes[i]));
    for (size_t i = 0; i < p->nkept; i++)
        json_array_append_new(kept, text_or_null(p->kept[i]->name));
    json_object_set_new(all, "operations", ops);
    json_object_set_new(all, "kept", kept);
    json_object_set_new(all, "notes", notes);
    char *text = json_dumps(all, JSON_INDENT(2));
    str_add(out, text ? text : "{}");
    str_addc(out, '\n');
    free(text);
}
