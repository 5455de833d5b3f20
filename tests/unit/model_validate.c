/* References, cycles, what is taken twice: all mistakes of a file in one run, with their places. */
#include "model_stack.h"

static void test_references(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text("services:\n"
                                            "  web:\n"
                                            "    image: x\n"
                                            "    networks: [frnt]\n"
                                            "    volumes: ['dta:/data']\n"
                                            "    configs: [c]\n"
                                            "    secrets: [s]\n"
                                            "    depends_on: [dbb]\n"
                                            "    links: ['dd:alias']\n"
                                            "    ipc: service:nobody\n"
                                            "  db: {image: x}\n"
                                            "  none: {command: x}\n"
                                            "networks: {front: {}}\n"
                                            "volumes: {data: {}}\n"
                                            "secrets: {e: {driver: d}, f: {external: true}}\n");
    static const char *const lines[] = {
        "compose.yaml:4:16: error: service 'web' uses network 'frnt', which is not defined; did you "
        "mean 'front'?",
        "compose.yaml:5:15: error: service 'web' uses volume 'dta', which is not defined; did you "
        "mean 'data'?",
        "compose.yaml:6:15: error: service 'web' uses config 'c', which is not defined; define it at "
        "the top level: configs: { c: {} }",
        "compose.yaml:7:15: error: service 'web' uses secret 's', which is not defined",
        "compose.yaml:8:18: error: service 'web' depends on 'dbb', which is not defined; did you mean "
        "'db'?",
        "compose.yaml:9:13: error: service 'web' depends on 'dd', which is not defined",
        "compose.yaml:10:10: error: service 'web' depends on 'nobody', which is not defined",
        "compose.yaml:12:3: error: service 'none' has neither an image nor a build",
        "compose.yaml:15:14: error: secrets.e: one of 'file', 'environment' must be set",
        "9 errors in the stack file",
    };
    for (size_t i = 0; i < countof(lines); i++)
        assert_refused(&l, lines[i]);
    assert_int_equal(l.kind, ERR_INPUT);
}

static void test_cycles_are_printed_as_they_run(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text("services:\n"
                                            "  entry: {image: x, depends_on: [a]}\n"
                                            "  a: {image: x, links: [b]}\n"
                                            "  b: {image: x, network_mode: 'service:c'}\n"
                                            "  c: {image: x, volumes_from: [a]}\n");
    assert_refused(&l, "compose.yaml:5:32: error: services depend on each other in a cycle: "
                       "a -> b -> c -> a");
    assert_said(&l, "1 error in the stack file");
    auto_loaded struct loaded self = load_text("services: {a: {image: x, depends_on: [a]}}\n");
    assert_refused(&self, "in a cycle: a -> a");
}

static void test_profiles(void **state)
{
    (void)state;
#define PROFILES(more)                                                             \
    "services:\n"                                                                  \
    "  web: {image: x, depends_on: {dbg: {condition: service_started" more "}}}\n" \
    "  dbg: {image: x, profiles: [debug], depends_on: [gone]}\n"
    auto_loaded struct loaded l = load_text(PROFILES(""));
    assert_refused(&l, "compose.yaml:2:32: error: service 'web' depends on 'dbg', which no active "
                       "profile enables; --profile debug");
    /* What does not take part is not looked at. */
    assert_null(strstr(l.said, "gone"));
    auto_loaded struct loaded optional = load_text(PROFILES(", required: false"));
    assert_int_equal(service(&optional, "web")->ndeps, 0);
}

static void test_what_is_taken_twice(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(
        "services:\n"
        "  a: {image: x, container_name: one, ports: ['80:80', '443:443/udp']}\n"
        "  b: {image: x, container_name: one, ports: ['80:8080', '443:443']}\n"
        "  c: {image: x, volumes: ['./a:/x'], tmpfs: [/x]}\n"
        "  d: {image: x, container_name: four, scale: 2}\n"
        "  e: {image: x, scale: 2, deploy: {replicas: 3}}\n"
        "  f: {image: x, mem_limit: 1g, deploy: {resources: {limits: {memory: 1024m}}}}\n");
    assert_refused(&l, "compose.yaml:3:33: error: service 'b': container name \"one\" is "
                       "already in use by service 'a'");
    assert_refused(&l, "compose.yaml:3:46: warning: services 'a' and 'b' publish the same port 80");
    assert_refused(&l, "compose.yaml:4:27: error: service 'c' mounts two things at the same place");
    assert_refused(&l, "compose.yaml:5:33: error: service 'd' runs 2 times");
    assert_refused(&l, "compose.yaml:6:24: error: service 'e': 'scale' and 'deploy.replicas' say "
                       "different things");
    assert_said(&l, "4 errors in the stack file");
    assert_null(strstr(l.said, "443"));
}

static void test_values_are_not_shown(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("services:\n"
                  "  a:\n"
                  "    image: [hunter2]\n"
                  "    environment: {A: {B: hunter2}}\n"
                  "    command: ${X?hunter2\n"
                  "    healthcheck: {test: [hunter2], interval: hunter2}\n"
                  "    restart: hunter2\n"
                  "    ports: [hunter2]\n"
                  "secrets: {s: {content: hunter2}}\n");
    assert_null(l.stack);
    assert_null(strstr(l.said, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_references),
        stack_test(test_cycles_are_printed_as_they_run),
        stack_test(test_profiles),
        stack_test(test_what_is_taken_twice),
        stack_test(test_values_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
