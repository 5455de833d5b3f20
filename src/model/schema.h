/*
 * The schema table: each key of the Compose Specification and of the native form, once.
 *
 * It drives the check of types and unknown keys (with suggestions), the expansion of short forms,
 * merging, defaults, the order and form of `config`, the JSON Schema for editors (`stack schema`),
 * and the reference page docs/reference/stack-file.md. A key is added by one row, and by one row in
 * engine/create.c when it reaches the engine.
 */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "base/str.h"
#include "text/diag.h"
#include "text/node.h"

/* What a value may look like. */
enum shape {
    SHAPE_STRING,
    SHAPE_BOOL,     /* also a string that reads as one */
    SHAPE_INT,      /* also a string */
    SHAPE_NUMBER,   /* also a string */
    SHAPE_BYTES,    /* "64m" or a number */
    SHAPE_DURATION, /* "1m30s" */
    SHAPE_SCALAR,   /* string, number or bool */
    SHAPE_STRINGS,  /* list of strings */
    SHAPE_STRING_OR_STRINGS,
    SHAPE_COMMAND, /* string (split as a shell does) or list */
    SHAPE_MAPPING, /* map of scalars, or list of KEY=VALUE */
    SHAPE_MAP,     /* named entries, each of `keys` */
    SHAPE_OBJECT,  /* fixed keys */
    SHAPE_LIST,    /* list of objects or short forms */
    SHAPE_ANY,
};

/* What a later file does to an earlier one, and `extends` to its base. */
enum merge_rule {
    MERGE_REPLACE, /* the later value */
    MERGE_DEEP,    /* maps key by key */
    MERGE_APPEND,  /* lists one after the other */
    MERGE_UNIQUE,  /* the same, equal ones once */
    MERGE_BY_KEY,  /* lists of objects, equal `identity` replaced: ports, volumes, secrets ... */
    MERGE_MAPPING, /* KEY=VALUE: later value wins */
};

/* What becomes of the key on a single engine. */
enum effect {
    EFFECT_RUNS,     /* reaches the engine or the tool's own behaviour */
    EFFECT_ACCEPTED, /* read, checked, printed; no effect, `why` says why */
    EFFECT_REFUSED,  /* an error when used, `why` says why */
};

struct schema_key;

/* A short form: turns `value` into its long form (a new node in `a`), or returns NULL after adding
 * errors to `d`. */
typedef struct node *schema_expand(struct arena *a, const struct node *value, struct diag *d);

struct schema_keys {
    const struct schema_key *items;
    size_t len;
};

struct schema_key {
    const char *name;
    enum shape shape;
    enum merge_rule merge;
    enum effect effect;
    const char *doc;                /* one sentence */
    const char *why;                /* for ACCEPTED and REFUSED */
    const struct schema_keys *keys; /* OBJECT, MAP, LIST: of the entries */
    schema_expand *expand;          /* or NULL */
    const char *const *values;      /* allowed texts, NULL-terminated, or NULL */
    bool native;                    /* only in the native form (in a Compose file: x-NAME) */
};

extern const struct schema_keys schema_top, schema_service, schema_build, schema_network,
    schema_volume, schema_config, schema_secret;

/*
 * The order in which the loader calls these, for each file: check, expand; then `extends` and
 * `include` are resolved on expanded documents; then the document is merged onto the files before
 * it; after the last file schema_defaults() once. So merging always sees long forms on both sides.
 */

/* What a document is; says which keys may stand in it. */
enum schema_form {
    FORM_COMPOSE,  /* native keys only as x-NAME */
    FORM_NATIVE,   /* stack.yaml: also projects, infrastructure, registry, track */
    FORM_MANIFEST, /* docstack.yaml: services, images, requires and Compose's top keys */
};

/* Checks a whole document: types, unknown keys, values. Everything found is added to d. A value
 * marked !reset is not looked at. */
void schema_check(const struct node *doc, enum schema_form form, struct diag *d);

/* Expands every short form and casts scalars to their type, in place; marks (!reset, !override)
 * stay on the values. Sets nothing that the file does not say beyond what the short form means.
 * Run on checked documents. Of `requires`, `infrastructure` and `projects` the short forms become
 * the long ones ({image: x}, {path: x}). */
void schema_expand_all(struct arena *a, struct node *doc, struct diag *d);

/* Fills in defaults of canonical keys after merging, in place: ports' mode and protocol, targets
 * of secrets, `build.context`, counts of device requests. */
void schema_defaults(struct arena *a, struct node *doc);

/* `over` merged onto `base` (both whole documents, or both one service, both expanded): the
 * result, sharing nodes with both. Marks !reset and !override are obeyed and gone afterwards.
 * `base` may be NULL: then only marks are removed and lists of unique entries made unique. */
struct node *schema_merge_documents(struct arena *a, struct node *base, struct node *over,
                                    struct diag *d);
struct node *schema_merge_services(struct arena *a, struct node *base, struct node *over,
                                   struct diag *d);

/* Printed from the table. */
void schema_print_json(struct str *out);      /* JSON Schema, draft 7, of the native form */
void schema_print_reference(struct str *out); /* Markdown */

#endif
