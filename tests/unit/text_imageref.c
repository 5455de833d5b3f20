/* Image references. */
#include "unit.h"

#include "base/cleanup.h"
#include "text/imageref.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX32 HEX32

static void references_get_their_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct imageref want;
    } cases[] = {
        { "busybox",
          { "docker.io", "library/busybox", "latest", NULL, "busybox:latest", "busybox" } },
        { "busybox:1.36",
          { "docker.io", "library/busybox", "1.36", NULL, "busybox:1.36", "busybox" } },
        { "library/busybox",
          { "docker.io", "library/busybox", "latest", NULL, "busybox:latest", "busybox" } },
        { "docker.io/busybox",
          { "docker.io", "library/busybox", "latest", NULL, "busybox:latest", "busybox" } },
        { "index.docker.io/library/busybox",
          { "docker.io", "library/busybox", "latest", NULL, "busybox:latest", "busybox" } },
        { "bitnami/redis:7",
          { "docker.io", "bitnami/redis", "7", NULL, "bitnami/redis:7", "bitnami/redis" } },
        { "library/a/b",
          { "docker.io", "library/a/b", "latest", NULL, "library/a/b:latest", "library/a/b" } },
        { "localhost/x",
          { "localhost", "x", "latest", NULL, "localhost/x:latest", "localhost/x" } },
        { "localhost:5000/x:1",
          { "localhost:5000", "x", "1", NULL, "localhost:5000/x:1", "localhost:5000/x" } },
        { "host:5000/x/y:1",
          { "host:5000", "x/y", "1", NULL, "host:5000/x/y:1", "host:5000/x/y" } },
        { "ghcr.io/o/i@" SHA256,
          { "ghcr.io", "o/i", NULL, SHA256, "ghcr.io/o/i@" SHA256, "ghcr.io/o/i" } },
        { "busybox:1@" SHA256,
          { "docker.io", "library/busybox", "1", SHA256, "busybox:1@" SHA256, "busybox" } },
        { "[2001:db8::1]:80/x",
          { "[2001:db8::1]:80", "x", "latest", NULL, "[2001:db8::1]:80/x:latest",
            "[2001:db8::1]:80/x" } },
        { "docker.io/a.b/c",
          { "docker.io", "a.b/c", "latest", NULL, "docker.io/a.b/c:latest", "docker.io/a.b/c" } },
        { "Host/x", { "Host", "x", "latest", NULL, "Host/x:latest", "Host/x" } },
        { "foo/a.b__c---d_e:T_.-1",
          { "docker.io", "foo/a.b__c---d_e", "T_.-1", NULL, "foo/a.b__c---d_e:T_.-1",
            "foo/a.b__c---d_e" } },
        { "localhost",
          { "docker.io", "library/localhost", "latest", NULL, "localhost:latest", "localhost" } },
        { HEX32, { "docker.io", "library/" HEX32, "latest", NULL, HEX32 ":latest", HEX32 } },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        auto_(arena_freep) struct arena *a = arena_new();
        auto_error struct error err = ERROR_INIT;
        struct imageref got;
        const struct imageref *want = &cases[i].want;

        if (imageref_parse(&got, a, cases[i].text, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.msg);
        assert_string_equal(got.domain, want->domain);
        assert_string_equal(got.path, want->path);
        assert_string_equal(got.tag ? got.tag : "", want->tag ? want->tag : "");
        assert_string_equal(got.digest ? got.digest : "", want->digest ? want->digest : "");
        assert_string_equal(got.familiar, want->familiar);
        assert_string_equal(got.name, want->name);
    }
}

static void broken_rules_are_named(void **state)
{
    (void)state;
    char longest[300];
    static const struct {
        const char *text;
        const char *rule;
    } cases[] = {
        { "", "is empty" },
        { HEX32 HEX32, "64 hexadecimal digits" },
        { "BusyBox", "must be lowercase" },
        { "ghcr.io/O/i", "must be lowercase" },
        { "a//b", "parts of the repository name" },
        { "/a", "parts of the repository name" },
        { "a/", "parts of the repository name" },
        { "-a", "parts of the repository name" },
        { "a..b", "parts of the repository name" },
        { "a___b", "parts of the repository name" },
        { "a b", "parts of the repository name" },
        { "caf\xC3\xA9", "parts of the repository name" },
        { "a:", "a tag takes" },
        { "a:-x", "a tag takes" },
        { "a:x y", "a tag takes" },
        { "a:b:c", "a tag takes" },
        { "a@sha256:123", "a digest is" },
        { "a@md5:" HEX32, "a digest is" },
        { "a@", "a digest is" },
        { "host:x/a", "no host name" },
        { "-host.x/a", "no host name" },
        { "host-.x/a", "no host name" },
        { "host..x/a", "no host name" },
        { "host.-x/a", "no host name" },
        { "host./a", "no host name" },
        { "[::1/a", "no host name" },
        { "a_b.c/d", "no host name" },
        { "https://host.x/a", "no host name" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        auto_(arena_freep) struct arena *a = arena_new();
        auto_error struct error err = ERROR_INIT;
        struct imageref r;

        assert_int_equal(imageref_parse(&r, a, cases[i].text, &err), -1);
        assert_int_equal(err.kind, ERR_INPUT);
        if (!strstr(err.msg, cases[i].rule))
            fail_msg("%s: %s", cases[i].text, err.msg);
    }

    auto_(arena_freep) struct arena *a = arena_new();
    struct imageref r;
    memset(longest, 'a', sizeof(longest));
    longest[247] = '\0'; /* with "library/" 255 */
    assert_int_equal(imageref_parse(&r, a, longest, NULL), 0);
    longest[247] = 'a';
    longest[248] = '\0';
    assert_int_equal(imageref_parse(&r, a, longest, NULL), -1);
    longest[1] = ':';
    longest[130] = '\0';
    assert_int_equal(imageref_parse(&r, a, longest, NULL), 0);
    longest[130] = 'a';
    longest[131] = '\0';
    assert_int_equal(imageref_parse(&r, a, longest, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_get_their_defaults),
        cmocka_unit_test(broken_rules_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
