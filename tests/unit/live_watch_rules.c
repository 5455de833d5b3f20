/* Which changes of files lead to what. */
#include "model_stack.h"

#include "live/watch_rules.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

struct made {
    struct loaded loaded;
    struct watch_rules *rules; /* NULL: refused */
    char said[512];
};

/* The rules of all services below `services:`. */
static struct made make(const char *services)
{
    struct made m = { 0 };
    auto_error struct error err = ERROR_INIT;
    auto_free char *text = xasprintf("services:\n%s", services);
    m.loaded = load_text(text);
    assert_string_equal(m.loaded.said, "");
    bool selected[10];
    memset(selected, true, sizeof(selected));
    if (watch_rules_make(&m.rules, m.loaded.stack, selected, &err) < 0)
        snprintf(m.said, sizeof(m.said), "%s", err.msg);
    return m;
}

/* Those of one service that has an image. */
static struct made make_web(const char *watch)
{
    auto_free char *text =
        xasprintf("  web:\n    image: x\n    develop:\n      watch: [%s]\n", watch);
    return make(text);
}

static void drop(struct made *m)
{
    watch_rules_free(m->rules);
    stack_free(m->loaded.stack);
}

static char *absolute(const char *dir, const char *name)
{
    return path_join(dir, name);
}

/* Whether the first rule takes a path. */
static bool takes(const struct made *m, const char *dir, const char *name)
{
    auto_free char *path = absolute(dir, name);
    return watch_rule_matches(&m->rules->items[0], path);
}

static void a_path_falls_under_a_rule(void **state)
{
    put("src/x", "");
    struct made m = make_web("{path: src, target: /app, action: sync}");
    assert_true(takes(&m, *state, "src/x"));
    assert_true(takes(&m, *state, "src/not/there"));
    assert_true(takes(&m, *state, "src"));
    assert_false(takes(&m, *state, "src2/x"));
    assert_false(takes(&m, *state, "x"));
    drop(&m);
}

static void what_editors_leave_is_of_no_interest(void **state)
{
    static const char *const left[] = { ".git/index", "a/.git/HEAD", "a/.b.c.swp",
                                        "a/4913",     "a/b~",        "a/.#b",
                                        "a/#b#",      ".idea/x/y",   "a___jb_tmp___" };
    struct made m = make_web("{path: ., target: /app, action: sync}");
    for (size_t i = 0; i < countof(left); i++)
        assert_false(takes(&m, *state, left[i]));
    assert_true(takes(&m, *state, "a/.gitignore"));
    assert_true(takes(&m, *state, "a/b.swp"));
    drop(&m);
}

static void ignore_and_include_are_relative_to_the_path(void **state)
{
    put("src/x", "");
    struct made m = make_web("{path: src, target: /app, action: sync, "
                             "ignore: [node_modules/, '*.log', '!keep.log', 'deep/**/out']}");
    assert_false(takes(&m, *state, "src/node_modules/a/b"));
    assert_false(takes(&m, *state, "src/x.log"));
    assert_true(takes(&m, *state, "src/keep.log"));
    assert_true(takes(&m, *state, "src/below/x.log"));
    assert_false(takes(&m, *state, "src/deep/a/b/out/c"));
    drop(&m);
    m = make_web("{path: src, target: /app, action: sync, include: ['*.py', 'lib/**/*.so']}");
    assert_true(takes(&m, *state, "src/a.py"));
    assert_false(takes(&m, *state, "src/a.js"));
    assert_false(takes(&m, *state, "src/lib/a.py"));
    assert_true(takes(&m, *state, "src/lib/a/b.so"));
    assert_false(takes(&m, *state, "src"));
    drop(&m);
}

static void the_dockerignore_of_the_build_counts(void **state)
{
    put("app/Dockerfile", "FROM x\n");
    put("app/.dockerignore", "dist\n*.tmp\n!kept.tmp\n");
    put("other/x", "");
    struct made m = make("  web:\n    build: app\n    develop:\n      watch:\n"
                         "        - {path: app/src, target: /s, action: sync}\n"
                         "        - {path: app, action: rebuild}\n"
                         "        - {path: other, target: /o, action: sync}\n");
    auto_free char *dist = absolute(*state, "app/dist/x"), *tmp = absolute(*state, "app/a.tmp"),
                   *kept = absolute(*state, "app/kept.tmp"),
                   *other = absolute(*state, "other/dist");
    assert_false(watch_rule_matches(&m.rules->items[1], dist));
    assert_false(watch_rule_matches(&m.rules->items[1], tmp));
    assert_true(watch_rule_matches(&m.rules->items[1], kept));
    assert_true(watch_rule_matches(&m.rules->items[2], other));
    drop(&m);
}

static void folders_that_nobody_wants_are_skipped(void **state)
{
    put("src/x", "");
    struct made m = make_web("{path: ., target: /app, action: sync, ignore: ['*', '!src/deep']}, "
                             "{path: other/place, action: restart}");
    static const struct {
        const char *name;
        bool skipped;
    } cases[] = { { "x", true },      { "src", false },   { "src/deep", false },
                  { "src/b", true },  { "other", false }, { "other/place/x", false },
                  { "other/b", true } };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_free char *path = absolute(*state, cases[i].name);
        assert_int_equal(watch_rules_skip(m.rules, path), cases[i].skipped);
    }
    drop(&m);
}

static struct watch_batch batch(struct made *m, const char *dir, const char *const *names)
{
    struct watch_batch b;
    struct strmap paths = STRMAP_INIT;
    for (; *names; names++) {
        auto_free char *path = absolute(dir, *names);
        strmap_set(&paths, path, NULL);
    }
    watch_rules_batch(&b, m->rules, &paths);
    strmap_clear(&paths, NULL);
    return b;
}

static void a_batch_is_what_all_rules_ask_for(void **state)
{
    put("src/x", "");
    put("conf", "");
    struct made m = make("  a:\n    image: x\n    develop:\n      watch:\n"
                         "        - {path: src, target: /app/, action: sync}\n"
                         "        - {path: src/sub, action: restart}\n"
                         "        - {path: conf, target: /etc/conf, action: sync+exec,"
                         " exec: {command: c}}\n"
                         "  b:\n    image: x\n    develop:\n      watch:\n"
                         "        - {path: src, target: /other, action: sync+restart}\n"
                         "  c:\n    image: x\n    develop:\n      watch:\n"
                         "        - {path: nothing, action: restart}\n");
    struct watch_batch b =
        batch(&m, *state,
              (const char *const[]){ "src/sub/x", "src/sub-y", "src", "src/sub", "conf", NULL });
    assert_int_equal(b.len, 2);
    const struct watch_work *w = &b.items[0];
    assert_string_equal(w->service->name, "a");
    assert_int_equal(w->does, WATCH_SYNC | WATCH_RESTART | WATCH_EXEC);
    assert_int_equal(w->hooks.len, 1);
    /* The folder that a rule is about has no place; others come before what is in them. */
    static const char *const to[] = { "/app/sub", "/app/sub/x", "/app/sub-y", "/etc/conf" };
    assert_int_equal(w->files.len, countof(to));
    for (size_t i = 0; i < countof(to); i++)
        assert_string_equal(w->files.items[i].to, to[i]);
    assert_string_equal(b.items[1].service->name, "b");
    assert_int_equal(b.items[1].does, WATCH_SYNC | WATCH_RESTART);
    assert_string_equal(b.items[1].files.items[1].to, "/other/sub/x");
    watch_batch_clear(&b);
    b = batch(&m, *state, (const char *const[]){ "elsewhere", NULL });
    assert_int_equal(b.len, 0);
    watch_batch_clear(&b);
    drop(&m);
}

static void the_file_of_a_rule_goes_to_its_target_also_when_it_is_gone(void **state)
{
    put("conf", "");
    put("dir/x", "");
    struct made m = make_web("{path: conf, target: /etc/conf, action: sync}, "
                             "{path: dir, target: /data, action: sync}");
    unlink("conf");
    unlink("dir/x");
    rmdir("dir");
    struct watch_batch b = batch(&m, *state, (const char *const[]){ "conf", "dir", "dir/x", NULL });
    assert_int_equal(b.len, 1);
    assert_int_equal(b.items[0].files.len, 2);
    assert_string_equal(b.items[0].files.items[0].to, "/data/x");
    assert_string_equal(b.items[0].files.items[1].to, "/etc/conf");
    watch_batch_clear(&b);
    drop(&m);
}

static void initial_sync_is_what_is_there(void **state)
{
    (void)state;
    put("src/a/b", "");
    put("src/out/x", "");
    put("late/x", "");
    struct made m =
        make_web("{path: src, target: /app, action: sync, initial_sync: true, ignore: [out]}, "
                 "{path: late, target: /late, action: sync}");
    struct watch_work w;
    watch_rules_initial(&w, m.rules, stack_service(m.loaded.stack, "web"));
    assert_int_equal(w.files.len, 2);
    assert_string_equal(w.files.items[0].to, "/app/a");
    assert_string_equal(w.files.items[1].to, "/app/a/b");
    watch_work_clear(&w);
    drop(&m);
}

static void rules_that_cannot_work_are_said(void **state)
{
    (void)state;
    put("src/x", "");
    static const struct {
        const char *watch, *said;
    } cases[] = {
        { "{path: src, action: rebuild}", "rebuild needs a build: section" },
        { "{path: src, target: /x, action: sync+exec}", "sync+exec needs exec.command" },
        { "{path: src, action: restart, ignore: ['[']}", "rule '['" },
        { "", "none of the services says what to watch" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct made m = make_web(cases[i].watch);
        assert_null(m.rules);
        assert_non_null(strstr(m.said, cases[i].said));
        if (*cases[i].watch)
            assert_non_null(strstr(m.said, ":5:15: develop.watch of service 'web': "));
        drop(&m);
    }
}

static void what_is_mounted_is_not_copied(void **state)
{
    (void)state;
    put("src/deep/x", "");
    struct made m = make("  web:\n    image: x\n    volumes: ['./src:/app']\n"
                         "    develop:\n      watch:\n"
                         "        - {path: src/deep, target: /app/deep, action: sync}\n"
                         "        - {path: src, action: restart}\n");
    assert_int_equal(m.rules->len, 1);
    assert_int_equal(m.rules->items[0].does, WATCH_RESTART);
    assert_int_equal(m.rules->notes.len, 1);
    assert_string_equal(m.rules->notes.items[0],
                        "web: src/deep is not watched, as it is mounted into the container");
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(a_path_falls_under_a_rule),
        with_dir(what_editors_leave_is_of_no_interest),
        with_dir(ignore_and_include_are_relative_to_the_path),
        with_dir(the_dockerignore_of_the_build_counts),
        with_dir(folders_that_nobody_wants_are_skipped),
        with_dir(a_batch_is_what_all_rules_ask_for),
        with_dir(the_file_of_a_rule_goes_to_its_target_also_when_it_is_gone),
        with_dir(initial_sync_is_what_is_there),
        with_dir(rules_that_cannot_work_are_said),
        with_dir(what_is_mounted_is_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
