/*
 * The schema table: each key of the Compose Specification and of the native form, once.
 *
 * It drives the check of types and unknown keys (with suggestions), the expansion of short forms,
 * merging, defaults, the order and form of `config`, the JSON Schema for editors (`stack schema`),
 * and the reference page docs/reference/stack-file.md. A key is added by one row, and by one row in
 * engine/create.c when it reaches the engine.
 *
 * What the loader does with one document, in this order:
 *
 *     each file      schema_check()    mistakes of the file as it was written
 *                    schema_expand()   short forms become long forms; nothing is filled in
 *     over files     schema_merge_services() for `extends`, schema_merge_documents() for several -f
 *     the result     schema_finish()   what only the whole shows, defaults, types, order
 *
 * Expanded trees are what merging, `extends`, path resolution and `include` work on: an absent key
 * still means "not said". Finished trees are canonical: what `config` prints (schema_json_view()),
 * what the structs are taken from and hashes are made of. A finished tree is also an expanded one
 * (finishing twice changes nothing), so that an included document can be finished on its own.
 *
 * All functions take any tree, however wrong. In an expanded tree every list, map and object of the
 * table is one (or null): what is not, which schema_check() reported, is gone. Scalars of a wrong
 * type stay.
 */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "base/str.h"
#include "base/strv.h"
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
    SHAPE_MODE,     /* permission bits: a number, or an octal string */
    SHAPE_SCALAR,   /* string, number or bool */
    SHAPE_STRINGS,  /* list of strings */
    SHAPE_STRING_OR_STRINGS,
    SHAPE_COMMAND, /* string (split as a shell does) or list; null: the image's */
    SHAPE_MAPPING, /* map of scalars, or list of KEY=VALUE */
    SHAPE_OPTIONS, /* map of strings */
    SHAPE_HOSTS,   /* host names and their addresses: list of HOST=ADDRESS, or a map */
    SHAPE_MAP,     /* named entries, each of `keys` */
    SHAPE_OBJECT,  /* fixed keys */
    SHAPE_LIST,    /* list of objects or short forms */
    SHAPE_ANY,
};

/* What a later file does to an earlier one, and `extends` to its base. */
enum merge_rule {
    MERGE_REPLACE,     /* the later value */
    MERGE_DEEP,        /* maps key by key */
    MERGE_ENTRIES,     /* maps: each entry of the later one replaces the one of its name */
    MERGE_SAME_DRIVER, /* maps key by key, unless both name a different `driver` */
    MERGE_APPEND,      /* lists one after the other */
    MERGE_UNIQUE,      /* the same; of entries with the same identity the later one stays */
    MERGE_POOLS,       /* address pools, by subnet */
};

/* What becomes of the key on a single engine. */
enum effect {
    EFFECT_RUNS,     /* reaches the engine or the tool's own behaviour */
    EFFECT_ACCEPTED, /* read, checked, printed; no effect, `why` says why */
    EFFECT_REFUSED,  /* an error when used, `why` says why */
};

/* More about the values of a key. */
enum schema_flag {
    KEY_NATIVE = 1 << 0,       /* only in the native form; a service of a Compose file has x-NAME */
    KEY_REQUIRED = 1 << 1,     /* its object needs it */
    KEY_NULL = 1 << 2,         /* may be null */
    KEY_ZERO = 1 << 3,         /* 0, false and "" mean something other than leaving it out */
    KEY_TYPED = 1 << 4,        /* no string in place of the bool or number; BYTES: no number */
    KEY_DISTINCT = 1 << 5,     /* items that repeat are a mistake */
    KEY_NUMBERS = 1 << 6,      /* items or values may also be numbers */
    KEY_KEEP_NULL = 1 << 7,    /* MAPPING: NAME without a value stays null (taken from outside) */
    KEY_OR_STRING = 1 << 8,    /* short form: a string */
    KEY_OR_STRINGS = 1 << 9,   /* short form: a list of strings */
    KEY_ITEM_STRING = 1 << 10, /* short form of an entry: a string */
    KEY_ITEM_INT = 1 << 11,    /* short form of an entry: an integer */
    KEY_ITEM_NULL = 1 << 12,   /* an entry may be null */
    KEY_PAIRS = 1 << 13,       /* MAPPING: in a list, each item needs its '=' */
    KEY_AT_ONCE =
        1 << 14, /* used before merging: null, or a missing REQUIRED, is an error at once */
};

/* The form that a document is written in. */
enum schema_form {
    FORM_COMPOSE,
    FORM_NATIVE,   /* also projects, infrastructure, ... */
    FORM_MANIFEST, /* docstack/docstack.yaml */
};

struct schema_run;
struct schema_key;

/* A short form: the long form of `value` in the arena (or `value` itself). NULL when errors were
 * added and nothing can be made of it. */
typedef struct node *schema_expander(const struct schema_run *run, struct node *value);
/* A further check of one value. */
typedef void schema_checker(const struct schema_run *run, const struct node *value);
/* Completes one object of the merged document. */
typedef void schema_finisher(const struct schema_run *run, struct node *map);
/* Appends what makes an entry of a list the same entry as another. */
typedef void schema_identity(struct str *out, const struct node *item);

struct schema_keys {
    const struct schema_key *items;
    size_t len;
    schema_finisher *finish; /* defaults, and what the keys together must be; or NULL */
};

struct schema_key {
    const char *name;
    enum shape shape;
    enum merge_rule merge;
    enum effect effect;
    unsigned flags;
    const char *doc;                /* one sentence */
    const char *why;                /* for ACCEPTED and REFUSED */
    const struct schema_keys *keys; /* OBJECT, MAP, LIST: of the entries */
    const char *const *values;      /* allowed texts, NULL-terminated, or NULL */
    schema_expander *expand;        /* the whole value, or NULL */
    schema_expander *expand_item;   /* each entry of a LIST or MAP, or NULL */
    schema_checker *check;          /* or NULL */
    schema_identity *identity;      /* UNIQUE; NULL: the text before '=' */
    int64_t min, max;               /* INT, NUMBER, BYTES: bounds, both 0: none */
};

extern const struct schema_keys schema_top, schema_manifest, schema_service, schema_build,
    schema_network, schema_volume, schema_config, schema_secret;

/* The row, or NULL. */
const struct schema_key *schema_find(const struct schema_keys *keys, const char *name);

/* Checks one document as written: types, unknown keys, values. Everything found is added to d.
 * `raw`: variables were not replaced (`config --no-interpolate`), text with '$' is not looked into.
 * Nodes marked !reset are not looked at. */
void schema_check(const struct node *doc, enum schema_form form, bool raw, struct diag *d);

/* Turns every short form into its long form, in place: lists of KEY=VALUE into maps, ports,
 * volumes, build, depends_on, networks, env_file, ulimits, extends, include ... Marks stay. */
void schema_expand(struct arena *a, struct node *doc, enum schema_form form, bool raw,
                   struct diag *d);

/* `over` merged onto `base`: expanded trees, both whole documents or both one service. The result
 * shares nodes with both, which must not be used afterwards (node_copy() a base that is needed
 * again). Either may be NULL. Marks !reset and !override of `over` are obeyed, those of `base` are
 * dropped. A merged service keeps the marks of `over` (they also count for the files before), a
 * merged document has none. */
struct node *schema_merge_documents(struct arena *a, struct node *base, struct node *over);
struct node *schema_merge_services(struct arena *a, struct node *base, struct node *over);

/* Makes an expanded and merged document canonical, in place: marks and `version` go, required keys
 * and what excludes each other are checked, scalars get their type ("64m" -> "67108864", "90s" ->
 * "1m30s", "yes" -> true), defaults are filled in, what is empty and means nothing goes, keys come
 * in the order of the table, names sorted. Relative paths are not touched. */
void schema_finish(struct arena *a, struct node *doc, enum schema_form form, bool raw,
                   struct diag *d);

/* Adds an error for each key of a canonical service that cannot run on an engine (EFFECT_REFUSED):
 * `config` shows such services, `up` must not pass them by. */
void schema_refuse(const struct node *service, const char *name, struct diag *d);

/* Adds the words of a command, split as Compose does it: quotes and backslashes, no expansions. -1:
 * quotes or brackets that do not close. */
int schema_split(struct strv *out, const char *text);

/* A native key of a service in either spelling: `ready`, or `x-ready` in a Compose file. NULL: not
 * there. */
struct node *schema_native(const struct node *map, const char *key);

/* The canonical document as `config` shows it, a copy: env_file and ssh in short form. JSON also
 * has `command: null` and the like, names sorted, x- keys at the top level only. */
struct node *schema_json_view(struct arena *a, const struct node *doc);
struct node *schema_yaml_view(struct arena *a, const struct node *doc);

/* Printed from the table. */
void schema_print_json(struct str *out);      /* JSON Schema, draft 7, of the native form */
void schema_print_reference(struct str *out); /* Markdown */

#endif
