/* Engines behind ssh: a program in PATH stands for it. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/requests.h"
#include "net/ssh.h"

/* A folder with `ssh` in it, which is found first; the runtime folder is there too. */
static int setup(void **state)
{
    static char *path;
    if (unit_dir_make(state))
        return -1;
    if (!path)
        path = strdup(getenv("PATH"));
    auto_free char *with = xasprintf("%s:%s", (char *)*state, path);
    unsetenv("DOCKER_API_VERSION");
    return setenv("PATH", with, 1) || setenv("XDG_RUNTIME_DIR", *state, 1) ||
           setenv("HOME", *state, 1);
}

static void install(const char *script)
{
    auto_free char *text = xasprintf("#!/bin/sh\n%s\n", script);
    assert_int_equal(file_write_atomic("ssh", text, strlen(text), 0700, NULL), 0);
}

static char *read_all(const char *path)
{
    char *text;
    size_t len;
    assert_int_equal(file_read(&text, &len, path, 1 << 16, NULL), 0);
    return text;
}

/* Opens url and pings it; the error, if any, in *err. */
static int ping(const char *url, struct error *err)
{
    auto_(loop_freep) struct loop *l = loop_new();
    auto_(engine_closep) struct engine *e = NULL;
    struct engine_options opt = { .host = url };
    assert_int_equal(engine_open(&e, l, &opt, NULL), 0);
    struct engine_request rq;
    rq_ping(&rq);
    return engine_do(NULL, e, &rq, err);
}

/* Answers one request, says what its arguments were, and stays until its input ends. */
#define ANSWERS                                                                              \
    "echo \"$@\" >>args\n"                                                                   \
    "end=$(printf '\\r')\n"                                                                  \
    "while IFS= read -r line && [ \"$line\" != \"$end\" ]; do :; done\n"                     \
    "printf 'HTTP/1.1 200 OK\\r\\nApi-Version: 1.41\\r\\nContent-Length: 2\\r\\n\\r\\nOK'\n" \
    "cat >/dev/null\n"

static void a_request_goes_through_ssh(void **state)
{
    auto_error struct error err = ERROR_INIT;
    install(ANSWERS);
    if (ping("ssh://me@host:2222/run/my.sock", &err))
        fail_msg("%s", err.msg);
    auto_free char *args = read_all("args");
    auto_free char *begin = xasprintf("-oConnectTimeout=10 -oControlMaster=auto "
                                      "-oControlPath=%s/stack/ssh-",
                                      (char *)*state);
    assert_memory_equal(args, begin, strlen(begin));
    assert_string_equal(strchr(args + strlen(begin), ' '),
                        " -T -l me -p 2222 -- host docker --host=unix:///run/my.sock system "
                        "dial-stdio\n");
}

static void the_parts_of_an_address_are_optional(void **state)
{
    static const char *const cases[][2] = {
        { "ssh://host", "-T -- host docker system dial-stdio\n" },
        { "ssh://a@b@host/", "-T -l a@b -- host docker system dial-stdio\n" },
        { "ssh://[::1]:22", "-T -p 22 -- ::1 docker system dial-stdio\n" },
        { "ssh://[::1]", "-T -- ::1 docker system dial-stdio\n" },
    };
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        auto_error struct error err = ERROR_INIT;
        install(ANSWERS);
        unlink("args");
        if (ping(cases[i][0], &err))
            fail_msg("%s: %s", cases[i][0], err.msg);
        auto_free char *args = read_all("args");
        if (!str_ends(args, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], args);
    }
}

static void what_ssh_says_is_the_reason(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    install("echo 'Welcome!' >&2; echo 'me@host: Permission denied (publickey).' >&2; exit 255");
    assert_int_equal(ping("ssh://me@host", &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_string_equal(err.msg, "no engine answers at ssh://me@host: "
                                 "me@host: Permission denied (publickey).");
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    auto_(loop_freep) struct loop *l = loop_new();
    auto_(ssh_closep) struct ssh *s = NULL;
    assert_int_equal(ssh_open(&s, l, "ssh://host", NULL), 0);
    auto_free char *path = xstrdup(ssh_socket(s));
    assert_int_equal(access(path, R_OK), 0);
    assert_null(ssh_complaint(s));
    ssh_close(take(s));
    assert_int_equal(access(path, F_OK), -1);
}

#define WITH_SSH(test) cmocka_unit_test_setup_teardown(test, setup, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SSH(a_request_goes_through_ssh),
        WITH_SSH(the_parts_of_an_address_are_optional),
        WITH_SSH(what_ssh_says_is_the_reason),
        WITH_SSH(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
