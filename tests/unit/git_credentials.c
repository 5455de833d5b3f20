/* Passwords from ~/.netrc, and what the shell of an ssh server is given. */
#include "unit.h"

#include "base/cleanup.h"
#include "git/private.h"

static void netrc_is_read_as_others_read_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *user, *password;
    } cases[] = {
        { "machine h login me password pw", "me", "pw" },
        { "machine other login x password y\nmachine H\n\tlogin me\n\tpassword pw\n", "me", "pw" },
        { "machine h password pw login me", "me", "pw" },
        { "machine h password pw", "", "pw" },
        { "machine h login \"m e\" password \"p\\\"w\"", "m e", "p\"w" },
        { "default login me password pw", "me", "pw" },
        { "machine other login x password y default login me password pw", "me", "pw" },
        { "machine h login me password pw default login x password y", "me", "pw" },
        { "machine h account a login me password pw", "me", "pw" },
        { "macdef init\nmachine h login x password y\n\nmachine h login me password pw", "me",
          "pw" },
        { "machine h login me password pw machine h login x password y", "me", "pw" },
        { "", NULL, NULL },
        { "machine h login me", NULL, NULL },
        { "machine hh login me password pw", NULL, NULL },
        { "machine", NULL, NULL },
        { "machine h password", NULL, NULL },
        { "login me password pw", NULL, NULL },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_free char *user = NULL, *password = NULL;
        bool found = netrc_find(&user, &password, cases[i].text, "h");
        if (found != (cases[i].user != NULL))
            fail_msg("%s", cases[i].text);
        if (!found)
            continue;
        assert_string_equal(user, cases[i].user);
        assert_string_equal(password, cases[i].password);
    }
}

static void a_path_reaches_the_other_side_as_it_is(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "/srv/x.git", "git-upload-pack '/srv/x.git'" },
        { "it's", "git-upload-pack 'it'\\''s'" },
        { "a; rm -rf /", "git-upload-pack 'a; rm -rf /'" },
        { "$(id)!", "git-upload-pack '$(id)'\\!''" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_free char *command = ssh_command(cases[i][0]);
        assert_string_equal(command, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netrc_is_read_as_others_read_it),
        cmocka_unit_test(a_path_reaches_the_other_side_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
