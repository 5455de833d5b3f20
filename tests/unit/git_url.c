/* The forms in which a repository is named. */
#include "unit.h"

#include "git/url.h"

static void check(const char *text, enum repo_url_kind kind, const char *url, const char *key,
                  const char *name)
{
    auto_error struct error err = ERROR_INIT;
    auto_repo_url struct repo_url u = { 0 };
    if (repo_url_parse(&u, text, "/here", &err) < 0)
        fail_msg("'%s': %s", text, err.msg);
    assert_int_equal(u.kind, kind);
    assert_string_equal(u.url, url);
    assert_string_equal(u.key, key);
    assert_string_equal(u.name, name);
}

static void every_form_has_a_url_and_a_key(void **state)
{
    (void)state;
    check("https://opendev.org/openstack/glance", REPO_HTTP, "https://opendev.org/openstack/glance",
          "opendev.org/openstack/glance", "glance");
    check("HTTPS://OpenDev.org:443/openstack/Glance.git/", REPO_HTTP,
          "https://opendev.org:443/openstack/Glance.git/", "opendev.org/openstack/Glance",
          "glance");
    check("http://127.0.0.1:8080/x.git", REPO_HTTP, "http://127.0.0.1:8080/x.git",
          "127.0.0.1:8080/x", "x");
    check("https://[::1]:8443/x", REPO_HTTP, "https://[::1]:8443/x", "[::1]:8443/x", "x");
    check("ssh://git@host.example:22/org/x.git", REPO_SSH, "ssh://git@host.example:22/org/x.git",
          "host.example/org/x", "x");
    check("git@host.example:org/x.git", REPO_SSH, "git@host.example:org/x.git",
          "host.example/org/x", "x");
    check("host:x", REPO_SSH, "host:x", "host/~/x", "x");
    check("me@host:x", REPO_SSH, "me@host:x", "me@host/~/x", "x");
    check("ssh://me@host/~/x", REPO_SSH, "ssh://me@host/~/x", "me@host/~/x", "x");
    check("git+ssh://host:29418/x", REPO_SSH, "ssh://host:29418/x", "host:29418/x", "x");
    check("file:///srv/a%20b.git", REPO_LOCAL, "/srv/a b.git", "/srv/a b.git", "ab");
    check("../x.git", REPO_LOCAL, "/x.git", "/x.git", "x");
    check("./a:b", REPO_LOCAL, "/here/a:b", "/here/a:b", "ab");
}

static void secrets_stand_apart(void **state)
{
    (void)state;
    auto_repo_url struct repo_url u = { 0 };
    assert_int_equal(repo_url_parse(&u, "https://me:s%40cret@host/x", NULL, NULL), 0);
    assert_string_equal(u.user, "me");
    assert_string_equal(u.password, "s@cret");
    assert_string_equal(u.url, "https://host/x");
    assert_string_equal(u.key, "host/x");
    repo_url_clear(&u);
    /* A token alone stands where the user stands. */
    assert_int_equal(repo_url_parse(&u, "https://t0ken@host/x", NULL, NULL), 0);
    assert_string_equal(u.user, "t0ken");
    assert_string_equal(u.url, "https://host/x");
}

static void what_could_be_a_command_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "ext::sh -c id",
        "ext::https://host/x",
        "fd::17/x",
        "git://host/x",
        "ftp://host/x",
        "javascript://host/x",
        "-oProxyCommand=id:x",
        "ssh://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id@host/x",
        "ssh://%2doProxyCommand=id@host/x",
        "host:-x",
        "-u@host:x",
        "https://host",
        "https://host/",
        "https:///x",
        "https://ho st/x",
        "https://host:port/x",
        "https://host:70000/x",
        "https://host/x\n",
        "https://host/%0d%0ax",
        "https://u%00ser@host/x",
        "https://host/x#main",
        "https://host/x?service=y",
        "https://[::1/x",
        "file://host/x",
        "file://x",
        "git@ho$(id)st:x",
        "git@host`id`:x",
    };
    for (size_t i = 0; i < countof(refused); i++) {
        auto_error struct error err = ERROR_INIT;
        struct repo_url u;
        if (repo_url_parse(&u, refused[i], "/here", &err) == 0)
            fail_msg("'%s' was taken", refused[i]);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_non_null(err.hint);
    }
}

static void an_error_does_not_show_the_password(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    struct repo_url u;
    assert_int_equal(repo_url_parse(&u, "https://me:s3cret@ho st/x", "/here", &err), -1);
    assert_null(strstr(err.msg, "s3cret"));
    assert_int_equal(repo_url_parse(&u, "relative", NULL, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_has_a_url_and_a_key),
        cmocka_unit_test(secrets_stand_apart),
        cmocka_unit_test(what_could_be_a_command_is_refused),
        cmocka_unit_test(an_error_does_not_show_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
