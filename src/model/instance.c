/* Names and ports of an instance of a stack. */
#include "model/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"
#include "model/loader.h"

#define GIT_FILE_MAX 4096

/* The path that a `.git` file names, made absolute; NULL when it is none. */
static char *read_gitdir(const char *dir, const char *file)
{
    auto_free char *text = NULL;
    size_t len;
    if (file_read(&text, &len, file, GIT_FILE_MAX, NULL) < 0 || !str_starts(text, "gitdir: "))
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    return path_join(dir, text + strlen("gitdir: "));
}

void instance_worktree(struct worktree *out, struct arena *a, const char *dir)
{
    *out = (struct worktree){ 0 };
    for (const char *at = dir;;) {
        auto_free char *file = path_join(at, ".git");
        if (file_is_dir(file))
            return;
        auto_free char *gitdir = file_exists(file) ? read_gitdir(at, file) : NULL;
        if (gitdir) {
            auto_free char *trees = path_dir(gitdir), *common = path_dir(trees);
            if (strcmp(path_base(trees), "worktrees") != 0)
                return; /* of a submodule */
            auto_free char *main = path_dir(common);
            out->name = find_normal_name(a, path_base(gitdir));
            out->top = at;
            out->main = !strcmp(path_base(common), ".git") ? arena_strdup(a, main) : NULL;
            return;
        }
        if (!strcmp(at, "/"))
            return;
        auto_free char *above = path_dir(at);
        at = arena_strdup(a, above);
    }
}

static void rename_key(struct loader *ld, struct node *entry, const char *key)
{
    const char *name = node_text_at(entry, key);
    /* One that was made from the stack's name is the instance's already. */
    if (name && *name && !strstr(name, ld->st->name))
        node_set_string(ld->a, entry, key, arena_printf(ld->a, "%s-%s", name, ld->st->instance));
}

void instance_rename(struct loader *ld, struct node *doc)
{
    static const char *const sections[] = { "networks", "volumes" };
    struct node *services = node_get(doc, "services");
    for (size_t k = 0; k < countof(sections); k++) {
        struct node *section = node_get(doc, sections[k]);
        node_each (i, section)
            if (section->items[i]->kind == NODE_MAP &&
                !node_bool_at(section->items[i], "external", false))
                rename_key(ld, section->items[i], "name");
    }
    node_each (i, services)
        if (services->items[i]->kind == NODE_MAP)
            rename_key(ld, services->items[i], "container_name");
}

static int by_first(const void *a, const void *b)
{
    const struct instance_port *pa = a, *pb = b;
    return pa->first != pb->first ? pa->first - pb->first : pa->last - pb->last;
}

static bool place(struct instance_port *p, bool used[PORT_BLOCK])
{
    int len = p->last - p->first + 1;
    for (int i = 0; i < PORT_BLOCK && len <= PORT_BLOCK; i++) {
        int at = (p->first + i) % PORT_BLOCK, free = 0;
        while (free < len && at + free < PORT_BLOCK && !used[at + free])
            free++;
        if (free < len)
            continue;
        p->offset = at;
        memset(used + at, true, (size_t)len * sizeof(*used));
        return true;
    }
    return false;
}

int instance_ports(struct instance_port **out, size_t *n, const struct stack *st, struct error *err)
{
    struct {
        VEC(struct instance_port);
    } all = { 0 };
    for (size_t i = 0; i < st->nservices; i++)
        for (size_t k = 0; k < st->services[i].nports; k++) {
            struct instance_port p = { 0 };
            if (port_numbers(&p.first, &p.last, st->services[i].ports[k].published))
                *vec_push(&all) = p;
        }
    if (all.len)
        qsort(all.items, all.len, sizeof(*all.items), by_first);
    bool used[PORT_BLOCK] = { false };
    size_t kept = 0;
    for (size_t i = 0; i < all.len; i++) {
        if (kept && by_first(&all.items[kept - 1], &all.items[i]) == 0)
            continue;
        all.items[kept++] = all.items[i];
        if (!place(&all.items[kept - 1], used)) {
            vec_free(&all);
            error_set(err, ERR_INPUT, 0,
                      "instance '%s': the stack publishes more host ports than the %d of an "
                      "instance",
                      st->instance, PORT_BLOCK);
            return error_hint(err, "let the engine choose some: '80' instead of '8080:80'");
        }
    }
    *out = all.items;
    *n = kept;
    return 0;
}

static const char *moved(struct stack *st, const char *published, const struct instance_port *ports,
                         size_t n, int block)
{
    struct instance_port key = { 0 };
    if (!port_numbers(&key.first, &key.last, published))
        return published;
    const struct instance_port *p = bsearch(&key, ports, n, sizeof(*ports), by_first);
    int first = block + p->offset;
    return p->first == p->last
               ? arena_printf(st->arena, "%d", first)
               : arena_printf(st->arena, "%d-%d", first, first + p->last - p->first);
}

void instance_move_ports(struct stack *st, const struct instance_port *ports, size_t n, int block)
{
    st->port_block = block;
    for (size_t i = 0; i < st->nservices; i++) {
        const struct service *s = &st->services[i];
        const struct node *list = node_get(s->config, "ports");
        for (size_t k = 0; k < s->nports; k++) {
            struct port *p = (struct port *)(uintptr_t)&s->ports[k];
            if (!*p->published)
                continue;
            p->published = moved(st, p->published, ports, n, block);
            node_set_string(st->arena, list->items[k], "published", p->published);
        }
    }
    hash_stack(st);
}
