/* Reading, checking, expanding and finishing small documents, for the tests of the schema. */
#ifndef UNIT_MODEL_SCHEMA_H
#define UNIT_MODEL_SCHEMA_H

#include "unit.h"

#include "base/cleanup.h"
#include "model/schema.h"
#include "text/yaml.h"

struct doc {
    struct arena *arena;
    struct diag diag;
    enum schema_form form;
    bool raw;
    struct node *root;
};

static inline void doc_clear(struct doc *d)
{
    diag_clear(&d->diag);
    arena_free(d->arena);
}
#define auto_doc auto_(doc_clear)

static inline struct doc doc_new(enum schema_form form)
{
    struct doc d = { .arena = arena_new(), .form = form };

    diag_init(&d.diag, d.arena);
    return d;
}

/* The text, read, checked and expanded; mistakes are in d->diag. */
static inline struct node *doc_part(struct doc *d, const char *yaml)
{
    const struct source *src = source_from_text(d->arena, "/s/f.yaml", yaml, strlen(yaml));
    struct node *root = NULL;

    d->diag.arena = d->arena;
    if (yaml_read(&root, d->arena, src, &d->diag) == 0 && root) {
        schema_check(root, d->form, d->raw, &d->diag);
        schema_expand(d->arena, root, d->form, d->raw, &d->diag);
    }
    return root;
}

static inline void doc_finish(struct doc *d)
{
    schema_finish(d->arena, d->root, d->form, d->raw, &d->diag);
}

/* All diagnostics, a line each; owned by the caller. */
static inline char *doc_messages(const struct doc *d)
{
    auto_str struct str out = STR_INIT;

    diag_print(&out, &d->diag, true);
    return str_detach(&out);
}

/* What stands at the dotted path, as JSON ("" when there is nothing); owned by the caller. */
static inline char *doc_json(const struct doc *d, const char *path)
{
    auto_str struct str out = STR_INIT;
    const struct node *n = path ? node_at(d->root, path) : d->root;

    if (n)
        node_write_json(&out, n, NODE_JSON_COMPACT);
    return str_detach(&out);
}

static inline void assert_clean(const struct doc *d, const char *what)
{
    auto_free char *messages = doc_messages(d);

    if (d->diag.errors)
        fail_msg("%s: %s", what, messages);
}

/* Some diagnostic has this text. */
static inline void assert_said(const struct doc *d, const char *what, const char *message)
{
    auto_free char *messages = doc_messages(d);

    if (!strstr(messages, message))
        fail_msg("%s: expected '%s' in: %s", what, message, messages);
}

#endif
