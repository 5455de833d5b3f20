/*
 * Environment files: `.env`, `env_file:`, `--env-file`. KEY=value, KEY: value, export KEY=...,
 * quotes (single: literal; double: escapes and interpolation), multi-line quoted values, comments,
 * interpolation from earlier lines of the file and from `vars`; as Compose reads them.
 */
#ifndef TEXT_DOTENV_H
#define TEXT_DOTENV_H

#include "base/arena.h"
#include "text/diag.h"
#include "text/interpolate.h"
#include "text/source.h"

struct dotenv_entry {
    const char *name;
    const char *value; /* NULL: a bare name, to be taken from the environment */
    struct span span;
};

struct dotenv {
    VEC(struct dotenv_entry);
};

enum dotenv_format { DOTENV_COMPOSE, DOTENV_RAW /* format: raw: text after '=' as it stands */ };

/* Appends the entries in file order, later ones of a name included; those that are in *out already
 * count as earlier lines. Texts live in the arena, free the vector with vec_free(). `vars` (may be
 * NULL) wins over earlier lines. Names may be empty ("=x") or hold '.', '-', '[', ']', as Compose
 * has it. 0, or -1 when errors were added; *out is then untouched. */
int dotenv_parse(struct dotenv *out, struct arena *a, const struct source *src,
                 enum dotenv_format format, const struct variables *vars, struct diag *d);

#endif
