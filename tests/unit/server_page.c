/* Views: who may look, and what is shown of names from outside. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "server/page.h"

struct shown {
    struct queue *q;
    struct hook_config c;
    struct answer a;
};

static void shown_clear(struct shown *s)
{
    queue_close(s->q);
    str_clear(&s->a.body);
    strv_clear(&s->a.headers);
}
#define auto_shown __attribute__((unused, cleanup(shown_clear)))

static int look(struct shown *s, const char *method, const char *path, bool local,
                const char *headers)
{
    auto_strv struct strv list = STRV_INIT;
    if (!s->q)
        assert_int_equal(queue_open(&s->q, "q", NULL, NULL), 0);
    str_clear(&s->a.body);
    strv_clear(&s->a.headers);
    s->a = (struct answer){ .body = STR_INIT };
    strv_split(&list, headers, "\n");
    struct request rq = { .method = method, .path = path, .headers = &list, .local = local };
    return page_answer(&s->a, &rq, &s->c, s->q) ? s->a.status : 0;
}

static void who_may_look(void **state)
{
    (void)state;
    auto_shown struct shown s = { 0 };
    assert_int_equal(look(&s, "GET", "/jobs", true, ""), 200);
    assert_int_equal(look(&s, "GET", "/", true, "host: localhost:9666"), 200);
    assert_int_equal(look(&s, "GET", "/", true, "host: 127.0.0.1:9666"), 200);
    assert_int_equal(look(&s, "GET", "/", true, "host: [::1]:9666"), 200);
    assert_int_equal(look(&s, "GET", "/", true, "host: localhost.evil.example"), 403);
    assert_int_equal(look(&s, "GET", "/jobs", false, ""), 403);
    assert_int_equal(look(&s, "GET", "/jobs", true, "x-real-ip: 10.1.2.3"), 403);
    assert_int_equal(look(&s, "GET", "/jobs", true, "forwarded: for=10.1.2.3"), 403);
    assert_int_equal(look(&s, "GET", "/healthz", false, ""), 200);
    assert_int_equal(look(&s, "POST", "/jobs", true, ""), 405);
    assert_int_equal(look(&s, "GET", "/hook", true, ""), 0);

    s.c.view = (struct secret){ (char[]){ "t:ken" }, 5 };
    assert_int_equal(look(&s, "GET", "/jobs", true, ""), 401);
    assert_int_equal(look(&s, "GET", "/jobs", false, "authorization: Bearer t:ken"), 200);
    /* user:t:ken */
    assert_int_equal(look(&s, "GET", "/jobs", false, "authorization: Basic dXNlcjp0Omtlbg=="), 200);
    assert_int_equal(look(&s, "GET", "/jobs", false, "authorization: Basic dXNlcg=="), 401);
    assert_int_equal(look(&s, "GET", "/jobs", false, "authorization: Basic *"), 401);
    assert_int_equal(look(&s, "GET", "/jobs", false, "authorization: t:ken"), 401);
    assert_int_equal(look(&s, "GET", "/jobs", false, "authorization: Bearer "), 401);
    assert_int_equal(
        look(&s, "GET", "/jobs", false, "authorization: Bearer t:ken\nauthorization: Bearer x"),
        401);
}

static void names_from_outside_are_text(void **state)
{
    (void)state;
    auto_shown struct shown s = { 0 };
    look(&s, "GET", "/", true, "");
    assert_non_null(strstr(s.a.body.buf, "Nothing was pushed yet"));
    auto_free char *project = xstrdup("nova"), *forge = xstrdup("github");
    auto_free char *ref = xstrdup("refs/heads/\"><img/src=x>&'");
    auto_free char *commit = xstrdup("0123456789abcdef0123456789abcdef01234567");
    struct job job = { .project = project, .ref = ref, .commit = commit, .forge = forge };
    job.received_ns = clock_unix_ns();
    int64_t id;
    assert_int_equal(queue_add(&id, s.q, &job, NULL), 0);
    queue_begin(s.q, id, NULL);
    queue_end(s.q, id, JOB_FAILED, "<b>\x1b[31m", NULL);
    assert_int_equal(look(&s, "GET", "/", true, ""), 200);
    assert_non_null(strstr(s.a.body.buf, "&quot;&gt;&lt;img/src=x&gt;&amp;&#39;"));
    assert_non_null(strstr(s.a.body.buf, "&lt;b&gt;\\x1b[31m"));
    assert_null(strstr(s.a.body.buf, "<img"));
    assert_null(strchr(s.a.body.buf, '\x1b'));

    auto_free char *log = queue_log_path(s.q, id);
    auto_free char *before = xasprintf("%s.1", log);
    file_write_atomic(before, "one\n", 4, 0600, NULL);
    file_write_atomic(log, "\x1b]0;x\a<b>\n", 10, 0600, NULL);
    assert_int_equal(look(&s, "GET", "/jobs/1/log", true, ""), 200);
    assert_string_equal(s.a.type, "text/plain; charset=utf-8");
    assert_string_equal(s.a.body.buf, "one\n\\x1b]0;x\\x07<b>\n");
}

static void paths(void **state)
{
    (void)state;
    auto_shown struct shown s = { 0 };
    static const char *const none[] = { "/jobs/",        "/jobs/0",
                                        "/jobs/1",       "/jobs/-1",
                                        "/jobs/1/log/x", "/jobs/99999999999999999999",
                                        "/jobs/../lock" };
    for (size_t i = 0; i < countof(none); i++)
        assert_int_equal(look(&s, "GET", none[i], true, ""), 404);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(who_may_look),
        IN_DIR(names_from_outside_are_text),
        IN_DIR(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
