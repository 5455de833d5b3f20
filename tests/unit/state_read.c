/* From list answers to a snapshot. */
#include "unit.h"

#include "base/str.h"
#include "model/labels.h"
#include "state/state.h"

static struct snapshot *read_one(const char *containers, const char *networks, const char *volumes,
                                 const char *images)
{
    struct snapshot *s = snapshot_new();
    const struct {
        const char *text;
        int (*read)(struct snapshot *, const json_t *, struct error *);
    } parts[] = { { containers, snapshot_read_containers },
                  { networks, snapshot_read_networks },
                  { volumes, snapshot_read_volumes },
                  { images, snapshot_read_images } };
    for (size_t i = 0; i < countof(parts); i++) {
        if (!parts[i].text)
            continue;
        auto_json json_t *j = json_parse(parts[i].text, strlen(parts[i].text), "test", NULL);
        assert_non_null(j);
        assert_int_equal(parts[i].read(s, j, NULL), 0);
    }
    return s;
}

/* As Engine 20.10 answers. */
static const char web[] =
    "[{\"Id\":\"6023ac58c7dae31f\",\"Names\":[\"/demo-db-1/web\",\"/demo-web-2\"],"
    "\"Image\":\"busybox\",\"ImageID\":\"sha256:c5c8\",\"Command\":\"sleep 1000\","
    "\"Created\":1795258620,\"Ports\":[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,"
    "\"Type\":\"tcp\"},{\"PrivatePort\":443,\"Type\":\"tcp\"}],"
    "\"Labels\":{\"z\":\"26\",\"com.docker.compose.service\":\"web\","
    "\"com.docker.compose.container-number\":\"2\",\"com.docker.compose.oneoff\":\"False\"},"
    "\"State\":\"running\",\"Status\":\"Up 2 seconds (health: starting)\","
    "\"HostConfig\":{\"NetworkMode\":\"demo_default\"},"
    "\"NetworkSettings\":{\"Networks\":{\"demo_default\":{\"NetworkID\":\"95a9\"},"
    "\"demo_back\":{\"NetworkID\":\"\"}}},"
    "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"demo_data\",\"Source\":\"/var/x\","
    "\"Destination\":\"/data\"}]}]";

static void a_container_is_read_whole(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s = read_one(web, NULL, NULL, NULL);
    assert_int_equal(s->ncontainers, 1);
    assert_int_equal(s->seen, OBSERVE_CONTAINERS);
    const struct seen_container *c = s->containers;
    assert_string_equal(c->id, "6023ac58c7dae31f");
    assert_string_equal(c->name, "demo-web-2");
    assert_string_equal(c->service, "web");
    assert_int_equal(c->number, 2);
    assert_false(c->oneoff);
    assert_string_equal(c->image, "busybox");
    assert_string_equal(c->image_id, "sha256:c5c8");
    assert_string_equal(c->command, "sleep 1000");
    assert_string_equal(c->network_mode, "demo_default");
    assert_int_equal(c->created, 1795258620);
    assert_int_equal(c->state, CONTAINER_RUNNING);
    assert_int_equal(c->health, HEALTH_STARTING);
    assert_int_equal(c->exit_code, -1);
    assert_string_equal(label_get(c->labels, c->nlabels, "z"), "26");
    assert_string_equal(label_get(c->labels, c->nlabels, "y"), "");
    assert_int_equal(c->nnetworks, 2);
    assert_string_equal(c->networks[0].name, "demo_default");
    assert_string_equal(c->networks[0].id, "95a9");
    assert_string_equal(c->networks[1].id, "");
    assert_int_equal(c->nmounts, 1);
    assert_string_equal(c->mounts[0].name, "demo_data");
    assert_string_equal(c->mounts[0].target, "/data");
    assert_int_equal(c->nports, 2);
    assert_int_equal(c->ports[0].published, 8080);
    assert_string_equal(c->ports[0].host_ip, "0.0.0.0");
    assert_int_equal(c->ports[1].published, 0);
    assert_int_equal(c->ports[1].target, 443);
    assert_string_equal(c->ports[1].protocol, "tcp");
}

static void the_state_and_the_status_line_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *state, *status;
        enum container_state expected;
        enum health_state health;
        int exit_code;
    } cases[] = {
        { "created", "Created", CONTAINER_CREATED, HEALTH_NONE, -1 },
        { "running", "Up 3 hours", CONTAINER_RUNNING, HEALTH_NONE, -1 },
        { "running", "Up 3 hours (healthy)", CONTAINER_RUNNING, HEALTH_HEALTHY, -1 },
        { "running", "Up 1 second (unhealthy)", CONTAINER_RUNNING, HEALTH_UNHEALTHY, -1 },
        { "paused", "Up 3 hours (Paused)", CONTAINER_PAUSED, HEALTH_NONE, -1 },
        { "restarting", "Restarting (1) 2 seconds ago", CONTAINER_RESTARTING, HEALTH_NONE, -1 },
        { "exited", "Exited (0) 2 seconds ago", CONTAINER_EXITED, HEALTH_NONE, 0 },
        { "exited", "Exited (137) About a minute ago", CONTAINER_EXITED, HEALTH_NONE, 137 },
        { "exited", "Exited (", CONTAINER_EXITED, HEALTH_NONE, -1 },
        { "exited", "Exited (99999999999)", CONTAINER_EXITED, HEALTH_NONE, -1 },
        { "removing", "Removal In Progress", CONTAINER_REMOVING, HEALTH_NONE, -1 },
        { "dead", "Dead", CONTAINER_DEAD, HEALTH_NONE, -1 },
        { "configured", "", CONTAINER_CREATED, HEALTH_NONE, -1 },
        { "something new", "", CONTAINER_EXITED, HEALTH_NONE, -1 },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_json json_t *j = json_pack("[{s:s, s:s, s:s}]", "Id", "1", "State", cases[i].state,
                                        "Status", cases[i].status);
        auto_(snapshot_freep) struct snapshot *s = snapshot_new();
        assert_int_equal(snapshot_read_containers(s, j, NULL), 0);
        assert_int_equal(s->containers[0].state, cases[i].expected);
        assert_int_equal(s->containers[0].health, cases[i].health);
        assert_int_equal(s->containers[0].exit_code, cases[i].exit_code);
    }
}

static void a_network_id_that_is_its_name_is_none(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s =
        read_one("[{\"Id\":\"1\",\"Names\":[\"a\"],\"NetworkSettings\":{\"Networks\":"
                 "{\"n\":{\"NetworkID\":\"n\"}}}}]",
                 NULL, NULL, NULL);
    assert_string_equal(s->containers[0].networks[0].name, "n");
    assert_string_equal(s->containers[0].networks[0].id, "");
}

static void newer_engines_say_health_and_podman_the_exit_code_in_fields(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s = read_one(
        "[{\"Id\":\"1\",\"Names\":[\"/a\"],\"State\":\"running\",\"Status\":\"Up\",\"Health\":{\"Status\":"
        "\"unhealthy\"}},{\"Id\":\"2\",\"Names\":[\"b\"],\"State\":\"exited\",\"Status\":\"\",\"ExitCode\":3}]",
        NULL, NULL, NULL);
    assert_int_equal(s->containers[0].health, HEALTH_UNHEALTHY);
    assert_string_equal(s->containers[1].name, "b");
    assert_int_equal(s->containers[1].exit_code, 3);
}

static void containers_are_sorted_and_found_by_service(void **state)
{
    (void)state;
    auto_json json_t *list = json_array();
    static const char *const rows[][3] = {
        { "web", "10", "w10" }, { "db", "1", "d1" },    { "web", "2", "w2" },
        { "web", "2", "t_w2" }, { "web", "odd", "w?" }, { "weber", "1", "x" },
    };
    for (size_t i = 0; i < countof(rows); i++)
        json_array_append_new(list, json_pack("{s:s, s:[s], s:{s:s, s:s}}", "Id", "1", "Names",
                                              rows[i][2], "Labels", LABEL_SERVICE, rows[i][0],
                                              LABEL_NUMBER, rows[i][1]));
    auto_(snapshot_freep) struct snapshot *s = snapshot_new();
    assert_int_equal(snapshot_read_containers(s, list, NULL), 0);
    size_t n;
    const struct seen_container *c = snapshot_service(&n, s, "web");
    assert_int_equal(n, 4);
    assert_string_equal(c[0].name, "w?");
    assert_string_equal(c[1].name, "t_w2");
    assert_string_equal(c[2].name, "w2");
    assert_string_equal(c[3].name, "w10");
    assert_null(snapshot_service(&n, s, "we"));
    assert_int_equal(n, 0);
}

static void networks_and_volumes_are_found_by_name(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s =
        read_one(NULL,
                 "[{\"Name\":\"host\",\"Id\":\"2\"},{\"Name\":\"demo_default\",\"Id\":\"1\","
                 "\"Driver\":\"bridge\",\"Labels\":{\"a\":\"b\"}}]",
                 "{\"Volumes\":[{\"Name\":\"v\",\"Driver\":\"local\",\"Labels\":null}]}", NULL);
    assert_string_equal(snapshot_network(s, "demo_default")->id, "1");
    assert_string_equal(snapshot_network(s, "host")->driver, "");
    assert_null(snapshot_network(s, "demo"));
    assert_string_equal(snapshot_volume(s, "v")->driver, "local");
    assert_null(snapshot_volume(s, "w"));
    assert_int_equal(s->seen, OBSERVE_NETWORKS | OBSERVE_VOLUMES);
    auto_(snapshot_freep) struct snapshot *none = read_one(NULL, NULL, "{\"Volumes\":null}", NULL);
    assert_null(snapshot_volume(none, "v"));
    assert_null(snapshot_network(none, "v"));
}

#define ID "1234567890123456789012345678901234567890123456789012345678901234"

static void images_are_found_by_any_spelling(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s =
        read_one(NULL, NULL, NULL,
                 "[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"busybox:latest\",\"h:5000/x:1\"],"
                 "\"RepoDigests\":[\"busybox@sha256:dd\"],\"Created\":5,\"Size\":7},"
                 "{\"Id\":\"sha256:bb\",\"RepoTags\":[\"<none>:<none>\"],\"RepoDigests\":null},"
                 "{\"Id\":\"sha256:cc\",\"RepoTags\":[\"docker.io/library/debian:12\","
                 "\"localhost/demo-web:latest\"]},"
                 "{\"Id\":\"sha256:" ID "\",\"RepoTags\":[]}]");
    static const struct {
        const char *ref, *id;
    } cases[] = {
        { "busybox", "sha256:aa" },
        { "busybox:latest", "sha256:aa" },
        { "docker.io/library/busybox", "sha256:aa" },
        { "library/busybox:latest", "sha256:aa" },
        { "busybox@sha256:dd", "sha256:aa" },
        { "busybox:1.36@sha256:dd", "sha256:aa" },
        { "h:5000/x:1", "sha256:aa" },
        { "sha256:bb", "sha256:bb" },
        { ID, "sha256:" ID },
        { "sha256:" ID, "sha256:" ID },
        { "debian:12", "sha256:cc" },
        { "demo-web", "sha256:cc" },
        { "h:5000/x", NULL },
        { "busybox:1.36", NULL },
        { "<none>", NULL },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        const struct seen_image *image = snapshot_image(s, cases[i].ref);
        if (cases[i].id)
            assert_string_equal(image->id, cases[i].id);
        else
            assert_null(image);
    }
    assert_int_equal(snapshot_image(s, "busybox")->size, 7);
}

/* The containerd image store lists one digest of an image with several names. */
static void ids_that_are_digests_go_with_every_name(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s =
        read_one(NULL, NULL, NULL,
                 "[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"x:1\",\"h:5000/x:1\"],"
                 "\"RepoDigests\":[\"x@sha256:aa\"]},"
                 "{\"Id\":\"sha256:bb\",\"RepoTags\":[\"y:1\",\"h:5000/y:1\"],"
                 "\"RepoDigests\":[\"y@sha256:dd\"]}]");
    assert_string_equal(snapshot_image(s, "h:5000/x@sha256:aa")->id, "sha256:aa");
    assert_string_equal(snapshot_image(s, "x@sha256:aa")->id, "sha256:aa");
    assert_string_equal(snapshot_image(s, "h:5000/x:1")->id, "sha256:aa");
    assert_null(snapshot_image(s, "h:5000/y@sha256:bb"));
    assert_null(snapshot_image(s, "h:5000/y@sha256:dd"));
}

static void answers_of_another_form_are_errors(void **state)
{
    (void)state;
    auto_(snapshot_freep) struct snapshot *s = snapshot_new();
    auto_json json_t *object = json_pack("{s:s}", "message", "no");
    auto_json json_t *numbers = json_pack("[i]", 1);
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(snapshot_read_containers(s, object, &err), -1);
    assert_int_equal(err.kind, ERR_PROTOCOL);
    assert_int_equal(snapshot_read_networks(s, numbers, &err), -1);
    assert_int_equal(snapshot_read_images(s, NULL, &err), -1);
    assert_int_equal(snapshot_read_volumes(s, numbers, &err), -1);
    auto_json json_t *volumes = json_pack("{s:i}", "Volumes", 3);
    assert_int_equal(snapshot_read_volumes(s, volumes, &err), -1);
    assert_int_equal(s->seen, 0);
    /* of the right form, with nothing right in it */
    auto_json json_t *odd =
        json_pack("[{s:s, s:[i], s:s, s:[i], s:s, s:{s:i}}]", "Id", "1", "Names", 1, "Labels", "x",
                  "Mounts", 1, "Ports", "y", "NetworkSettings", "Networks", 1);
    assert_int_equal(snapshot_read_containers(s, odd, &err), 0);
    assert_string_equal(s->containers[0].name, "");
    /* What has no id can neither be asked for nor be left out: it is there. */
    json_object_set_new(json_array_get(odd, 0), "Id", json_null());
    assert_int_equal(snapshot_read_containers(s, odd, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_is_read_whole),
        cmocka_unit_test(the_state_and_the_status_line_are_understood),
        cmocka_unit_test(newer_engines_say_health_and_podman_the_exit_code_in_fields),
        cmocka_unit_test(containers_are_sorted_and_found_by_service),
        cmocka_unit_test(networks_and_volumes_are_found_by_name),
        cmocka_unit_test(a_network_id_that_is_its_name_is_none),
        cmocka_unit_test(images_are_found_by_any_spelling),
        cmocka_unit_test(ids_that_are_digests_go_with_every_name),
        cmocka_unit_test(answers_of_another_form_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
