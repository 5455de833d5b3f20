/* Credentials of registries: docker's config.json, its variables, and helpers. */
#include "unit.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/auth.h"
#include "registry/config.h"
#include "registry/helper.h"

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* DOCKER_CONFIG and PATH are the test's own folder. */
static int setup(void **state)
{
    if (unit_dir_make(state) < 0)
        return -1;
    auto_free char *path = xasprintf("%s:/usr/bin:/bin", (char *)*state);
    setenv("PATH", path, 1);
    setenv("DOCKER_CONFIG", *state, 1);
    unsetenv("DOCKER_AUTH_CONFIG");
    return 0;
}

/* The header value for a reference as JSON text, "none", or "error: ..."; owned by the caller. */
static char *auth(const char *ref)
{
    auto_(loop_freep) struct loop *l = loop_new();
    auto_error struct error err = ERROR_INIT;
    char *value = NULL;
    if (registry_auth(&value, l, ref, &err) < 0)
        return xasprintf("error: %s", err.msg);
    if (!value)
        return xstrdup("none");
    assert_null(strpbrk(value, "+/"));
    assert_int_equal(strlen(value) % 4, 0);
    uint8_t *text;
    size_t len;
    assert_int_equal(base64_decode(&text, &len, value, NULL), 0);
    free(value);
    return (char *)text;
}

static void assert_auth(const char *ref, const char *expected)
{
    auto_free char *got = auth(ref);
    if (!strstr(got, expected))
        fail_msg("%s: wanted %s, got %s", ref, expected, got);
}

#define ALICE "YWxpY2U6cGE6c3M=" /* alice:pa:ss */

static void entries_of_the_file(void **state)
{
    (void)state;
    put("config.json",
        "{\"auths\":{"
        "\"https://index.docker.io/v1/\":{\"auth\":\"" ALICE "\"},"
        "\"host:5000\":{\"username\":\"bob\",\"password\":\"\xc3\xa9\xc3\xbf?>\"},"
        "\"https://old.example/v2/\":{\"auth\":\"" ALICE "\"},"
        "\"token.example\":{\"identitytoken\":\"tok\"},"
        "\"empty.example\":{},"
        "\"bad.example\":{\"auth\":\"bm8gY29sb24=\"}}}",
        0600);
    assert_auth("busybox", "{\"password\":\"pa:ss\",\"serveraddress\":\"https://index.docker.io/v1/"
                           "\",\"username\":\"alice\"}");
    assert_auth("docker.io/library/x:1", "alice");
    assert_auth("host:5000/team/x@sha256:"
                "0000000000000000000000000000000000000000000000000000000000000000",
                "\"username\":\"bob\"");
    assert_auth("old.example/x", "\"serveraddress\":\"old.example\",\"username\":\"alice\"");
    assert_auth("token.example/x",
                "{\"identitytoken\":\"tok\",\"serveraddress\":\"token.example\"}");
    assert_auth("empty.example/x", "none");
    assert_auth("bad.example/x", "none");
    assert_auth("other.example/x", "none");
    assert_auth("host:5001/x", "none");
}

static void no_file_is_no_credentials(void **state)
{
    (void)state;
    assert_auth("busybox", "none");
    put("config.json", "{", 0600);
    assert_auth("busybox", "error: '");
    put("config.json", "[1, \"auths\"]", 0600);
    assert_auth("busybox", "none");
    put("config.json", "{\"auths\": [], \"credHelpers\": 5, \"credsStore\": {}}", 0600);
    assert_auth("busybox", "none");
    assert_auth("Not A Reference", "error: ");
}

static void the_variable_comes_first(void **state)
{
    (void)state;
    put("config.json",
        "{\"auths\":{\"a.example\":{\"auth\":\"" ALICE "\"},"
        "\"b.example\":{\"auth\":\"" ALICE "\"}}}",
        0600);
    setenv("DOCKER_AUTH_CONFIG",
           "{\"auths\":{\"a.example\":{\"username\":\"ci\",\"password\":\"x\"}}}", 1);
    assert_auth("a.example/x", "\"username\":\"ci\"");
    assert_auth("b.example/x", "\"username\":\"alice\"");
    setenv("DOCKER_AUTH_CONFIG", "secret but not JSON", 1);
    auto_free char *said = auth("a.example/x");
    assert_string_equal(said, "error: DOCKER_AUTH_CONFIG is not JSON");
}

#define HELPER(name, body) put("docker-credential-" name, "#!/bin/sh\n" body, 0755)

static void helpers(void **state)
{
    (void)state;
    put("config.json",
        "{\"credsStore\":\"store\",\"credHelpers\":{\"h.example\":\"one\","
        "\"t.example\":\"token\",\"n.example\":\"none\",\"f.example\":\"fails\","
        "\"m.example\":\"missing\",\"j.example\":\"junk\",\"e.example\":\"../evil\"},"
        "\"auths\":{\"s.example\":{\"auth\":\"" ALICE "\"}}}",
        0600);
    HELPER(
        "one",
        "test \"$1\" = get || exit 9\nread -r host\n"
        "echo \"{\\\"ServerURL\\\":\\\"$host\\\",\\\"Username\\\":\\\"u-$host\\\",\\\"Secret\\\":\\\"p\\\"}\"\n");
    HELPER("store", "cat >/dev/null; echo '{\"Username\":\"stored\",\"Secret\":\"p\"}'\n");
    HELPER("token", "echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}'\n");
    HELPER("none", "echo 'credentials not found in native keychain'; exit 1\n");
    HELPER("fails", "echo 'the keychain is locked'; exit 1\n");
    HELPER("junk", "echo hello\n");
    assert_auth(
        "h.example/x",
        "{\"password\":\"p\",\"serveraddress\":\"h.example\",\"username\":\"u-h.example\"}");
    assert_auth("s.example/x", "\"username\":\"stored\"");
    assert_auth("busybox", "\"serveraddress\":\"https://index.docker.io/v1/\"");
    assert_auth("t.example/x", "{\"identitytoken\":\"tok\",\"serveraddress\":\"t.example\"}");
    assert_auth("n.example/x", "none");
    assert_auth("f.example/x",
                "error: docker-credential-fails get: exit status 1: the keychain is locked");
    assert_auth("m.example/x", "error: docker-credential-missing get: ");
    assert_auth("j.example/x", "error: docker-credential-junk get: ");
    assert_auth("e.example/x", "cannot be the name of a program");
}

struct config_wait {
    bool done;
    char *value;
};

static void on_config(void *ctx, const char *value, const struct error *err)
{
    struct config_wait *w = ctx;
    assert_null(err);
    w->value = xstrdup(value);
    w->done = true;
}

static char *config_for(const char *const *refs, size_t n)
{
    auto_(loop_freep) struct loop *l = loop_new();
    struct config_wait w = { 0 };
    registry_config_start(l, refs, n, on_config, &w);
    assert_false(w.done);
    loop_wait(l, &w.done);
    if (!w.value)
        return NULL;
    uint8_t *text;
    size_t len;
    assert_int_equal(base64_decode(&text, &len, w.value, NULL), 0);
    free(w.value);
    return (char *)text;
}

static void only_the_hosts_that_are_needed(void **state)
{
    (void)state;
    put("config.json",
        "{\"credHelpers\":{\"h.example\":\"one\"},\"auths\":{"
        "\"a.example\":{\"auth\":\"" ALICE "\"},"
        "\"b.example\":{\"auth\":\"" ALICE "\"}}}",
        0600);
    HELPER("one", "echo '{\"Username\":\"h\",\"Secret\":\"p\"}'\n");
    const char *const refs[] = { "a.example/x", "h.example/y:1", "a.example/z", "none.example/x" };
    auto_free char *config = config_for(refs, countof(refs));
    auto_json json_t *j = json_parse(config, strlen(config), "config", NULL);
    assert_int_equal(json_object_size(j), 2);
    assert_string_equal(json_str(json_object_get(j, "a.example"), "username"), "alice");
    assert_string_equal(json_str(json_object_get(j, "h.example"), "username"), "h");
    assert_null(config_for(refs + 3, 1));
    assert_null(config_for(NULL, 0));
}

static void never(void *ctx, const char *value, const struct error *err)
{
    (void)ctx, (void)value, (void)err;
    fail_msg("a cancelled lookup reported");
}

static void cancelled_lookups_are_silent(void **state)
{
    (void)state;
    put("config.json", "{\"credHelpers\":{\"h.example\":\"slow\"}}", 0600);
    HELPER("slow", "exec sleep 60\n");
    auto_(loop_freep) struct loop *l = loop_new();
    registry_cancel(registry_auth_start(l, "h.example/x", never, NULL));
    registry_cancel(registry_auth_start(l, "none.example/x", never, NULL));
    registry_cancel(NULL);
    /* The killed helper is reaped when the loop turns. */
    bool done = false;
    loop_wait(l, &done);
}

static void names_of_helpers(void **state)
{
    (void)state;
    assert_true(helper_name_valid("osxkeychain"));
    assert_true(helper_name_valid("ecr-login"));
    assert_false(helper_name_valid(""));
    assert_false(helper_name_valid("a/b"));
    assert_false(helper_name_valid("a b"));
}

#define with_home(fn) cmocka_unit_test_setup_teardown(fn, setup, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_home(entries_of_the_file),
        with_home(no_file_is_no_credentials),
        with_home(the_variable_comes_first),
        with_home(helpers),
        with_home(only_the_hosts_that_are_needed),
        with_home(cancelled_lookups_are_silent),
        cmocka_unit_test(names_of_helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
