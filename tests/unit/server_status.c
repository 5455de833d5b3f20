/* Commit statuses as each forge wants them. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "server/status.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static char commit[] = COMMIT;
static struct job job = { .id = 7, .commit = commit };

static char token[] = "t0ken";

static struct hook_project project(const char *forge, const char *git)
{
    return (struct hook_project){
        .name = "nova",
        .git = git,
        .forge = forge,
        .status = { .context = "ci/stack", .token = { token, 5 } },
    };
}

static void what_each_forge_wants(void **state)
{
    (void)state;
    static const struct {
        const char *forge, *git, *base, *path, *header, *state;
    } rows[] = {
        { "github", "git@github.com:a/nova.git", "https://api.github.com",
          "/repos/a/nova/statuses/" COMMIT, "Authorization: Bearer t0ken", "failure" },
        { "github", "https://ghe.example/a/nova", "https://ghe.example/api/v3",
          "/repos/a/nova/statuses/" COMMIT, "Authorization: Bearer t0ken", "failure" },
        { "gitlab", "ssh://git@lab.example:2222/a/b c/nova.git", "https://lab.example/api/v4",
          "/projects/a%2Fb%20c%2Fnova/statuses/" COMMIT, "PRIVATE-TOKEN: t0ken", "failed" },
        { "gitea", "http://tea.example:3000/a/nova.git", "http://tea.example:3000/api/v1",
          "/repos/a/nova/statuses/" COMMIT, "Authorization: token t0ken", "failure" },
        { "forgejo", "https://codeberg.example:8443/a/nova.git",
          "https://codeberg.example:8443/api/v1", "/repos/a/nova/statuses/" COMMIT,
          "Authorization: token t0ken", "failure" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct hook_project p = project(rows[i].forge, rows[i].git);
        struct status_request rq;
        assert_int_equal(
            status_request_make(&rq, &p, &job, STATUS_FAILURE, "why", "https://ci/7", NULL), 0);
        assert_string_equal(rq.base, rows[i].base);
        assert_string_equal(rq.path, rows[i].path);
        assert_true(strv_has(&rq.headers, rows[i].header));
        auto_json json_t *body = json_parse(rq.body, strlen(rq.body), "body", NULL);
        assert_string_equal(json_str(body, "state"), rows[i].state);
        assert_string_equal(json_str(body, "description"), "why");
        assert_string_equal(json_str(body, "target_url"), "https://ci/7");
        assert_string_equal(json_str(body, strcmp(rows[i].forge, "gitlab") ? "context" : "name"),
                            "ci/stack");
        status_request_clear(&rq);
    }
}

static void where_there_is_no_forge(void **state)
{
    (void)state;
    struct hook_project p = project("gitea", "https://tea.example");
    struct status_request rq;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(status_request_make(&rq, &p, &job, STATUS_SUCCESS, "x", NULL, &err), -1);
    p.git = "/srv/git/nova.git";
    assert_int_equal(status_request_make(&rq, &p, &job, STATUS_SUCCESS, "x", NULL, &err), -1);
    p.status.api = "https://tea.example/api/v1/";
    assert_int_equal(status_request_make(&rq, &p, &job, STATUS_SUCCESS, "x", NULL, &err), 0);
    assert_string_equal(rq.base, "https://tea.example/api/v1");
    assert_null(strstr(rq.body, "target_url"));
    status_request_clear(&rq);
}

/* --- sending --- */

struct heard {
    int ends;
    bool done, failed;
    char *said;
};

static void on_done(void *ctx, int64_t id, enum status_state s, const struct error *err)
{
    struct heard *h = ctx;
    assert_int_equal(id, 7);
    assert_int_equal(s, STATUS_SUCCESS);
    h->ends++;
    h->done = true;
    h->failed = err != NULL;
    free(h->said);
    h->said = err ? xstrdup(err->msg) : NULL;
}

static void what_cannot_be_sent(void **state)
{
    (void)state;
    auto_(loop_freep) struct loop *l = loop_new();
    struct heard heard = { 0 };
    auto_(status_reporter_freep) struct status_reporter *r =
        status_reporter_new(l, on_done, &heard);
    struct hook_project p = project("github", "/srv/git/nova.git");
    status_report(r, &p, &job, STATUS_SUCCESS, "x", NULL);
    assert_true(heard.done && heard.failed);
    assert_non_null(strstr(heard.said, "names no repository of a forge"));
    assert_true(status_reporter_idle(r));

    p.status.token = (struct secret){ 0 };
    status_report(r, &p, &job, STATUS_SUCCESS, "x", NULL);
    assert_int_equal(heard.ends, 1);
    free(heard.said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_forge_wants),
        cmocka_unit_test(where_there_is_no_forge),
        cmocka_unit_test(what_cannot_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
