/* hook.yaml: what it means, and where its mistakes are. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/words.h"

static void put(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_write_atomic(path, text, strlen(text), mode, NULL), 0);
}

/* The configuration, or what is wrong with it in *said (owned by the caller). */
static struct hook_config *load(char **said, const char *text)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_error struct error err = ERROR_INIT;
    struct diag d;
    struct hook_config *c = NULL;
    diag_init(&d, a);
    put("hook.yaml", text, 0644);
    put("secret", "s3cret\n", 0600);
    int rc = hook_config_load(&c, "hook.yaml", &d, &err);
    struct str out = STR_INIT;
    diag_print(&out, &d, true);
    if (err.kind)
        str_add(&out, err.msg);
    *said = str_detach(&out);
    diag_clear(&d);
    assert_int_equal(rc < 0, c == NULL);
    return c;
}

static struct hook_config *load_good(const char *text)
{
    char *said;
    struct hook_config *c = load(&said, text);
    if (!c || *said)
        fail_msg("%s", said);
    free(said);
    return c;
}

static void assert_wrong(const char *text, const char *wanted)
{
    char *said;
    struct hook_config *c = load(&said, text);
    if (c || !strstr(said, wanted))
        fail_msg("wanted: %s\ngot: %s", wanted, said);
    free(said);
}

static void a_small_one(void **state)
{
    (void)state;
    auto_(hook_config_freep) struct hook_config *c = load_good("projects:\n"
                                                               "  nova:\n"
                                                               "    git: https://h/nova.git\n"
                                                               "    secret_file: secret\n");
    const struct hook_project *p = hook_config_project(c, "nova");
    assert_string_equal(c->host, "127.0.0.1");
    assert_int_equal(c->port, 9666);
    assert_int_equal(c->body_max, 25 << 20);
    assert_string_equal(p->git, "https://h/nova.git");
    assert_int_equal(p->secret.len, 6);
    assert_memory_equal(p->secret.bytes, "s3cret", 6);
    assert_true(p->own_secret);
    assert_true(hook_config_wants(p, "refs/heads/main"));
    assert_false(hook_config_wants(p, "refs/heads/mainly"));
    assert_false(hook_config_wants(p, "refs/tags/main"));
    auto_free char *command = strv_join(&p->command, " ");
    assert_string_equal(command, "{stack} rebuild {project} --ref {branch} --push --format json");
    assert_null(hook_config_project(c, "glance"));
}

static void a_large_one(void **state)
{
    (void)state;
    setenv("HOOK_TEST_TOKEN", "t0ken", 1);
    auto_(hook_config_freep) struct hook_config *c = load_good(
        "listen: '[::1]:1234'\n"
        "url: https://ci.example/hook\n"
        "queue: state/q\n"
        "parallel: 3\n"
        "keep: 7\n"
        "stop: 5s\n"
        "view: { token_env: HOOK_TEST_TOKEN }\n"
        "http: { body: 1m, time: 10s, connections: 9, connections_per_source: 4 }\n"
        "secret_file: secret\n"
        "stack_file: stack.yaml\n"
        "limits: { time: 10m, memory: 1g }\n"
        "projects:\n"
        "  nova:\n"
        "    git: git@h:a/nova.git\n"
        "    forge: gitlab\n"
        "    refs: [main, 'stable/*', refs/tags/v*]\n"
        "    up: dev\n"
        "    limits: { time: 20m, file_size: 5g, cpu: 90s, log: 1m }\n"
        "    status: { token_env: HOOK_TEST_TOKEN, context: ci/stack, api: 'http://a/b' }\n"
        "  glance:\n"
        "    git: file:///srv/glance.git\n"
        "    poll: 90s\n"
        "    command: [sh, -c, 'make \"$STACK_HOOK_BRANCH\"', --, '{commit}']\n");
    unsetenv("HOOK_TEST_TOKEN");
    const struct hook_project *nova = hook_config_project(c, "nova");
    const struct hook_project *glance = hook_config_project(c, "glance");
    assert_string_equal(c->host, "::1");
    assert_int_equal(c->port, 1234);
    assert_true(strlen(c->queue) > strlen("/state/q") && c->queue[0] == '/');
    assert_int_equal(c->parallel, 3);
    assert_int_equal(c->keep, 7);
    assert_int_equal(c->stop_ms, 5000);
    assert_int_equal(c->view.len, 5);
    assert_int_equal(c->request_ms, 10000);
    assert_int_equal(nova->limits.time_ms, 20 * 60000);
    assert_int_equal(nova->limits.memory, 1 << 30);
    assert_int_equal(glance->limits.time_ms, 10 * 60000);
    assert_false(nova->own_secret);
    assert_true(hook_config_wants(nova, "refs/heads/stable/2024.1"));
    assert_true(hook_config_wants(nova, "refs/tags/v1"));
    assert_false(hook_config_wants(nova, "refs/heads/stable"));
    assert_int_equal(glance->poll_ms, 90000);
    assert_true(strv_has(&c->secret_env, "HOOK_TEST_TOKEN"));
    auto_free char *command = strv_join(&nova->command, " ");
    assert_string_equal(
        command, "{stack} -f {stack_file} rebuild {project} --ref {branch} --push --format json");
}

#define P "projects:\n  nova:\n    git: https://h/n\n    secret_file: secret\n"

static void mistakes_have_positions(void **state)
{
    (void)state;
    assert_wrong("", "hook.yaml:1:1: error: the file is empty");
    assert_wrong("listen: x\n" P, "hook.yaml:1:9: error: listen: expected ADDRESS:PORT");
    assert_wrong("lisen: :1\n" P, "hook.yaml:1:1: error: hook.yaml: unknown key 'lisen'");
    assert_wrong("lisen: :1\n" P, "did you mean 'listen'?");
    assert_wrong("keep: 0\n" P, "hook.yaml:1:7: error: keep: expected 1 to 10000");
    assert_wrong("stop: soon\n" P, "hook.yaml:1:7: error: stop: expected a time");
    assert_wrong("projects: {}\n", "hook.yaml:1:11: error: projects: expected a map");
    assert_wrong("keep: 3\n", "projects is missing");
    assert_wrong("projects:\n  a b:\n    git: x\n    poll: 9s\n",
                 "hook.yaml:2:3: error: projects: expected a name");
    assert_wrong("projects:\n  nova:\n    poll: 9s\n",
                 "hook.yaml:2:3: error: nova: git is missing");
    assert_wrong("projects:\n  nova:\n    git: --upload-pack=x\n    poll: 9s\n",
                 "an address does not begin with '-'");
    assert_wrong("projects:\n  nova:\n    git: https://h/n\n",
                 "hook.yaml:2:3: error: nova: neither a secret nor poll");
    assert_wrong(P "    forge: bitbucket\n", "hook.yaml:5:12: error: forge: expected 'github'");
    assert_wrong(P "    refs: main\n", "hook.yaml:5:11: error: refs: expected a list");
    assert_wrong(P "    poll: 1ms\n", "hook.yaml:5:11: error: poll: expected 1s to");
    assert_wrong(P "    limits: { memory: 1 }\n", "memory: expected 16777216 to");
    assert_wrong(P "    command: [x, '{commmit}']\n", "unknown placeholder '{commmit}'");
    assert_wrong(P "    command: [sh, -c, 'make {branch}']\n",
                 "hook.yaml:5:23: error: command: a placeholder inside a text of several words");
    assert_wrong(P "    status: { context: x }\n", "token_file or token_env is missing");
    assert_wrong(P "    status: { token_file: secret }\n",
                 "hook.yaml:5:5: error: nova: status needs "
                 "forge");
    assert_wrong("secret: hunter2\n" P, "unknown key 'secret'");
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    put("two", "one\ntwo\n", 0600);
    put("none", "\n", 0600);
    assert_wrong("secret_file: two\n" P, "expected one line of text in the file");
    assert_wrong("secret_file: none\n" P, "hook.yaml:1:14: error: secret_file: the file is empty");
    assert_wrong("secret_file: missing\n" P, "missing': No such file");
    assert_wrong("secret_env: HOOK_NOT_SET\n" P, "the variable is not set");
    put("open", "hunter2\n", 0644);
    char *said;
    auto_(hook_config_freep) struct hook_config *c = load(&said, "secret_file: open\n" P);
    assert_non_null(c);
    assert_non_null(strstr(said, "hook.yaml:1:14: warning: secret_file: others than its owner"));
    assert_null(strstr(said, "hunter2"));
    free(said);
}

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
    } good[] = {
        { "127.0.0.1:80", "127.0.0.1", 80 }, { "[::1]:80", "::1", 80 }, { ":80", "0.0.0.0", 80 },
        { "9666", "127.0.0.1", 9666 },       { "host:0", "host", 0 },
    };
    char *host;
    int port;
    for (size_t i = 0; i < countof(good); i++) {
        assert_int_equal(hook_config_address(&host, &port, good[i].text), 0);
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
        free(host);
    }
    static const char *const bad[] = { "", ":", "host", "::1:80", "h:65536", "h:-1", "h:8o" };
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(hook_config_address(&host, &port, bad[i]), -1);
}

static void commands(void **state)
{
    (void)state;
    auto_strv struct strv command = STRV_INIT, out = STRV_INIT;
    strv_add(&command, "{stack}");
    strv_add(&command, "--ref={branch}");
    strv_add(&command, "{commit}{job}");
    strv_add(&command, "{x} {{project}}");
    strv_add(&command, "{up}");
    struct hook_words words = {
        .stack = "/bin/stack", .branch = "{commit}", .commit = "abc", .job = "7", .project = "p"
    };
    hook_command(&out, &command, &words);
    auto_free char *text = strv_join(&out, "|");
    /* What is put in is not looked at again. */
    assert_string_equal(text, "/bin/stack|--ref={commit}|abc7|{x} {p}|");
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_small_one),           IN_DIR(a_large_one), IN_DIR(mistakes_have_positions),
        IN_DIR(secrets_are_not_shown), IN_DIR(addresses),   IN_DIR(commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
