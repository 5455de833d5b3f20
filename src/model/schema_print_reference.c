/*
 * The table as a page: docs/reference/stack-file.md. A section for each object, in the order in
 * which a reader meets them; what several keys share is explained once and referred to.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "model/schema_run.h"

struct section {
    const struct schema_keys *keys;
    const char *path; /* "services.NAME.build" */
};

struct page {
    struct arena *arena;
    struct str *out;
    VEC(struct section); /* printed or to be printed */
};

static const char *merge_text(const struct schema_key *row)
{
    switch (row->merge) {
    case MERGE_REPLACE:
        return "replaces";
    case MERGE_DEEP:
        return row->shape == SHAPE_MAP ? "by name" : "by key";
    case MERGE_ENTRIES:
        return "by name, the later value";
    case MERGE_SAME_DRIVER:
        return "by key if the driver is the same";
    case MERGE_APPEND:
        return "is appended";
    case MERGE_UNIQUE:
        return "is appended, each once";
    case MERGE_POOLS:
        return "by subnet";
    }
    return "";
}

static const struct section *find_section(const struct page *page, const struct schema_keys *keys)
{
    for (size_t i = 0; i < page->len; i++)
        if (page->items[i].keys == keys)
            return &page->items[i];
    return NULL;
}

static const char *child_path(const struct page *page, const char *path,
                              const struct schema_key *row)
{
    const char *entry = row->shape == SHAPE_MAP ? ".NAME" : row->shape == SHAPE_LIST ? "[]" : "";

    return arena_printf(page->arena, "%s%s%s%s", path, *path ? "." : "", row->name, entry);
}

static void print_values(struct str *out, const char *const *values)
{
    for (size_t i = 0; values[i]; i++)
        str_addf(out, "%s`%s`", i ? ", " : " One of ", values[i]);
    str_addc(out, '.');
}

static void print_row(const struct page *page, const struct schema_key *row)
{
    struct str *out = page->out;
    const struct section *parts = row->keys ? find_section(page, row->keys) : NULL;
    const char *needed = row->flags & KEY_REQUIRED ? " (needed)" : "";
    const char *native = row->flags & KEY_NATIVE ? " (native form)" : "";

    str_addf(out, "| `%s`%s%s | %s | %s | ", row->name, needed, native, schema_shape_text(row),
             merge_text(row));
    str_addf(out,
             row->effect == EFFECT_RUNS       ? "runs"
             : row->effect == EFFECT_ACCEPTED ? "no effect: %s"
                                              : "error: %s",
             row->why);
    str_addf(out, " | %s", row->doc);
    if (row->values && row->shape == SHAPE_STRING)
        print_values(out, row->values);
    if (row->keys && parts)
        str_addf(out, " Its keys: `%s`.", parts->path);
    str_add(out, " |\n");
}

/* Prints one section and adds those of what stands below to the end. */
static void print_section(struct page *page, struct section section)
{
    for (size_t i = 0; i < section.keys->len; i++) {
        const struct schema_key *row = &section.keys->items[i];
        if (row->keys && !find_section(page, row->keys)) {
            const char *path = child_path(page, section.path, row);
            *vec_push(page) = (struct section){ row->keys, path };
        }
    }
    const char *title = *section.path ? section.path : "The top level";
    str_addf(page->out, "\n## %s\n\n", title);
    str_add(page->out, "| key | value | a later file | on one engine | meaning |\n"
                       "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < section.keys->len; i++)
        print_row(page, &section.keys->items[i]);
}

void schema_print_reference(struct str *out)
{
    auto_(arena_freep) struct arena *arena = arena_new();
    struct page page = { .arena = arena, .out = out };

    str_add(out, "# Every key of a stack file\n\n"
                 "Printed from the table that checks, merges and prints stack files "
                 "(`src/model/schema_*.c`): do not edit.\n\n"
                 "Keys that start with `x-` may stand anywhere and are left alone. A service of a "
                 "Compose file has the native keys as `x-ready` and `x-link-environment`.\n");
    *vec_push(&page) = (struct section){ &schema_top, "" };
    for (size_t i = 0; i < page.len; i++)
        print_section(&page, page.items[i]);
    str_add(out,
            "\n# Every key of a project's manifest\n\n"
            "`docstack/docstack.yaml`; what it shares with a stack file is explained there.\n");
    print_section(&page, (struct section){ &schema_manifest, "docstack/docstack.yaml" });
    vec_free(&page);
}
