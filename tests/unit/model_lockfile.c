/* stack.lock: what is read is what was printed; mistakes have their places; a diff is for people.
 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "model/lockfile.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER "fedcba9876543210fedcba9876543210fedcba98"
#define DIGEST "sha256:" COMMIT "0123456789abcdef01234567"
#define OTHER_DIGEST "sha256:" OTHER "0123456789abcdef01234567"

struct read {
    struct arena *a;
    struct diag d;
    struct lockfile lock;
    int result;
};

static int setup(void **state)
{
    struct read *r = calloc(1, sizeof(*r));
    r->a = arena_new();
    diag_init(&r->d, r->a);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct read *r = *state;
    diag_clear(&r->d);
    arena_free(r->a);
    free(r);
    return 0;
}

static struct lockfile *parse(struct read *r, const char *text)
{
    const struct source *src = source_from_text(r->a, "/x/stack.lock", text, strlen(text));
    r->result = lockfile_parse(&r->lock, r->a, src, &r->d, NULL);
    return &r->lock;
}

static const char complete[] = "# Written by 'stack lock'. 'stack up --locked' brings up exactly "
                               "this.\n"
                               "version: 1\n"
                               "projects:\n"
                               "  base:\n"
                               "    commit: " OTHER "\n"
                               "  nova:\n"
                               "    url: https://example.org/nova\n"
                               "    ref: stable/1\n"
                               "    commit: " COMMIT "\n"
                               "images:\n"
                               "  db:\n"
                               "    image: mariadb:10.11\n"
                               "    digest: " DIGEST "\n"
                               "  here:\n"
                               "    image: made-here\n";

static void what_is_printed_is_read_again(void **state)
{
    struct read *r = *state;
    auto_str struct str text = STR_INIT;
    struct lockfile *l = parse(r, complete);
    assert_int_equal(r->result, 0);
    lockfile_print(&text, l);
    assert_string_equal(text.buf, complete);

    assert_string_equal(lockfile_project(l, "nova")->commit, COMMIT);
    assert_string_equal(lockfile_project(l, "nova")->ref, "stable/1");
    assert_null(lockfile_project(l, "base")->url);
    assert_null(lockfile_project(l, "db"));
    assert_string_equal(lockfile_image(l, "db")->digest, DIGEST);
    assert_null(lockfile_image(l, "here")->digest);
    assert_null(lockfile_image(l, "nova"));
}

static void entries_are_found_in_any_order(void **state)
{
    struct read *r = *state;
    struct lockfile *l = parse(r, "images: {z: {image: z}, a: {image: a}, m: {image: m}}\n"
                                  "version: 1\n");
    assert_int_equal(r->result, 0);
    assert_string_equal(lockfile_image(l, "a")->image, "a");
    assert_string_equal(lockfile_image(l, "z")->image, "z");
    assert_int_equal(l->nprojects, 0);
}

static void mistakes_have_their_places(void **state)
{
    static const struct {
        const char *text, *message;
        int line, column;
    } cases[] = {
        { "", "version 1", 1, 1 },
        { "version: 2\n", "version 1", 1, 1 },
        { "version: 1\nprojekts: {}\n", "unknown key 'projekts'", 2, 1 },
        { "version: 1\nprojects: [x]\n", "expected a map", 2, 11 },
        { "version: 1\nimages: {a: b}\n", "expected a map", 2, 13 },
        { "version: 1\nprojects:\n  a: {url: u}\n", "commit is missing", 3, 3 },
        { "version: 1\nprojects:\n  a: {commit: abc}\n", "40 hexadecimal digits", 3, 15 },
        { "version: 1\nprojects:\n  a: {commit: " COMMIT ", tag: x}\n", "unknown key 'tag'", 3,
          57 },
        { "version: 1\nprojects:\n  a: {commit: " COMMIT ", ref: 1}\n", "a branch or tag", 3, 62 },
        { "version: 1\nimages:\n  a: {image: \"x\\ny\"}\n", "a reference", 3, 14 },
        { "version: 1\nimages:\n  a: {image: x, digest: sha256:12}\n", "sha256:", 3, 25 },
        { "version: 1\nimages:\n  a: {digest: " DIGEST "}\n", "image is missing", 3, 3 },
    };
    struct read *r = *state;
    for (size_t i = 0; i < countof(cases); i++) {
        diag_clear(&r->d);
        diag_init(&r->d, r->a);
        parse(r, cases[i].text);
        if (r->result == 0 || r->d.len == 0)
            fail_msg("no mistake in '%s'", cases[i].text);
        const struct diag_entry *e = &r->d.items[0];
        if (!strstr(e->message, cases[i].message))
            fail_msg("'%s': '%s'", cases[i].text, e->message);
        if (e->span.line != cases[i].line || e->span.column != cases[i].column)
            fail_msg("'%s': at %d:%d", cases[i].text, e->span.line, e->span.column);
    }
}

static void no_file_says_how_to_write_one(void **state)
{
    struct read *r = *state;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(lockfile_read(&r->lock, r->a, "/none/stack.lock", &r->d, &err), -1);
    assert_int_equal(err.kind, ERR_NOFILE);
    assert_non_null(strstr(err.hint, "stack lock"));
}

static void a_diff_says_what_moved(void **state)
{
    struct read *r = *state;
    auto_str struct str text = STR_INIT;
    struct lockfile before = *parse(r, complete);
    struct lockfile after = *parse(r, "version: 1\n"
                                      "projects:\n"
                                      "  glance: {commit: " COMMIT "}\n"
                                      "  nova: {url: https://example.org/nova, ref: stable/2, "
                                      "commit: " OTHER "}\n"
                                      "images:\n"
                                      "  db: {image: mariadb:10.11, digest: " OTHER_DIGEST "}\n"
                                      "  here: {image: elsewhere, digest: " DIGEST "}\n"
                                      "  new: {image: new}\n");
    lockfile_diff(&text, &before, &before);
    assert_int_equal(text.len, 0);
    lockfile_diff(&text, &before, &after);
    assert_string_equal(text.buf,
                        "+ project glance: 0123456789ab (default branch)\n"
                        "~ project nova: 0123456789ab -> fedcba987654 (stable/2)\n"
                        "- project base\n"
                        "~ image db: mariadb:10.11 0123456789ab -> fedcba987654\n"
                        "~ image here: made-here -> elsewhere (no digest) -> 0123456789ab\n"
                        "+ image new: new (no digest)\n");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_is_printed_is_read_again), WITH(entries_are_found_in_any_order),
        WITH(mistakes_have_their_places),    WITH(no_file_says_how_to_write_one),
        WITH(a_diff_says_what_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
