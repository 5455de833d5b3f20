/* Projects against a lock file. */
#include "cli/locked.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "git/identity.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct lock_project *)a)->name, ((const struct lock_project *)b)->name);
}

static int changed_locally(const struct project *p, struct error *err)
{
    error_set(err, ERR_CONFLICT, 0, "project '%s' has local changes in '%s'", p->name, p->dir);
    return error_hint(err, "commit or stash them");
}

int locked_projects(struct lockfile *out, struct arena *a, const struct stack *st, bool strict,
                    struct error *err)
{
    out->projects = arena_alloc(a, st->nprojects * sizeof(*out->projects) + 1);
    out->nprojects = 0;
    for (size_t i = 0; i < st->nprojects; i++) {
        const struct project *p = &st->projects[i];
        auto_repo_identity struct repo_identity id = { 0 };
        if (repo_identify(&id, p->dir, REPO_DIRTY, NULL) < 0 || !id.commit)
            continue;
        if (strict && id.dirty)
            return changed_locally(p, err);
        out->projects[out->nprojects++] = (struct lock_project){
            .name = p->name,
            .url = arena_strdup(a, id.origin),
            .ref = p->url ? p->ref : arena_strdup(a, id.branch),
            .commit = arena_strdup(a, id.commit),
        };
    }
    qsort(out->projects, out->nprojects, sizeof(*out->projects), by_name);
    return 0;
}

int locked_check(const struct stack *st, struct error *err)
{
    for (size_t i = 0; i < st->nprojects; i++) {
        const struct project *p = &st->projects[i];
        const struct lock_project *lock = lockfile_project(st->lock, p->name);
        auto_repo_identity struct repo_identity id = { 0 };
        if (!lock)
            continue;
        if (repo_identify(&id, p->dir, REPO_DIRTY, err) < 0)
            return error_wrap(err, "project '%s'", p->name);
        if (id.dirty)
            return changed_locally(p, err);
        if (!str_eq(id.commit, lock->commit)) {
            error_set(err, ERR_CONFLICT, 0, "project '%s' is at commit %.12s, stack.lock has %.12s",
                      p->name, id.commit ? id.commit : "(none)", lock->commit);
            return error_hint(err, "git -C '%s' checkout %.12s", p->dir, lock->commit);
        }
    }
    return 0;
}
