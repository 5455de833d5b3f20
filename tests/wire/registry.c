/*
 * What registries are told through the engine: each host its own login and no other's, by whatever
 * means docker keeps it, and the headers that the user wants with every request.
 */
#include "fake_engine.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

/* Docker's configuration, and the helpers, are the test's own. */
static int setup(void **state)
{
    struct fixture *x;
    if (fixture_open(&x) < 0)
        return -1;
    auto_free char *path = xasprintf("%s:%s", x->dir, getenv("PATH"));
    setenv("DOCKER_CONFIG", x->dir, 1);
    setenv("PATH", path, 1);
    unsetenv("DOCKER_AUTH_CONFIG");
    *state = x;
    return 0;
}

static void run(struct trial *t, struct fake *f, const char *args, int code)
{
    fake_forget(f);
    trial_run(t, f, args);
    if (t->code != code)
        fail_msg("stack %s: exit code %d: %s", args, t->code, t->err);
}

/* The login that the n-th such request carried, as text; "none". The caller's. */
static char *login(struct fake *f, const char *what, size_t n)
{
    const struct fake_request *rq = fake_find(f, what, n);
    if (!rq)
        fail_msg("there was no %s", what);
    if (!rq->registry_auth)
        return xstrdup("none");
    uint8_t *text = NULL;
    size_t len;
    assert_int_equal(base64_decode(&text, &len, rq->registry_auth, NULL), 0);
    return (char *)text;
}

static void assert_login(struct fake *f, const char *what, const char *wanted)
{
    auto_free char *got = login(f, what, 0);
    assert_string_equal(got, wanted);
}

/* That no other request than these carried a login, or any secret at all. */
static void assert_no_other_login(struct fake *f, const char *piece)
{
    for (size_t i = 0; i < fake_count(f); i++) {
        const struct fake_request *rq = fake_request(f, i);
        if (!strstr(rq->path, piece))
            assert_null(rq->registry_auth);
        assert_null(strstr(rq->head, "X-Registry-Config"));
    }
}

#define ADA "YWRhOnNlY3JldC1h" /* ada:secret-a */
#define BOB "Ym9iOnNlY3JldC1i" /* bob:secret-b */

static const char helper[] = "#!/bin/sh\n"
                             "read -r host || :\n"
                             "echo \"$0 $1 $host\" | sed 's|.*/||' >>\"$DOCKER_CONFIG/asked\"\n"
                             "echo '{\"Username\":\"%s\",\"Secret\":\"%s\"}'\n";

static void write_helper(const char *name, const char *user, const char *secret)
{
    auto_free char *path = xasprintf("docker-credential-%s", name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, helper, user, secret);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
}

static void each_host_gets_its_own(void **state)
{
    struct fixture *x = *state;
    struct fake *f = x->f;
    auto_trial struct trial t = { 0 };
    put("config.json",
        "{\"auths\": {\"a.example\": {\"auth\": \"" ADA "\"}, \"b.example:5000\": {\"auth\": \"" BOB
        "\"}, \"c.example\": {\"identitytoken\": \"token-c\"}},"
        " \"credHelpers\": {\"d.example\": \"one\", \"e.example\": \"two\"}}",
        0600);
    write_helper("one", "dora", "secret-d");
    write_helper("two", "<token>", "token-e");
    put("compose.yaml",
        "services:\n"
        "  a: {image: a.example/x:1}\n"
        "  b: {image: 'b.example:5000/team/x:2', platform: linux/arm64}\n"
        "  c: {image: c.example/x}\n"
        "  d: {image: d.example/x}\n"
        "  e: {image: e.example/x}\n"
        "  n: {image: nobody.example/x}\n",
        0644);
    static const char *const images[] = { "a.example/x:1", "b.example:5000/team/x:2",
                                          "c.example/x",   "d.example/x",
                                          "e.example/x",   "nobody.example/x" };
    static const struct {
        const char *name, *login;
    } wanted[] = {
        { "a.example/x",
          "{\"password\":\"secret-a\",\"serveraddress\":\"a.example\",\"username\":\"ada\"}" },
        { "b.example:5000/team/x",
          "{\"password\":\"secret-b\",\"serveraddress\":\"b.example:5000\",\"username\":\"bob\"}" },
        { "c.example/x", "{\"identitytoken\":\"token-c\",\"serveraddress\":\"c.example\"}" },
        { "d.example/x",
          "{\"password\":\"secret-d\",\"serveraddress\":\"d.example\",\"username\":\"dora\"}" },
        { "e.example/x", "{\"identitytoken\":\"token-e\",\"serveraddress\":\"e.example\"}" },
        { "nobody.example/x", "none" },
    };
    for (size_t i = 0; i < countof(images); i++)
        fake_remote(f, images[i], NULL);
    run(&t, f, "pull", 0);
    size_t pulls = 0;
    for (size_t n = 0; fake_find(f, "POST /images/create", n); n++) {
        const struct fake_request *rq = fake_find(f, "POST /images/create", n);
        const char *name =
            json_string_value(json_array_get(json_object_get(rq->query, "fromImage"), 0));
        for (size_t i = 0; i < countof(wanted); i++) {
            if (!str_eq(name, wanted[i].name))
                continue;
            auto_free char *got = login(f, "POST /images/create", n);
            assert_string_equal(got, wanted[i].login);
            assert_int_equal(json_object_get(rq->query, "platform") != NULL, i == 1);
            pulls++;
        }
    }
    assert_int_equal(pulls, countof(wanted));
    assert_no_other_login(f, "/images/create");
    char text[256] = "";
    FILE *file = fopen("asked", "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, "docker-credential-one get d.example\n"));
    assert_non_null(strstr(text, "docker-credential-two get e.example\n"));
    assert_int_equal(strlen(text), 2 * strlen("docker-credential-one get d.example\n"));
}

static void one_store_and_the_variable(void **state)
{
    struct fixture *x = *state;
    struct fake *f = x->f;
    auto_trial struct trial first = { 0 }, second = { 0 };
    put("config.json", "{\"credsStore\": \"all\"}", 0600);
    write_helper("all", "ada", "from-store");
    put("compose.yaml", "services: {a: {image: a.example/x}}\n", 0644);
    fake_remote(f, "a.example/x", NULL);
    run(&first, f, "pull", 0);
    assert_login(
        f, "POST /images/create",
        "{\"password\":\"from-store\",\"serveraddress\":\"a.example\",\"username\":\"ada\"}");
    setenv("DOCKER_AUTH_CONFIG", "{\"auths\": {\"a.example\": {\"auth\": \"" BOB "\"}}}", 1);
    put("config.json", "{}", 0600);
    run(&second, f, "pull", 0);
    assert_login(
        f, "POST /images/create",
        "{\"password\":\"secret-b\",\"serveraddress\":\"a.example\",\"username\":\"bob\"}");
    unsetenv("DOCKER_AUTH_CONFIG");
}

static void digests(void **state)
{
    struct fixture *x = *state;
    auto_trial struct trial t = { 0 };
#define DIGEST "sha256:0123456789012345678901234567890123456789012345678901234567890123"
    put("compose.yaml", "services: {a: {image: 'a.example/x@" DIGEST "'}}\n", 0644);
    fake_forget(x->f);
    trial_run(&t, x->f, "pull");
    const struct fake_request *rq = fake_find(x->f, "POST /images/create", 0);
    assert_non_null(rq);
    auto_free char *query = json_dumps(rq->query, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(query, "{\"fromImage\":[\"a.example/x\"],\"tag\":[\"" DIGEST "\"]}");
}

static void pushes(void **state)
{
    struct fixture *x = *state;
    struct fake *f = x->f;
    auto_trial struct trial t = { 0 }, refused = { 0 }, ignored = { 0 }, one = { 0 };
    put("config.json", "{\"auths\": {\"a.example\": {\"auth\": \"" ADA "\"}}}", 0600);
    assert_int_equal(mkdir("ctx", 0755), 0);
    put("ctx/Dockerfile", "FROM scratch\n", 0644);
    put("compose.yaml",
        "services:\n"
        "  a: {build: {context: ctx, tags: ['a.example/x:latest']}, image: a.example/x:1}\n"
        "  b: {build: ctx, image: b.example/y}\n"
        "  c: {build: ctx, image: a.example/x:1}\n"
        "  built: {build: ctx}\n"
        "  pulled: {image: a.example/z}\n",
        0644);
    fake_image(f, "a.example/x:1", NULL);
    fake_image(f, "a.example/x:latest", NULL);
    fake_image(f, "b.example/y", NULL);
    run(&t, f, "push", 0);
    assert_int_equal(fake_count(f), 3 + 1); /* and the ping that precedes changes */
    assert_login(
        f, "POST /images/a.example/x/push",
        "{\"password\":\"secret-a\",\"serveraddress\":\"a.example\",\"username\":\"ada\"}");
    assert_non_null(fake_find(f, "POST /images/a.example/x/push", 1));
    assert_login(f, "POST /images/b.example/y/push", "{}");
    assert_no_other_login(f, "/push");

    put("compose.yaml",
        "services:\n"
        "  a: {build: ctx, image: a.example/refused}\n"
        "  b: {build: ctx, image: b.example/y}\n"
        "  c: {build: ctx, image: b.example/unbuilt}\n",
        0644);
    fake_image(f, "a.example/refused", NULL);
    run(&refused, f, "push", 18);
    assert_non_null(strstr(refused.err, "push 'a.example/refused': unauthorized"));
    assert_non_null(strstr(refused.err, "a.example does not accept the login that is kept for it: "
                                        "log in anew with 'docker login a.example'"));
    assert_non_null(strstr(refused.err, "build it first: 'stack build'"));
    assert_non_null(fake_find(f, "POST /images/b.example/y/push", 0));
    run(&ignored, f, "push --ignore-push-failures", 0);
    run(&one, f, "push b", 0);
    assert_int_equal(fake_count(f), 1 + 1);
}

static void headers_of_the_user(void **state)
{
    struct fixture *x = *state;
    struct fake *f = x->f;
    auto_trial struct trial t = { 0 };
    put("config.json",
        "{\"HttpHeaders\": {\"X-Meta-Team\": \"blue, green\", \"X-Registry-Auth\": \"mine\","
        " \"content-type\": \"text/evil\", \"X-Bad\": \"a\\r\\nX-Evil: 1\", \"X Bad\": \"1\","
        " \"X-Number\": 5}}",
        0600);
    put("compose.yaml", "services: {a: {image: base, network_mode: none}}\n", 0644);
    fake_image(f, "base", NULL);
    run(&t, f, "up -d", 0);
    assert_true(fake_count(f) >= 5);
    for (size_t i = 0; i < fake_count(f); i++) {
        const struct fake_request *rq = fake_request(f, i);
        assert_non_null(strstr(rq->head, "\r\nX-Meta-Team: blue, green\r\n"));
        assert_null(rq->registry_auth);
        assert_null(strcasestr(rq->head, "evil"));
        assert_null(strstr(rq->head, "X-Number"));
        assert_null(strstr(rq->head, "X Bad"));
    }
}

int main(void)
{
#define with_engine(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_engine(each_host_gets_its_own),
        with_engine(one_store_and_the_variable),
        with_engine(digests),
        with_engine(pushes),
        with_engine(headers_of_the_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
