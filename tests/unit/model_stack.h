/*
 * Loading stacks in unit tests: files are written into the test's own folder (unit.h), loaded with
 * no variables but those that the test gives, and what was reported is kept as text.
 */
#ifndef UNIT_MODEL_STACK_H
#define UNIT_MODEL_STACK_H

#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "model/load.h"

/* Writes a file below the current folder, its folders included. */
static inline void put(const char *path, const char *text)
{
    auto_free char *dir = path_dir(path);
    assert_int_equal(file_mkdirs(dir, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

struct loaded {
    struct stack *stack; /* NULL: it did not load */
    char said[8192];     /* diagnostics, then the error and its hint, a line each */
    enum error_kind kind;
};

static inline struct loaded load_with(struct load_options opt)
{
    static const char *const nothing[] = { NULL };
    struct loaded out = { 0 };
    auto_(arena_freep) struct arena *a = arena_new();
    auto_error struct error err = ERROR_INIT;
    auto_str struct str said = STR_INIT;
    struct diag d;
    diag_init(&d, a);
    if (!opt.environ)
        opt.environ = nothing;
    int rc = stack_load(&out.stack, &opt, &d, &err);
    assert_int_equal(rc, out.stack ? 0 : -1);
    diag_print(&said, &d, true);
    if (rc < 0)
        str_addf(&said, "%s\n", err.msg);
    if (err.hint)
        str_addf(&said, "%s\n", err.hint);
    snprintf(out.said, sizeof(out.said), "%s", said.buf);
    out.kind = err.kind;
    diag_clear(&d);
    return out;
}

/* Of the folder as it stands. */
static inline struct loaded load_here(void)
{
    return load_with((struct load_options){ 0 });
}

static inline struct loaded load_text(const char *text)
{
    put("compose.yaml", text);
    return load_here();
}

static inline void loaded_clear(struct loaded *l)
{
    stack_free(l->stack);
    l->stack = NULL;
}
#define auto_loaded __attribute__((unused, cleanup(loaded_clear)))

static inline const struct service *service(const struct loaded *l, const char *name)
{
    if (!l->stack)
        fail_msg("did not load: %s", l->said);
    const struct service *s = stack_service(l->stack, name);
    if (!s)
        fail_msg("there is no service '%s'", name);
    return s;
}

static inline void assert_said(const struct loaded *l, const char *part)
{
    if (!strstr(l->said, part))
        fail_msg("wanted: %s\ngot: %s", part, l->said);
}

/* It failed, and this is one of the lines of why. */
static inline void assert_refused(const struct loaded *l, const char *part)
{
    if (l->stack)
        fail_msg("loaded, but should say: %s", part);
    assert_said(l, part);
}

#define stack_test(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

#endif
