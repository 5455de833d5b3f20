/* The walk's place, its messages, and looking up rows. See schema_run.h. */
#include "model/schema_run.h"

#include <string.h>

#include "base/safe.h"

size_t run_enter(const struct schema_run *run, const char *key)
{
    size_t mark = run->path->len;

    if (mark)
        str_addc(run->path, '.');
    safe_add(run->path, key, strlen(key), SAFE_LINE);
    return mark;
}

size_t run_enter_item(const struct schema_run *run, size_t index)
{
    size_t mark = run->path->len;

    str_addf(run->path, "[%zu]", index);
    return mark;
}

void run_leave(const struct schema_run *run, size_t mark)
{
    str_truncate(run->path, mark);
}

__attribute__((format(printf, 3, 0))) static const char *message(struct str *text,
                                                                 const struct schema_run *run,
                                                                 const char *fmt, va_list ap)
{
    if (run->path->len)
        str_addf(text, "%s: ", run->path->buf);
    str_vaddf(text, fmt, ap);
    return text->buf;
}

void run_error(const struct schema_run *run, struct span at, const char *fmt, ...)
{
    auto_str struct str text = STR_INIT_MAX(4096);
    va_list ap;

    va_start(ap, fmt);
    diag_error(run->d, at, "%s", message(&text, run, fmt, ap));
    va_end(ap);
}

void run_warning(const struct schema_run *run, struct span at, const char *fmt, ...)
{
    auto_str struct str text = STR_INIT_MAX(4096);
    va_list ap;

    va_start(ap, fmt);
    diag_warning(run->d, at, "%s", message(&text, run, fmt, ap));
    va_end(ap);
}

bool run_is_open(const struct schema_run *run, const struct node *n)
{
    return run->raw && n->kind == NODE_STRING && strchr(n->text, '$');
}

const struct schema_key *schema_find(const struct schema_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->len; i++)
        if (keys->items[i].name[0] == name[0] && strcmp(keys->items[i].name, name) == 0)
            return &keys->items[i];
    return NULL;
}

/* Whether `name` is `key` with '-' where that has '_'. */
static bool same_but_dashes(const char *name, const char *key)
{
    while (*name && (*name == *key || (*name == '-' && *key == '_'))) {
        name++;
        key++;
    }
    return *name == *key;
}

const struct schema_key *run_find(const struct schema_run *run, const struct schema_keys *keys,
                                  const char *name)
{
    if (is_extension(name)) {
        /* Elsewhere x- keys are free: x-registry is as likely a place for an anchor. */
        for (size_t i = 0; keys == &schema_service && i < keys->len; i++)
            if ((keys->items[i].flags & KEY_NATIVE) &&
                same_but_dashes(name + 2, keys->items[i].name))
                return &keys->items[i];
        return NULL;
    }
    const struct schema_key *row = schema_find(keys, name);
    bool hidden = row && (row->flags & KEY_NATIVE) && run->form == FORM_COMPOSE;
    return hidden ? NULL : row;
}

struct node *schema_native(const struct node *map, const char *key)
{
    struct node *found = node_get(map, key);

    for (size_t i = 0; !found && map && map->kind == NODE_MAP && i < map->len; i++)
        if (is_extension(map->keys[i]) && same_but_dashes(map->keys[i] + 2, key))
            found = map->items[i];
    return found;
}
