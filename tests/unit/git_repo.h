/*
 * Repositories in unit tests: made by the program git in the test's own folder, with no
 * configuration of the user's; checked out by the room git, whose process this program is, too.
 */
#ifndef UNIT_GIT_REPO_H
#define UNIT_GIT_REPO_H

#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/cache.h"
#include "git/checkout.h"
#include "loop/child.h"

#define git_test(fn) cmocka_unit_test_setup_teardown(fn, git_dir_make, unit_dir_remove)

static inline int git_dir_make(void **state)
{
    if (unit_dir_make(state) < 0)
        return -1;
    auto_free char *cache = path_join(*state, "cache"), *home = path_join(*state, "home");
    setenv("STACK_CACHE", cache, 1);
    setenv("HOME", home, 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_AUTHOR_NAME", "a", 1);
    setenv("GIT_AUTHOR_EMAIL", "a@example.org", 1);
    setenv("GIT_COMMITTER_NAME", "a", 1);
    setenv("GIT_COMMITTER_EMAIL", "a@example.org", 1);
    unsetenv("GIT_DIR");
    unsetenv("STACK_GIT_TIMEOUT");
    unsetenv("XDG_CONFIG_HOME");
    return mkdir(home, 0700);
}

/* Runs a shell script that must succeed; what it printed, without the last newline. */
static inline char *sh(const char *script)
{
    const char *const argv[] = { "sh", "-ec", script, NULL };
    struct child_options opt = { .argv = argv, .output_max = 65536, .timeout_ms = 60000 };
    struct child_result result;
    auto_error struct error err = ERROR_INIT;
    auto_(loop_freep) struct loop *l = loop_new();
    if (child_run(&result, l, &opt, &err) < 0)
        fail_msg("%s", err.msg);
    if (result.status != 0)
        fail_msg("%s\n%s%s", script, result.out.buf, result.err.buf);
    str_clear(&result.err);
    char *out = str_detach(&result.out);
    if (str_ends(out, "\n"))
        out[strlen(out) - 1] = 0;
    return out;
}

static inline void run_sh(const char *script)
{
    free(sh(script));
}

/* A repository `name` with one commit: a file, a program, a link. */
static inline void make_origin(const char *name)
{
    auto_free char *script =
        xasprintf("git init -q -b main %s && cd %s && echo one >file && mkdir docstack && "
                  "echo FROM scratch >docstack/Dockerfile && echo x >tool && chmod +x tool && "
                  "ln -s file link && git add . && git commit -qm one",
                  name, name);
    run_sh(script);
}

struct got {
    bool done;
    char *commit, *before, *ref_name, *mirror;
    bool fetched;
    struct error err;
};

static inline void got_clear(struct got *g)
{
    free(g->commit);
    free(g->before);
    free(g->ref_name);
    free(g->mirror);
    error_clear(&g->err);
}
#define auto_got __attribute__((unused, cleanup(got_clear)))

static inline void on_got(void *ctx, const struct repo_got *got, const struct error *err)
{
    struct got *out = ctx;
    out->done = true;
    if (err) {
        error_copy(&out->err, err);
        return;
    }
    out->commit = xstrdup(got->commit);
    out->before = xstrdup(got->before);
    out->ref_name = xstrdup(got->ref_name);
    out->mirror = xstrdup(got->mirror);
    out->fetched = got->fetched;
}

static inline struct got get(struct repo_want want)
{
    struct got out = { 0 };
    auto_(loop_freep) struct loop *l = loop_new();
    if (!want.name)
        want.name = "web";
    repo_checkout_start(l, &want, &(struct repo_handlers){ .done = on_got, .ctx = &out });
    loop_wait(l, &out.done);
    return out;
}

/* The same, where it must succeed. */
static inline struct got get_well(struct repo_want want)
{
    struct got out = get(want);
    if (out.err.kind)
        fail_msg("%s", out.err.msg);
    return out;
}

static inline char *text_of(const char *path)
{
    char *text = NULL;
    size_t n;
    auto_error struct error err = ERROR_INIT;
    if (file_read(&text, &n, path, 1 << 20, &err) < 0)
        fail_msg("%s", err.msg);
    return text;
}

static inline void assert_file(const char *path, const char *wanted)
{
    auto_free char *text = text_of(path);
    assert_string_equal(text, wanted);
}

#endif
