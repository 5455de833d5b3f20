/* Loading: any text is a stack or diagnostics, never both and never neither; nothing drives the
 * terminal; and what `config` prints of a stack is a stack that runs the same. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "model/export.h"
#include "model/load.h"

static struct stack *load(const char *text, size_t len)
{
    static const char *const files[] = { "-", NULL };
    static const char *const environ_[] = { "A=a", "EMPTY=", NULL };
    auto_(arena_freep) struct arena *a = arena_new();
    auto_error struct error err = ERROR_INIT;
    auto_str struct str said = STR_INIT;
    struct load_options opt = {
        .files = files,
        .stdin_text = text,
        .stdin_len = len,
        .project_name = "fuzz",
        .cwd = "/nowhere",
        .environ = environ_,
        .all_profiles = true,
    };
    struct stack *st = NULL;
    struct diag d;
    diag_init(&d, a);
    int rc = stack_load(&st, &opt, &d, &err);
    fuzz_check((rc == 0) == (st != NULL));
    fuzz_check(rc == 0 || err.msg);
    fuzz_check(rc < 0 || d.errors == 0);
    diag_print(&said, &d, true);
    fuzz_check(!strpbrk(said.buf, "\x1b\x7f\a\b"));
    diag_clear(&d);
    return st;
}

/* As docker compose does, `config` doubles the dollar signs of keys too, although nothing replaces
 * variables in keys: such a document changes when it is read again. */
static bool has_dollar_key(const struct node *n)
{
    node_each (i, n)
        if ((n->kind == NODE_MAP && strchr(n->keys[i], '$')) || has_dollar_key(n->items[i]))
            return true;
    return false;
}

static void check_again(const struct stack *st, enum export_format format)
{
    auto_str struct str text = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    struct export_options opt = { .format = format, .all_resources = true };
    fuzz_check(export_stack(&text, st, &opt, &err) == 0);
    auto_(stack_freep) struct stack *again = load(text.buf, text.len);
    fuzz_check(again);
    fuzz_check(again->nservices == st->nservices);
    for (size_t i = 0; i < st->nservices; i++)
        fuzz_check(!strcmp(again->services[i].hash, st->services[i].hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    auto_(stack_freep) struct stack *st = load(text, strlen(text));
    if (st && !has_dollar_key(st->tree))
        check_again(st, EXPORT_YAML);
    return 0;
}
