/* Adding a project to a stack file as text. */
#include "unit.h"

#include "base/cleanup.h"
#include "cli/edit.h"

static const struct edit_project git = { .name = "new", .git = "https://h/x", .ref = "main" };
static const struct edit_project folder = { .name = "new", .path = "../x" };

static void check(const char *text, const struct edit_project *p, const char *wanted)
{
    auto_error struct error err = ERROR_INIT;
    auto_str struct str out = STR_INIT;
    if (edit_add_project(&out, text, strlen(text), p, &err) < 0)
        fail_msg("%s\n%s", text, err.msg);
    assert_string_equal(out.buf, wanted);
}

static void the_line_comes_after_the_last_project(void **state)
{
    (void)state;
    check("projects:\n  a: x\n", &folder, "projects:\n  a: x\n  new: ../x\n");
    check("projects:\n  a: x", &git, "projects:\n  a: x\n  new: { git: https://h/x, ref: main }\n");
    check("# top\nname: s\nprojects:   # of ours\n    a:   x # one\n    b:\n        path: y\n\n"
          "        services:\n            b: {}\n        # of b\n\n    # no more\n\n# end\n"
          "services: {}\n",
          &folder,
          "# top\nname: s\nprojects:   # of ours\n    a:   x # one\n    b:\n        path: y\n\n"
          "        services:\n            b: {}\n        # of b\n    new: ../x\n\n    # no more\n\n"
          "# end\nservices: {}\n");
    check("projects:\n  a:\n    path: |\n      # no comment\n      x\n\ninfrastructure: {}\n",
          &folder,
          "projects:\n  a:\n    path: |\n      # no comment\n      x\n  new: ../x\n\n"
          "infrastructure: {}\n");
    check("projects:\n  a: >\n    x\n    # y\n", &folder,
          "projects:\n  a: >\n    x\n    # y\n  new: ../x\n");
    check("projects:\r\n  a: x\r\nname: s\r\n", &folder,
          "projects:\r\n  a: x\r\n  new: ../x\r\nname: s\r\n");
    check("projects:\n  'a b': x\n  \"c\": {git: u,\n    ref: m}\n", &folder,
          "projects:\n  'a b': x\n  \"c\": {git: u,\n    ref: m}\n  new: ../x\n");
}

static void other_forms_of_projects(void **state)
{
    (void)state;
    check("projects:\nname: s\n", &folder, "projects:\n  new: ../x\nname: s\n");
    check("projects: # none yet\n", &folder, "projects: # none yet\n  new: ../x\n");
    check("projects: {}\n", &folder, "projects: { new: ../x }\n");
    check("projects: {a: x}\nname: s\n", &folder, "projects: {a: x, new: ../x}\nname: s\n");
    check(
        "projects: { a: '}', b: { git: \"{\\\"\" } } # x\n", &git,
        "projects: { a: '}', b: { git: \"{\\\"\" }, new: { git: https://h/x, ref: main } } # x\n");
    check("infrastructure:\n  db: x\n", &folder,
          "infrastructure:\n  db: x\n\nprojects:\n  new: ../x\n");
}

static void odd_values_stay_what_they_are(void **state)
{
    (void)state;
    static const struct edit_project cases[] = {
        { .name = "new", .git = "git@h:a/b", .ref = "1.10" },
        { .name = "true", .git = "h:x", .ref = "null" },
        { .name = "a", .path = "./it's, {odd}: #1" },
        { .name = "a", .path = "-x" },
        { .name = "12", .git = "https://h/x", .ref = "0123456" },
        { .name = "a", .git = "https://h/x", .ref = "1e10" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        static const char *const texts[] = { "projects:\n  old: y\n", "projects: {old: y}\n" };
        for (size_t k = 0; k < countof(texts); k++) {
            auto_error struct error err = ERROR_INIT;
            auto_str struct str out = STR_INIT;
            if (edit_add_project(&out, texts[k], strlen(texts[k]), &cases[i], &err) < 0)
                fail_msg("%s: %s", cases[i].name, err.msg);
        }
    }
    /* A '$' is doubled, as a stack file wants it. */
    struct edit_project dollar = { .name = "a", .path = "./$x" };
    auto_str struct str out = STR_INIT;
    assert_int_equal(edit_add_project(&out, "projects:\n  o: y\n", 17, &dollar, NULL), 0);
    assert_string_equal(out.buf, "projects:\n  o: y\n  a: './$$x'\n");
}

static void check_refused(const char *text, enum error_kind kind, const char *said)
{
    auto_error struct error err = ERROR_INIT;
    auto_str struct str out = STR_INIT;
    if (edit_add_project(&out, text, strlen(text), &git, &err) == 0)
        fail_msg("%s", out.buf);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.msg, said))
        fail_msg("%s: %s", text, err.msg);
    assert_int_equal(out.len, 0);
}

static void what_cannot_be_edited_safely_is_refused(void **state)
{
    (void)state;
    check_refused("services: {a: {image: x}}\n", ERR_INPUT, "Compose file");
    check_refused("projects: {new: x}\n", ERR_INPUT, "there is a project 'new' in line 1");
    check_refused("projects: [a]\n", ERR_INPUT, "not a mapping");
    check_refused("projects: {a: x\n", ERR_INPUT, "can be read");
    check_refused("x-p: &p\n  a: x\nprojects: *p\n", ERR_CONFLICT, "safely");
    check_refused("x-p: &p {}\nprojects: *p\n", ERR_CONFLICT, "safely");
    check_refused("projects:\r\r\n a: b\n", ERR_CONFLICT, "safely");
    check_refused("x-p: &p {a: x}\nprojects:\n  <<: *p\n", ERR_CONFLICT, "safely");
    check_refused("{projects: {a: x\n}, name: [\n]}\nx", ERR_INPUT, "can be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_comes_after_the_last_project),
        cmocka_unit_test(other_forms_of_projects),
        cmocka_unit_test(odd_values_stay_what_they_are),
        cmocka_unit_test(what_cannot_be_edited_safely_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
