/* Each request, exactly as it is sent. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/requests.h"

/* "METHOD path [body]" of a request, which is released. */
static void check(struct engine_request *rq, const char *want)
{
    auto_str struct str got = STR_INIT;
    auto_free char *body = rq->body ? json_canonical(rq->body) : NULL;
    str_addf(&got, "%s %s%s%s", rq->method, rq->path, body ? " " : "", body ? body : "");
    assert_string_equal(got.buf, want);
    engine_request_clear(rq);
    assert_null(rq->path);
}

#define CHECK(call, want)         \
    do {                          \
        struct engine_request rq; \
        call;                     \
        check(&rq, want);         \
    } while (0)

#define LABEL "%22label%22%3A%7B%22com.docker.compose.project"
#define TRUE "%22%3Atrue"

static json_t *body(void)
{
    return json_pack("{s:s}", "k", "v");
}

static void containers(void **state)
{
    (void)state;
    CHECK(rq_containers(&rq, "app", true),
          "GET /containers/json?all=1&filters=%7B" LABEL "%3Dapp" TRUE "%7D%7D");
    CHECK(rq_containers(&rq, NULL, false), "GET /containers/json?filters=%7B" LABEL TRUE "%7D%7D");
    CHECK(rq_containers_any(&rq, "publish", "80"),
          "GET /containers/json?all=1&filters=%7B%22publish%22%3A%7B%2280" TRUE "%7D%7D");
    CHECK(rq_container_inspect(&rq, "abc"), "GET /containers/abc/json");
    CHECK(rq_container_create(&rq, "app-db-1", NULL, body()),
          "POST /containers/create?name=app-db-1 {\"k\":\"v\"}");
    CHECK(rq_container_create(&rq, "a", "linux/arm64", body()),
          "POST /containers/create?name=a&platform=linux%2Farm64 {\"k\":\"v\"}");
    CHECK(rq_container_start(&rq, "a"), "POST /containers/a/start");
    CHECK(rq_container_stop(&rq, "a", NULL, -1), "POST /containers/a/stop");
    CHECK(rq_container_stop(&rq, "a", "SIGINT", 0), "POST /containers/a/stop?signal=SIGINT&t=0");
    CHECK(rq_container_restart(&rq, "a", 10), "POST /containers/a/restart?t=10");
    CHECK(rq_container_kill(&rq, "a", NULL), "POST /containers/a/kill");
    CHECK(rq_container_kill(&rq, "a", "HUP"), "POST /containers/a/kill?signal=HUP");
    CHECK(rq_container_pause(&rq, "a"), "POST /containers/a/pause");
    CHECK(rq_container_unpause(&rq, "a"), "POST /containers/a/unpause");
    CHECK(rq_container_remove(&rq, "a", true, true), "DELETE /containers/a?force=1&v=1");
    CHECK(rq_container_remove(&rq, "a", false, false), "DELETE /containers/a");
    CHECK(rq_container_rename(&rq, "a", "b"), "POST /containers/a/rename?name=b");
    CHECK(rq_container_wait(&rq, "a", "next-exit"), "POST /containers/a/wait?condition=next-exit");
    CHECK(rq_container_top(&rq, "a", NULL), "GET /containers/a/top");
    CHECK(rq_container_top(&rq, "a", "-o pid,cmd"), "GET /containers/a/top?ps_args=-o%20pid%2Ccmd");
    CHECK(rq_container_stats(&rq, "a", true), "GET /containers/a/stats?stream=1");
    CHECK(rq_container_stats(&rq, "a", false), "GET /containers/a/stats?stream=0");
    CHECK(rq_container_update(&rq, "a", body()), "POST /containers/a/update {\"k\":\"v\"}");
    CHECK(rq_container_resize(&rq, "a", 24, 80), "POST /containers/a/resize?h=24&w=80");
    CHECK(rq_container_export(&rq, "a"), "GET /containers/a/export");
    static const char *const changes[] = { "ENV A=1", "CMD a", NULL };
    struct commit_options all = { "r/i", "t", "me", "why not", changes, true };
    struct commit_options none = { 0 };
    CHECK(rq_container_commit(&rq, "a", &all),
          "POST /commit?container=a&repo=r%2Fi&tag=t&author=me&comment=why%20not&"
          "changes=ENV%20A%3D1&changes=CMD%20a&pause=1");
    CHECK(rq_container_commit(&rq, "a", &none), "POST /commit?container=a&pause=0");
}

static void logs(void **state)
{
    (void)state;
    struct logs_options all = { .tail = -1 };
    struct logs_options some = {
        .follow = true, .timestamps = true, .no_stderr = true, .tail = 0, .since = "1.5"
    };
    CHECK(rq_container_logs(&rq, "a", &all), "GET /containers/a/logs?stdout=1&stderr=1");
    CHECK(rq_container_logs(&rq, "a", &some),
          "GET /containers/a/logs?stdout=1&follow=1&timestamps=1&tail=0&since=1.5");
}

static void archives(void **state)
{
    (void)state;
    struct http_upload tar = { 0 };
    CHECK(rq_container_archive_get(&rq, "a", "/etc/x y"),
          "GET /containers/a/archive?path=%2Fetc%2Fx%20y");
    CHECK(rq_container_archive_stat(&rq, "a", "/"), "HEAD /containers/a/archive?path=%2F");
    CHECK(rq_container_archive_put(&rq, "a", "/", &tar, false),
          "PUT /containers/a/archive?path=%2F&noOverwriteDirNonDir=1");
    CHECK(rq_container_archive_put(&rq, "a", "/", &tar, true),
          "PUT /containers/a/archive?path=%2F&noOverwriteDirNonDir=1&copyUIDGID=1");
    CHECK(rq_container_archive_replace(&rq, "a", "/", &tar),
          "PUT /containers/a/archive?path=%2F&copyUIDGID=1");
}

static void execs(void **state)
{
    (void)state;
    CHECK(rq_exec_create(&rq, "a", body()), "POST /containers/a/exec {\"k\":\"v\"}");
    CHECK(rq_exec_start(&rq, "e"), "POST /exec/e/start {\"Detach\":false,\"Tty\":false}");
    CHECK(rq_exec_start_detached(&rq, "e", true),
          "POST /exec/e/start {\"Detach\":true,\"Tty\":true}");
    CHECK(rq_exec_inspect(&rq, "e"), "GET /exec/e/json");
    CHECK(rq_exec_resize(&rq, "e", 1, 2), "POST /exec/e/resize?h=1&w=2");
}

/* 62 digits of an image's id. */
#define ID "12345678901234567890123456789012345678901234567890123456789012"

static void images(void **state)
{
    (void)state;
    const char *refs[] = { "a:1", "h:5000/b", "a:1" };
    CHECK(rq_images(&rq, NULL, 0), "GET /images/json");
    CHECK(rq_images(&rq, refs, 3), "GET /images/json?filters=%7B%22reference%22%3A%7B%22a%3A1" TRUE
                                   "%2C%22h%3A5000%2Fb" TRUE "%7D%7D");
    const char *with_id[] = { "a:1", ID "aa" };
    CHECK(rq_images(&rq, with_id, 2), "GET /images/json");
    CHECK(rq_images_label(&rq, "l=v"),
          "GET /images/json?filters=%7B%22label%22%3A%7B%22l%3Dv" TRUE "%7D%7D");
    CHECK(rq_image_inspect(&rq, "h:5000/b:1@sha256:ab"), "GET /images/h:5000/b:1@sha256:ab/json");
    CHECK(rq_image_pull(&rq, "b", "1", NULL, NULL), "POST /images/create?fromImage=b&tag=1");
    CHECK(rq_image_pull(&rq, "h:5000/b", NULL, "linux/amd64", NULL),
          "POST /images/create?fromImage=h%3A5000%2Fb&tag=latest&platform=linux%2Famd64");
    CHECK(rq_image_push(&rq, "h:5000/b", "1", NULL), "POST /images/h:5000/b/push?tag=1");
    CHECK(rq_image_tag(&rq, "b:1", "c", "2"), "POST /images/b:1/tag?repo=c&tag=2");
    CHECK(rq_image_remove(&rq, "b:1", true), "DELETE /images/b:1?force=1");
    CHECK(rq_image_history(&rq, "b:1"), "GET /images/b:1/history");
    CHECK(rq_distribution(&rq, "h/b:1", NULL), "GET /distribution/h/b:1/json");
}

static void networks_and_volumes(void **state)
{
    (void)state;
    const char *names[] = { "a.b", "c" };
    CHECK(rq_networks(&rq, "app"), "GET /networks?filters=%7B" LABEL "%3Dapp" TRUE "%7D%7D");
    CHECK(rq_networks_named(&rq, names, 2),
          "GET /networks?filters=%7B%22name%22%3A%7B%22%5Ea%5C%5C.b%24" TRUE "%2C%22%5Ec%24" TRUE
          "%7D%7D");
    CHECK(rq_networks_named(&rq, NULL, 0), "GET /networks");
    CHECK(rq_network_inspect(&rq, "n"), "GET /networks/n");
    CHECK(rq_network_create(&rq, body()), "POST /networks/create {\"k\":\"v\"}");
    CHECK(rq_network_remove(&rq, "n"), "DELETE /networks/n");
    CHECK(rq_network_connect(&rq, "n", body()), "POST /networks/n/connect {\"k\":\"v\"}");
    CHECK(rq_network_disconnect(&rq, "n", "c", true),
          "POST /networks/n/disconnect {\"Container\":\"c\",\"Force\":true}");
    CHECK(rq_volumes(&rq, NULL), "GET /volumes?filters=%7B" LABEL TRUE "%7D%7D");
    CHECK(rq_volume_inspect(&rq, "v"), "GET /volumes/v");
    CHECK(rq_volume_create(&rq, body()), "POST /volumes/create {\"k\":\"v\"}");
    CHECK(rq_volume_remove(&rq, "v", true), "DELETE /volumes/v?force=1");
    CHECK(rq_volume_remove(&rq, "v", false), "DELETE /volumes/v");
}

static void the_system(void **state)
{
    (void)state;
    const char *actions[] = { "start", "health_status" };
    CHECK(rq_ping(&rq), "GET /_ping");
    CHECK(rq_version(&rq), "GET /version");
    CHECK(rq_info(&rq), "GET /info");
    CHECK(rq_disk_usage(&rq), "GET /system/df");
    CHECK(rq_volume_usage(&rq), "GET /system/df?type=volume");
    CHECK(rq_events(&rq, "app", "12.5", NULL, actions, 2),
          "GET /events?since=12.5&filters=%7B%22type%22%3A%7B%22container" TRUE "%7D%2C" LABEL
          "%3Dapp" TRUE "%7D%2C%22event%22%3A%7B%22start" TRUE "%2C%22health_status" TRUE "%7D%7D");
    const char *die = "die";
    CHECK(rq_events(&rq, NULL, NULL, NULL, &die, 1),
          "GET /events?filters=%7B%22type%22%3A%7B%22container" TRUE "%7D%2C" LABEL TRUE
          "%7D%2C%22event%22%3A%7B%22die" TRUE "%2C%22died" TRUE "%7D%7D");
    CHECK(rq_events(&rq, NULL, NULL, "9", NULL, 0),
          "GET /events?until=9&filters=%7B%22type%22%3A%7B%22container" TRUE "%7D%2C" LABEL TRUE
          "%7D%7D");
}

static void names_cannot_leave_their_place(void **state)
{
    (void)state;
    CHECK(rq_container_remove(&rq, "../images/x?force=1#", false, false),
          "DELETE /containers/..%2Fimages%2Fx%3Fforce%3D1%23");
    CHECK(rq_volume_remove(&rq, "a b\r\n\xc3\xa4", false), "DELETE /volumes/a%20b%0D%0A%C3%A4");
    CHECK(rq_image_inspect(&rq, "a b?c"), "GET /images/a%20b%3Fc/json");
}

static void a_filter_is_never_left_out(void **state)
{
    (void)state;
    CHECK(rq_containers(&rq, "\xff", true),
          "GET /containers/json?all=1&filters=%7B" LABEL "%3D%5C%5Cxff" TRUE "%7D%7D");
}

static void how_answers_come(void **state)
{
    (void)state;
    struct engine_request rq;
    struct logs_options follow = { .follow = true, .tail = -1 };
    rq_container_logs(&rq, "a", &follow);
    assert_int_equal(rq.answer, ENGINE_BYTES);
    assert_true(rq.quiet_ok);
    engine_request_clear(&rq);
    rq_events(&rq, NULL, NULL, NULL, NULL, 0);
    assert_int_equal(rq.answer, ENGINE_STREAM);
    assert_true(rq.quiet_ok);
    engine_request_clear(&rq);
    rq_container_stop(&rq, "a", NULL, 600); /* the engine is silent while the container stops */
    assert_true(rq.silence_ms > 600 * 1000);
    engine_request_clear(&rq);
    rq_image_push(&rq, "a", "1", NULL);
    assert_string_equal(rq.registry_auth, "e30=");
    engine_request_clear(&rq);
    rq_container_remove(&rq, "a", true, false);
    assert_true(rq.missing_ok);
    engine_request_clear(&rq);
    rq_ping(&rq);
    assert_true(rq.no_version);
    engine_request_clear(&rq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers),
        cmocka_unit_test(logs),
        cmocka_unit_test(archives),
        cmocka_unit_test(execs),
        cmocka_unit_test(images),
        cmocka_unit_test(networks_and_volumes),
        cmocka_unit_test(the_system),
        cmocka_unit_test(names_cannot_leave_their_place),
        cmocka_unit_test(a_filter_is_never_left_out),
        cmocka_unit_test(how_answers_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
