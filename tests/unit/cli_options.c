/* Reading a command line by a table of options. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/strv.h"
#include "cli/options.h"

struct values {
    bool detach, quiet;
    int timeout;
    const char *format, *name;
    struct strv scale;
};
#define OPTIONS values

static const char *const formats[] = { "table", "json", NULL };

static const struct option table[] = {
    ROW_FLAG('d', "detach", detach, ""),
    ROW_FLAG('q', "quiet", quiet, ""),
    ROW_INT('t', "timeout", timeout, "SECONDS", ""),
    ROW_CHOICE(0, "format", format, formats, ""),
    ROW_STRING('n', "name", name, "NAME", COMPLETE_NONE, ""),
    ROW_STRINGS(0, "scale", scale, "SERVICE=NUM", COMPLETE_SERVICE, ""),
};

struct reading {
    struct values values;
    struct strv words, args;
    struct error err;
    int rc, at;
};

/* Reads words that end with NULL. */
static void read_words(struct reading *r, bool stop_at_arg, const char *const *words)
{
    *r = (struct reading){ .words = STRV_INIT, .args = STRV_INIT, .err = ERROR_INIT };
    for (; *words; words++)
        strv_add(&r->words, *words);
    r->rc = options_read(table, countof(table), &r->values, (int)r->words.len, r->words.items,
                         &r->at, stop_at_arg, &r->args, &r->err);
}
#define READ(r, stop, ...) read_words(r, stop, (const char *const[]){ __VA_ARGS__, NULL })

static void clear(struct reading *r)
{
    options_clear(table, countof(table), &r->values);
    strv_clear(&r->args);
    strv_clear(&r->words);
    error_clear(&r->err);
}

static void long_and_short_forms(void **state)
{
    (void)state;
    struct reading r;
    READ(&r, false, "-dq", "-t5", "--name", "a", "web", "--format=json", "db");
    assert_int_equal(r.rc, 0);
    assert_true(r.values.detach && r.values.quiet);
    assert_int_equal(r.values.timeout, 5);
    assert_string_equal(r.values.name, "a");
    assert_string_equal(r.values.format, "json");
    assert_int_equal(r.args.len, 2);
    assert_string_equal(r.args.items[0], "web");
    assert_string_equal(r.args.items[1], "db");
    clear(&r);
    READ(&r, false, "-dt", "7", "-n=b", "--detach=false");
    assert_int_equal(r.rc, 0);
    assert_false(r.values.detach);
    assert_int_equal(r.values.timeout, 7);
    assert_string_equal(r.values.name, "b");
    clear(&r);
}

static void lists_add_up(void **state)
{
    (void)state;
    struct reading r;
    READ(&r, false, "--scale", "web=2", "--scale=db=1");
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.values.scale.len, 2);
    assert_string_equal(r.values.scale.items[0], "web=2");
    assert_string_equal(r.values.scale.items[1], "db=1");
    clear(&r);
}

static void where_options_end(void **state)
{
    (void)state;
    struct reading r;
    READ(&r, false, "-d", "--", "-q", "--name");
    assert_int_equal(r.rc, 0);
    assert_false(r.values.quiet);
    assert_int_equal(r.args.len, 2);
    assert_string_equal(r.args.items[1], "--name");
    clear(&r);
    READ(&r, true, "-d", "web", "ls", "-q");
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.at, 1);
    assert_false(r.values.quiet);
    clear(&r);
    READ(&r, false, "-");
    assert_int_equal(r.rc, 0);
    assert_string_equal(r.args.items[0], "-");
    clear(&r);
}

static void assert_refused(struct reading *r, const char *message)
{
    assert_int_equal(r->rc, -1);
    assert_int_equal(r->err.kind, ERR_USAGE);
    assert_string_equal(r->err.msg, message);
    clear(r);
}

static void mistakes(void **state)
{
    (void)state;
    struct reading r;
    READ(&r, false, "--detatch");
    assert_string_equal(r.err.hint, "did you mean '--detach'?");
    assert_refused(&r, "unknown option '--detatch'");
    READ(&r, false, "--something-else");
    assert_null(r.err.hint);
    assert_refused(&r, "unknown option '--something-else'");
    READ(&r, false, "-dx");
    assert_refused(&r, "unknown option '-x'");
    READ(&r, false, "--name");
    assert_refused(&r, "option '--name' needs a value: --name NAME");
    READ(&r, false, "-t");
    assert_refused(&r, "option '-t' needs a value: -t SECONDS");
    READ(&r, false, "-t", "soon");
    assert_refused(&r, "option '-t' takes a whole number");
    READ(&r, false, "--timeout=99999999999999999999");
    assert_refused(&r, "option '--timeout' takes a whole number");
    READ(&r, false, "--format", "xml");
    assert_refused(&r, "option '--format' takes one of: table, json");
    READ(&r, false, "--detach=maybe");
    assert_refused(&r, "option '--detach' takes true or false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_and_short_forms),
        cmocka_unit_test(lists_add_up),
        cmocka_unit_test(where_options_end),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
