/* Where the engine is. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/context.h"

static const char *const variables[] = { "DOCKER_HOST",    "DOCKER_CONTEXT",    "DOCKER_CONFIG",
                                         "DOCKER_TLS",     "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
                                         "XDG_RUNTIME_DIR" };

/* A temporary folder, which is $HOME too; nothing inherited. */
static int setup(void **state)
{
    for (size_t i = 0; i < countof(variables); i++)
        unsetenv(variables[i]);
    return unit_dir_make(state) || setenv("HOME", *state, 1);
}

static void put(const char *path, const char *text)
{
    auto_free char *dir = path_dir(path);
    assert_int_equal(file_mkdirs(dir, 0700, NULL), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

/* Makes a context in the store below `config`. */
static void put_context(const char *config, const char *name, const char *endpoint, bool tls)
{
    char id[DIGEST_HEX_LEN + 1];
    digest_hex(id, name, strlen(name));
    auto_free char *meta = xasprintf("%s/contexts/meta/%s/meta.json", config, id);
    auto_free char *text = xasprintf(
        "{\"Name\":\"%s\",\"Metadata\":{},\"Endpoints\":{\"docker\":%s}}", name, endpoint);
    put(meta, text);
    static const char *const files[] = { "ca.pem", "cert.pem", "key.pem" };
    for (size_t i = 0; tls && i < countof(files); i++) {
        auto_free char *path = xasprintf("%s/contexts/tls/%s/docker/%s", config, id, files[i]);
        put(path, "pem");
    }
}

static void check(const struct engine_options *opt, const char *host, const char *context,
                  const char *why)
{
    auto_error struct error err = ERROR_INIT;
    struct engine_endpoint ep = { 0 };
    if (engine_find(&ep, opt, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(ep.host, host);
    assert_string_equal(ep.context, context);
    assert_string_equal(ep.why, why);
    engine_endpoint_clear(&ep);
}

static void check_error(const struct engine_options *opt, enum error_kind kind, const char *msg)
{
    auto_error struct error err = ERROR_INIT;
    struct engine_endpoint ep = { 0 };
    assert_int_equal(engine_find(&ep, opt, &err), -1);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.msg, msg))
        fail_msg("'%s' is not in '%s'", msg, err.msg);
    assert_null(ep.host);
}

static void the_order_is_that_of_the_docker_cli(void **state)
{
    (void)state;
    put_context(".docker", "current", "{\"Host\":\"tcp://current:1\"}", false);
    put_context(".docker", "named", "{\"Host\":\"tcp://named:1\"}", false);
    put_context(".docker", "env", "{\"Host\":\"tcp://env:1\"}", false);
    put(".docker/config.json", "{\"currentContext\":\"current\",\"auths\":{}}");
    check(NULL, "tcp://current:1", "current", "context 'current' in ~/.docker/config.json");

    setenv("DOCKER_CONTEXT", "env", 1);
    check(NULL, "tcp://env:1", "env", "context 'env' in DOCKER_CONTEXT");
    setenv("DOCKER_HOST", "tcp://host:1", 1);
    check(NULL, "tcp://host:1", "default", "DOCKER_HOST");
    check(&(struct engine_options){ .host = "tcp://option:1" }, "tcp://option:1", "default", "-H");
    check(&(struct engine_options){ .context = "named" }, "tcp://named:1", "named",
          "context 'named' in --context");
    check(&(struct engine_options){ .context = "default" }, "tcp://host:1", "default",
          "DOCKER_HOST");
    check_error(&(struct engine_options){ .context = "named", .host = "tcp://option:1" }, ERR_USAGE,
                "both");
}

static void empty_variables_are_not_set(void **state)
{
    (void)state;
    put_context(".docker", "current", "{\"Host\":\"tcp://current:1\"}", false);
    put(".docker/config.json", "{\"currentContext\":\"current\"}");
    setenv("DOCKER_HOST", "", 1);
    setenv("DOCKER_CONTEXT", "", 1);
    check(NULL, "tcp://current:1", "current", "context 'current' in ~/.docker/config.json");
}

static void docker_config_moves_the_store(void **state)
{
    auto_free char *config = xasprintf("%s/elsewhere", (char *)*state);
    setenv("DOCKER_CONFIG", config, 1);
    put_context(config, "there", "{\"Host\":\"unix:///x/y.sock\"}", false);
    check(&(struct engine_options){ .context = "there" }, "unix:///x/y.sock", "there",
          "context 'there' in --context");
}

static void contexts_that_are_wrong(void **state)
{
    (void)state;
    check_error(&(struct engine_options){ .context = "nope" }, ERR_NOTFOUND,
                "there is no context 'nope'");
    put_context(".docker", "hostless", "{}", false);
    check_error(&(struct engine_options){ .context = "hostless" }, ERR_INPUT, "context 'hostless'");
    put_context(".docker", "broken", "{", false);
    check_error(&(struct engine_options){ .context = "broken" }, ERR_INPUT, "context 'broken'");
    put_context(".docker", "other", "{\"Host\":\"npipe:////./pipe/docker_engine\"}", false);
    check_error(&(struct engine_options){ .context = "other" }, ERR_INPUT, "npipe");
    put(".docker/config.json", "nonsense");
    check_error(NULL, ERR_PROTOCOL, "config.json");
}

static void hosts_are_completed_and_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        bool local;
    } cases[] = {
        { "unix:///var/run/docker.sock", "unix:///var/run/docker.sock", true },
        { "tcp://h:2375", "tcp://h:2375", false },
        { "tcp://h", "tcp://h:2375", false },
        { "tcp://h:", "tcp://h:2375", false },
        { "tcp://h:1/", "tcp://h:1", false },
        { "tcp://h:1/base/", "tcp://h:1/base", false },
        { "h:1", "tcp://h:1", false },
        { "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", true },
        { "tcp://localhost", "tcp://localhost:2375", true },
        { "tcp://[::1]", "tcp://[::1]:2375", true },
        { "tcp://[fe80::1]:5", "tcp://[fe80::1]:5", false },
        { "https://h", "tcp://h:2376", false },
        { "ssh://me@h:22/run/d.sock", "ssh://me@h:22/run/d.sock", false },
        { "unix://relative", NULL, false },
        { "unix://", NULL, false },
        { "tcp://", NULL, false },
        { "tcp://:80", NULL, false },
        { "tcp://a b", NULL, false },
        { "tcp://user@h", NULL, false },
        { "tcp://h\r\nX: y", NULL, false },
        { "tcp://h/a\r\nX: y", NULL, false },
        { "ssh://", NULL, false },
        { "ssh://me:secret@h", NULL, false },
        { "ssh://-oProxyCommand=x", NULL, false },
        { "ssh://me@-oProxyCommand=x", NULL, false },
        { "fd://3", NULL, false },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_error struct error err = ERROR_INIT;
        struct engine_endpoint ep = { 0 };
        int rc = context_parse_host(&ep, cases[i].text, &err);
        if (rc != (cases[i].host ? 0 : -1))
            fail_msg("'%s': %d", cases[i].text, rc);
        if (cases[i].host) {
            assert_string_equal(ep.host, cases[i].host);
            assert_int_equal(ep.local, cases[i].local);
        } else {
            assert_int_equal(err.kind, ERR_INPUT);
            assert_null(strstr(err.msg, "secret"));
        }
        engine_endpoint_clear(&ep);
    }
}

static void tls_of_the_environment(void **state)
{
    auto_error struct error err = ERROR_INIT;
    auto_free char *certs = xasprintf("%s/certs", (char *)*state);
    auto_free char *ca = xasprintf("%s/ca.pem", certs);
    put(ca, "pem");
    setenv("DOCKER_HOST", "tcp://h", 1);
    setenv("DOCKER_TLS_VERIFY", "1", 1);
    setenv("DOCKER_CERT_PATH", certs, 1);
    struct engine_endpoint ep = { 0 };
    assert_int_equal(engine_find(&ep, NULL, &err), 0);
    assert_string_equal(ep.host, "tcp://h:2376");
    assert_true(ep.tls);
    assert_false(ep.skip_verify);
    assert_string_equal(ep.ca_file, ca);
    assert_null(ep.cert_file);
    engine_endpoint_clear(&ep);

    unsetenv("DOCKER_TLS_VERIFY");
    setenv("DOCKER_TLS", "1", 1);
    assert_int_equal(engine_find(&ep, NULL, &err), 0);
    assert_true(ep.tls);
    assert_true(ep.skip_verify);
    engine_endpoint_clear(&ep);

    setenv("DOCKER_HOST", "unix:///x", 1);
    assert_int_equal(engine_find(&ep, NULL, &err), 0);
    assert_false(ep.tls);
    engine_endpoint_clear(&ep);
}

static void tls_of_a_context(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    struct engine_endpoint ep = { 0 };
    put_context(".docker", "safe", "{\"Host\":\"tcp://h\"}", true);
    put_context(".docker", "unsafe", "{\"Host\":\"tcp://h:1\",\"SkipTLSVerify\":true}", false);
    setenv("DOCKER_CONTEXT", "safe", 1);
    assert_int_equal(engine_find(&ep, NULL, &err), 0);
    assert_string_equal(ep.host, "tcp://h:2376");
    assert_true(ep.tls && !ep.skip_verify);
    assert_true(file_exists(ep.ca_file) && file_exists(ep.cert_file) && file_exists(ep.key_file));
    engine_endpoint_clear(&ep);
    setenv("DOCKER_CONTEXT", "unsafe", 1);
    assert_int_equal(engine_find(&ep, NULL, &err), 0);
    assert_true(ep.tls && ep.skip_verify);
    assert_null(ep.ca_file);
    engine_endpoint_clear(&ep);
}

static void make_socket(const char *path)
{
    auto_free char *dir = path_dir(path);
    assert_int_equal(file_mkdirs(dir, 0700, NULL), 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void known_sockets_are_looked_for_in_order(void **state)
{
    auto_free char *run = xasprintf("%s/run", (char *)*state);
    setenv("XDG_RUNTIME_DIR", run, 1);
    auto_strv struct strv places = STRV_INIT;
    context_places(&places);
    assert_string_equal(places.items[0], "/var/run/docker.sock");
    auto_free char *colima = xasprintf("%s/.colima/default/docker.sock", (char *)*state);
    auto_free char *rootless = xasprintf("%s/docker.sock", run);
    assert_true(strv_has(&places, colima));
    assert_true(strv_has(&places, rootless));

    auto_strv struct strv mine = STRV_INIT;
    strv_each (it, &places)
        if (path_below(*state, *it))
            strv_add(&mine, *it);
    assert_null(context_first_socket(&mine));
    make_socket(rootless);
    assert_string_equal(context_first_socket(&mine), rootless);
    put(colima, "no socket");
    assert_string_equal(context_first_socket(&mine), rootless);
    unlink(colima);
    make_socket(colima);
    assert_string_equal(context_first_socket(&mine), colima);

    auto_free char *shown = engine_places();
    assert_non_null(strstr(shown, "/var/run/docker.sock, ~/.docker/run/docker.sock"));
    assert_non_null(strstr(shown, "$XDG_RUNTIME_DIR/podman/podman.sock"));
}

#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, setup, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOME(the_order_is_that_of_the_docker_cli),
        IN_HOME(empty_variables_are_not_set),
        IN_HOME(docker_config_moves_the_store),
        IN_HOME(contexts_that_are_wrong),
        IN_HOME(hosts_are_completed_and_checked),
        IN_HOME(tls_of_the_environment),
        IN_HOME(tls_of_a_context),
        IN_HOME(known_sockets_are_looked_for_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
