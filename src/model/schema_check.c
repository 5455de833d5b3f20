/*
 * The check of one file as it was written: every key is known, every value has the type and form
 * that its row says. What is missing only shows after merging: schema_finish.c.
 */
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "model/schema_run.h"

static void check_value(const struct schema_run *run, const struct schema_key *row,
                        const struct node *v);

/* Keys of older formats and common slips, with what to write instead. */
static const struct {
    const char *key;
    const char *hint;
} known_slips[] = {
    { "log_driver", "write 'logging: { driver: ... }'" },
    { "log_opt", "write 'logging: { options: ... }'" },
    { "net", "write 'network_mode'" },
    { "dockerfile", "write 'build: { dockerfile: ... }'" },
    { "volume_driver", "name the driver at the top level under 'volumes'" },
    { "memswap", "write 'memswap_limit'" },
    { "mem", "write 'mem_limit'" },
    { "uid", "write 'user'" },
    { "dependencies", "write 'depends_on'" },
    { "env", "write 'environment'" },
};

static void unknown_key(const struct schema_run *run, const struct schema_keys *keys,
                        const struct node *map, size_t i)
{
    const char *key = map->keys[i];
    const struct schema_key *row = schema_find(keys, key);

    run_error(run, map->key_spans[i], "unknown key '%s'", key);
    if (row && keys == &schema_service) {
        auto_free char *dashed = xstrdup(key);
        for (char *p = dashed; *p; p++)
            if (*p == '_')
                *p = '-';
        diag_hint(run->d, "in a Compose file write 'x-%s'", dashed);
        return;
    }
    if (row) {
        diag_hint(run->d, "it belongs to a file with 'projects' or 'infrastructure'");
        return;
    }
    const struct node *value = map->items[i];
    if (keys == &schema_top && (node_get(value, "image") || node_get(value, "build"))) {
        diag_hint(run->d, "services stand below 'services:'");
        return;
    }
    if (keys == &schema_service)
        for (size_t k = 0; k < countof(known_slips); k++)
            if (strcmp(known_slips[k].key, key) == 0) {
                diag_hint(run->d, "%s", known_slips[k].hint);
                return;
            }

    struct {
        VEC(const char *);
    } names = { 0 };
    for (size_t k = 0; k < keys->len; k++)
        if (run->form != FORM_COMPOSE || !(keys->items[k].flags & KEY_NATIVE))
            *vec_push(&names) = keys->items[k].name;
    diag_suggest(run->d, key, names.items, names.len);
    vec_free(&names);
}

static void check_object(const struct schema_run *run, const struct schema_keys *keys,
                         const struct node *map)
{
    node_each (i, map) {
        const struct schema_key *row = run_find(run, keys, map->keys[i]);
        if (row) {
            size_t mark = run_enter(run, map->keys[i]);
            check_value(run, row, map->items[i]);
            run_leave(run, mark);
        } else if (!is_extension(map->keys[i])) {
            unknown_key(run, keys, map, i);
        }
    }
    for (size_t i = 0; i < keys->len; i++)
        if ((keys->items[i].flags & KEY_REQUIRED) && (keys->items[i].flags & KEY_AT_ONCE) &&
            !node_get(map, keys->items[i].name))
            run_error(run, map->span, "'%s' is missing", keys->items[i].name);
}

const char *schema_shape_text(const struct schema_key *row)
{
    bool typed = row->flags & KEY_TYPED;
    bool or_string = row->flags & KEY_OR_STRING, or_strings = row->flags & KEY_OR_STRINGS;

    switch (row->shape) {
    case SHAPE_STRING:
        return row->flags & KEY_NUMBERS ? "a string or number" : "a string";
    case SHAPE_BOOL:
        return row->keys ? "true, false or a mapping" : "true or false";
    case SHAPE_INT:
        return "an integer";
    case SHAPE_NUMBER:
        return "a number";
    case SHAPE_BYTES:
        return typed ? "a size as a string, such as \"64m\"" : "a size, such as 64m";
    case SHAPE_DURATION:
        return "a duration with a unit, such as 1m30s";
    case SHAPE_MODE:
        return "permission bits in octal, such as 0440";
    case SHAPE_SCALAR:
        return "a string, number, true or false";
    case SHAPE_STRINGS:
        return "a list";
    case SHAPE_STRING_OR_STRINGS:
    case SHAPE_COMMAND:
        return "a string or a list of strings";
    case SHAPE_MAPPING:
        return "a mapping, or a list of NAME=VALUE";
    case SHAPE_HOSTS:
        return "a mapping, or a list of HOST=ADDRESS";
    case SHAPE_OPTIONS:
        return "a mapping";
    case SHAPE_MAP:
    case SHAPE_OBJECT:
        return or_string    ? "a string or a mapping"
               : or_strings ? "a list or a mapping"
                            : "a mapping";
    case SHAPE_LIST:
        return or_string ? "a string or a list" : "a list";
    case SHAPE_ANY:
        break;
    }
    return "a value";
}

static void wrong_type(const struct schema_run *run, const struct schema_key *row,
                       const struct node *v)
{
    run_error(run, v->span, "must be %s", schema_shape_text(row));
}

/* An item of a list of strings, or a value of a map of strings. */
static void check_text_item(const struct schema_run *run, const struct schema_key *row,
                            const struct node *v)
{
    bool numbers = row->flags & KEY_NUMBERS;
    bool number = v->kind == NODE_INT || (v->kind == NODE_FLOAT && row->shape == SHAPE_OPTIONS);

    if (v->mark == MARK_RESET || v->kind == NODE_STRING || (numbers && number))
        return;
    if (v->kind == NODE_NULL && row->shape == SHAPE_OPTIONS)
        return;
    run_error(run, v->span, numbers ? "must be a string or number" : "must be a string");
}

static void check_texts(const struct schema_run *run, const struct schema_key *row,
                        const struct node *v)
{
    node_each (i, v) {
        size_t mark = v->kind == NODE_MAP ? run_enter(run, v->keys[i]) : run_enter_item(run, i);
        check_text_item(run, row, v->items[i]);
        run_leave(run, mark);
    }
}

/* NAME=VALUE. Only a blank before '=' is wrong, and where `row` says so a missing '='. */
static void check_pair(const struct schema_run *run, const struct schema_key *row,
                       const struct node *v)
{
    if (v->mark == MARK_RESET || run_is_open(run, v))
        return;
    if (v->kind != NODE_STRING) {
        run_error(run, v->span, "must be a string of the form NAME=VALUE");
        return;
    }
    size_t name = strcspn(v->text, "=");
    bool blank = name && (v->text[name - 1] == ' ' || v->text[name - 1] == '\t');
    /* An unset variable leaves such an item, which Compose lets pass. */
    if (!name)
        run_warning(run, v->span, "the name before '=' is missing");
    else if (blank && (row->flags & KEY_KEEP_NULL))
        run_error(run, v->span, "there is a blank before '='");
    else if ((row->flags & KEY_PAIRS) && !v->text[name])
        run_error(run, v->span, "must be of the form NAME=VALUE");
}

static void check_mapping(const struct schema_run *run, const struct schema_key *row,
                          const struct node *v)
{
    node_each (i, v) {
        const struct node *item = v->items[i];
        if (v->kind == NODE_LIST) {
            size_t mark = run_enter_item(run, i);
            check_pair(run, row, item);
            run_leave(run, mark);
            continue;
        }
        size_t mark = run_enter(run, v->keys[i]);
        if (!v->keys[i][0])
            run_error(run, v->key_spans[i], "a name is empty");
        if (!node_is_scalar(item) && item->mark != MARK_RESET)
            run_error(run, item->span, "must be a string, number, true, false or null");
        run_leave(run, mark);
    }
}

static void check_hosts(const struct schema_run *run, const struct node *v)
{
    node_each (i, v) {
        const struct node *item = v->items[i];
        size_t mark = v->kind == NODE_MAP ? run_enter(run, v->keys[i]) : run_enter_item(run, i);
        bool addresses = v->kind == NODE_MAP && item->kind == NODE_LIST;
        if (item->mark != MARK_RESET && item->kind != NODE_STRING && !addresses)
            run_error(run, item->span, "must be a string");
        node_each (k, addresses ? item : NULL) {
            if (item->items[k]->kind != NODE_STRING)
                run_error(run, item->items[k]->span, "must be a string");
        }
        run_leave(run, mark);
    }
}

static bool is_name(const char *s)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *s && !s[strspn(s, allowed)];
}

static bool short_item(const struct schema_key *row, const struct node *v)
{
    return ((row->flags & KEY_ITEM_STRING) && v->kind == NODE_STRING) ||
           ((row->flags & KEY_ITEM_INT) && v->kind == NODE_INT) || v->mark == MARK_RESET;
}

static const char *item_text(const struct schema_key *row)
{
    if (row->flags & KEY_ITEM_INT)
        return "must be a string, an integer or a mapping";
    return row->flags & KEY_ITEM_STRING ? "must be a string or a mapping" : "must be a mapping";
}

/* The entries of a list of objects or of a map of named objects. */
static void check_entries(const struct schema_run *run, const struct schema_key *row,
                          const struct node *v)
{
    node_each (i, v) {
        const struct node *item = v->items[i];
        bool named = v->kind == NODE_MAP;
        size_t mark = named ? run_enter(run, v->keys[i]) : run_enter_item(run, i);
        if (named && !is_name(v->keys[i]))
            run_error(run, v->key_spans[i], "a name consists of letters, digits and '.', '_', '-'");
        /* A null entry of a map says nothing, which may be enough after merging. */
        if (item->kind == NODE_MAP && item->mark != MARK_RESET)
            check_object(run, row->keys, item);
        else if (!short_item(row, item) && !(named && item->kind == NODE_NULL))
            run_error(run, item->span, "%s", item_text(row));
        run_leave(run, mark);
    }
}

static void check_bounds(const struct schema_run *run, const struct schema_key *row,
                         const struct node *v, double value)
{
    if ((row->min || row->max) && (value < (double)row->min || value > (double)row->max)) {
        if (row->max == INT64_MAX)
            run_error(run, v->span, "must not be less than %lld", (long long)row->min);
        else
            run_error(run, v->span, "must be between %lld and %lld", (long long)row->min,
                      (long long)row->max);
    }
}

static void check_allowed(const struct schema_run *run, const struct schema_key *row,
                          const struct node *v)
{
    auto_str struct str all = STR_INIT;
    size_t n = 0;

    for (; row->values[n]; n++) {
        if (strcmp(row->values[n], v->text) == 0)
            return;
        str_addf(&all, "%s'%s'", n ? ", " : "", row->values[n]);
    }
    run_error(run, v->span, "must be one of %s", all.buf);
}

/* A word that stands for a number: `count: all`. */
static bool is_word(const struct schema_key *row, const struct node *v)
{
    return row->values && v->kind == NODE_STRING && strcasecmp(v->text, row->values[0]) == 0;
}

static void check_scalar(const struct schema_run *run, const struct schema_key *row,
                         const struct node *v)
{
    bool typed = row->flags & KEY_TYPED, text = v->kind == NODE_STRING, ok = true;
    int64_t i = 0;
    double f = 0;
    bool b;

    switch (row->shape) {
    case SHAPE_STRING:
        ok = text || ((row->flags & KEY_NUMBERS) && v->kind == NODE_INT) ||
             (row->expand && v->kind == NODE_BOOL);
        if (ok && text && row->values)
            check_allowed(run, row, v);
        break;
    case SHAPE_BOOL:
        ok = value_bool(&b, v) == 0 && !(typed && text);
        break;
    case SHAPE_INT:
        ok = (value_int(&i, v) == 0 && !(typed && text)) || is_word(row, v);
        f = (double)i;
        break;
    case SHAPE_NUMBER:
        ok = value_number(&f, v) == 0 && !(typed && text);
        break;
    case SHAPE_BYTES:
        ok = value_bytes(&i, v) == 0 && (text || !typed);
        f = (double)i;
        break;
    case SHAPE_DURATION:
        ok = value_duration(&i, v) == 0;
        break;
    case SHAPE_MODE:
        ok = value_mode(&i, v) == 0;
        break;
    default:
        break;
    }
    if (!ok)
        wrong_type(run, row, v);
    else
        check_bounds(run, row, v, f);
    if (ok && row->check)
        row->check(run, v);
}

/* The value of a row with lists or maps of scalars. */
static void check_texts_shape(const struct schema_run *run, const struct schema_key *row,
                              const struct node *v)
{
    bool list = v->kind == NODE_LIST, map = v->kind == NODE_MAP;
    bool string_too = row->shape == SHAPE_STRING_OR_STRINGS || row->shape == SHAPE_COMMAND;
    bool map_only = row->shape == SHAPE_OPTIONS;
    bool map_too = map_only || row->shape == SHAPE_MAPPING || row->shape == SHAPE_HOSTS;

    if (v->kind == NODE_STRING && string_too)
        return;
    if (!(list && !map_only) && !(map && map_too))
        wrong_type(run, row, v);
    else if (row->shape == SHAPE_MAPPING)
        check_mapping(run, row, v);
    else if (row->shape == SHAPE_HOSTS)
        check_hosts(run, v);
    else
        check_texts(run, row, v);
}

static void check_value(const struct schema_run *run, const struct schema_key *row,
                        const struct node *v)
{
    if (v->mark == MARK_RESET || run_is_open(run, v))
        return;
    /* A null is no value: merging takes the other file's; schema_finish() finds what remains. */
    if (v->kind == NODE_NULL) {
        if (row->flags & KEY_AT_ONCE)
            wrong_type(run, row, v);
        return;
    }

    switch (row->shape) {
    case SHAPE_ANY:
        if (row->check)
            row->check(run, v);
        break;
    case SHAPE_OBJECT:
        if (v->kind == NODE_MAP)
            check_object(run, row->keys, v);
        else if (v->kind != NODE_STRING || !(row->flags & KEY_OR_STRING))
            wrong_type(run, row, v);
        break;
    case SHAPE_LIST:
        if (v->kind == NODE_LIST)
            check_entries(run, row, v);
        else if (v->kind != NODE_STRING || !(row->flags & KEY_OR_STRING))
            wrong_type(run, row, v);
        else if (row->values)
            check_allowed(run, row, v);
        break;
    case SHAPE_MAP:
        if (v->kind == NODE_MAP)
            check_entries(run, row, v);
        else if (v->kind == NODE_LIST && (row->flags & KEY_OR_STRINGS))
            check_texts(run, row, v);
        else
            wrong_type(run, row, v);
        break;
    case SHAPE_STRINGS:
    case SHAPE_STRING_OR_STRINGS:
    case SHAPE_COMMAND:
    case SHAPE_MAPPING:
    case SHAPE_OPTIONS:
    case SHAPE_HOSTS:
        check_texts_shape(run, row, v);
        if (row->check)
            row->check(run, v);
        break;
    default:
        if (row->keys && v->kind == NODE_MAP)
            check_object(run, row->keys, v);
        else
            check_scalar(run, row, v);
        break;
    }
}

void schema_check(const struct node *doc, enum schema_form form, bool raw, struct diag *d)
{
    auto_str struct str path = STR_INIT_MAX(4096);
    struct schema_run run = { .d = d, .path = &path, .form = form, .raw = raw };

    if (!doc || doc->kind != NODE_MAP)
        diag_error(d, doc ? doc->span : (struct span){ 0 }, "the file must be a mapping of keys");
    else
        check_object(&run, form == FORM_MANIFEST ? &schema_manifest : &schema_top, doc);
}
