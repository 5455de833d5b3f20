/*
 * Mounts and devices. [SOURCE:]TARGET[:OPTIONS] with what Compose makes of it: a source that starts
 * with '.', '/' or '~' is a path of the host, another one a volume. A single letter before a colon
 * is a Windows drive to Compose, so a volume needs a name of two letters.
 */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "model/schema_run.h"

/* At most three sections; the last one holds options. */
struct sections {
    char *items[3];
    size_t len;
};

static bool is_drive(const char *section, const char *p)
{
    return *p == ':' && p == section + 1 && isalpha((unsigned char)section[0]);
}

/* The end of the section that starts at p: the next colon outside of ${...}, be it a variable or
 * what $${...} stands for. */
static char *section_end(char *p)
{
    const char *start = p;
    int depth = 0;

    for (; *p; p++) {
        if (p[0] == '$' && p[1] == '{')
            depth++;
        else if (*p == '}' && depth > 0)
            depth--;
        else if (*p == ':' && depth == 0 && !is_drive(start, p))
            break;
    }
    return p;
}

static const char *cut_sections(struct sections *out, char *text)
{
    for (char *p = text;; p++) {
        char *end = section_end(p);
        bool last = !*end;
        if (end == p)
            return "there is an empty section between colons";
        if (out->len == countof(out->items))
            return "there are too many colons";
        *end = '\0';
        out->items[out->len++] = p;
        p = end;
        if (last)
            return NULL;
    }
}

static bool is_host_path(const char *source)
{
    return strchr("./~", source[0]) || (source[0] == '\\' && source[1] == '\\') ||
           (source[0] && is_drive(source, source + 1));
}

static struct node *sub_map(struct arena *a, struct node *map, const char *key)
{
    struct node *sub = node_get(map, key);

    if (!sub) {
        sub = node_new(a, NODE_MAP, map->span);
        node_set(a, map, key, sub);
    }
    return sub;
}

/* "ro", "z", "rshared" ...; others are ignored, as "cached" is. */
static void set_option(struct arena *a, struct node *map, const char *option)
{
    static const char *const propagations[] = { "rprivate", "private", "rshared",
                                                "shared",   "rslave",  "slave" };

    if (strcmp(option, "ro") == 0 || strcmp(option, "rw") == 0) {
        node_set(a, map, "read_only", node_bool(a, option[1] == 'o', map->span));
    } else if (strcmp(option, "nocopy") == 0) {
        node_set(a, sub_map(a, map, "volume"), "nocopy", node_bool(a, true, map->span));
    } else if (strcasecmp(option, "z") == 0) {
        node_set_string(a, sub_map(a, map, "bind"), "selinux", option);
    } else {
        for (size_t i = 0; i < countof(propagations); i++)
            if (strcmp(option, propagations[i]) == 0)
                node_set_string(a, sub_map(a, map, "bind"), "propagation", option);
    }
}

static void set_target(struct arena *a, struct node *map, const char *target)
{
    auto_free char *clean = path_clean(target);

    node_set_string(a, map, "target", clean);
}

struct node *expand_mount(const struct schema_run *run, struct node *v)
{
    struct arena *a = run->arena;
    struct sections s = { .len = 0 };

    if (v->kind != NODE_STRING)
        return v;
    struct node *map = node_new(a, NODE_MAP, v->span);
    if (!v->text[0]) {
        run_error(run, v->span, "the mount is empty");
        return NULL;
    }
    if (strlen(v->text) < 3) {
        node_set_string(a, map, "type", "volume");
        set_target(a, map, v->text);
        return map;
    }
    const char *wrong = cut_sections(&s, arena_strdup(a, v->text));
    if (wrong) {
        run_error(run, v->span, "%s", wrong);
        diag_hint(run->d, "a mount is written [SOURCE:]TARGET[:OPTIONS]");
        return NULL;
    }
    const char *source = s.len > 1 ? s.items[0] : "";
    const char *target = s.items[s.len > 1];
    bool bind = *source && is_host_path(source);
    if (s.len == 1 && is_drive(target, target + 1))
        run_warning(run, v->span, "a single letter before ':' is a Windows drive, not a volume");

    node_set_string(a, map, "type", bind ? "bind" : "volume");
    if (*source)
        node_set_string(a, map, "source", source);
    set_target(a, map, target);
    if (s.len > 2)
        for (char *rest = s.items[2], *option; (option = strsep(&rest, ","));)
            set_option(a, map, option);
    struct node *sub = sub_map(a, map, bind ? "bind" : "volume");
    if (bind)
        node_set(a, sub, "create_host_path", node_bool(a, true, v->span));
    return map;
}

/* HOST[:CONTAINER[:PERMISSIONS]] */
struct node *expand_device(const struct schema_run *run, struct node *v)
{
    struct sections s = { .len = 0 };
    struct arena *a = run->arena;

    if (v->kind != NODE_STRING || run_is_open(run, v))
        return v;
    for (char *rest = arena_strdup(a, v->text), *part; (part = strsep(&rest, ":"));) {
        if (s.len == countof(s.items)) {
            run_error(run, v->span, "there are too many colons");
            diag_hint(run->d, "a device is written HOST[:CONTAINER[:PERMISSIONS]]");
            return NULL;
        }
        s.items[s.len++] = part;
    }
    struct node *map = node_new(a, NODE_MAP, v->span);
    node_set_string(a, map, "source", s.items[0]);
    node_set_string(a, map, "target", s.len > 1 && *s.items[1] ? s.items[1] : s.items[0]);
    node_set_string(a, map, "permissions", s.len > 2 ? s.items[2] : "rwm");
    return map;
}
