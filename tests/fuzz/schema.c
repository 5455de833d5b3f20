/*
 * The schema: any two documents (cut at a line of "%%") are checked, expanded, merged and finished
 * without breaking, in each form. Where no mistake was found the result is canonical: the same
 * again changes nothing.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "model/schema.h"
#include "text/yaml.h"

struct run {
    struct arena *arena;
    struct diag diag;
    enum schema_form form;
    bool raw;
};

static struct node *part(struct run *r, const char *text)
{
    const struct source *src = source_from_text(r->arena, "/in.yaml", text, strlen(text));
    struct node *doc = NULL;

    if (yaml_read(&doc, r->arena, src, &r->diag) < 0 || !doc)
        return NULL;
    schema_check(doc, r->form, r->raw, &r->diag);
    schema_expand(r->arena, doc, r->form, r->raw, &r->diag);
    return doc;
}

static void check_views(struct run *r, const struct node *doc, const char *text)
{
    auto_str struct str json = STR_INIT, yaml = STR_INIT;

    node_write_json(&json, schema_json_view(r->arena, doc), NODE_JSON_PRETTY);
    yaml_write(&yaml, schema_yaml_view(r->arena, doc));
    auto_json json_t *parsed = json_parse(json.buf, json.len, "view", NULL);
    fuzz_check(parsed || strpbrk(text, "iInN")); /* .inf and .nan are no JSON */
}

static void run(const char *first, const char *second, enum schema_form form, bool raw)
{
    struct run r = { .arena = arena_new(), .form = form, .raw = raw };

    diag_init(&r.diag, r.arena);
    struct node *base = part(&r, first), *over = part(&r, second);
    struct node *doc = schema_merge_documents(r.arena, base, over);
    schema_finish(r.arena, doc, form, raw, &r.diag);
    if (doc && doc->kind == NODE_MAP)
        check_views(&r, doc, first);
    if (doc && !r.diag.errors) {
        struct node *again = node_copy(r.arena, doc);
        schema_expand(r.arena, again, form, raw, &r.diag);
        schema_finish(r.arena, again, form, raw, &r.diag);
        fuzz_check(!r.diag.errors);
        fuzz_check(node_equal(again, doc));
    }
    diag_clear(&r.diag);
    arena_free(r.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    char *cut = strstr(text, "\n%%\n");

    if (cut)
        *cut = '\0';
    const char *second = cut ? cut + 4 : "";
    run(text, second, FORM_COMPOSE, false);
    run(text, second, FORM_COMPOSE, true);
    run(text, second, FORM_NATIVE, false);
    run(text, second, FORM_MANIFEST, false);
    return 0;
}
