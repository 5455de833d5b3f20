/* What `config` prints: the document, what of it was asked for, and lists. */
#include "model_stack.h"

#include "base/mem.h"
#include "model/export.h"

#define FILE_TEXT                                                                        \
    "name: demo\n"                                                                       \
    "services:\n"                                                                        \
    "  web: {image: 'web:${TAG:-1}', depends_on: [db], networks: [front], environment: " \
    "{PRICE: '5$$'}}\n"                                                                  \
    "  db: {build: ., volumes: ['data:/data'], profiles: []}\n"                          \
    "  other: {image: x, networks: [idle], volumes: ['else:/x']}\n"                      \
    "  debug: {image: x, profiles: [dbg, dev]}\n"                                        \
    "networks: {front: {}, idle: {}, unused: {}}\n"                                      \
    "volumes: {data: {}, else: {}, unused: {}}\n"

static char *exported(const struct loaded *l, struct export_options opt)
{
    auto_str struct str out = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    if (!l->stack)
        fail_msg("did not load: %s", l->said);
    if (export_stack(&out, l->stack, &opt, &err) < 0)
        return xstrdup(err.msg);
    return str_detach(&out);
}

static void assert_has(const char *text, const char *part, bool wanted)
{
    if ((strstr(text, part) != NULL) != wanted)
        fail_msg("should %shave: %s\n%s", wanted ? "" : "not ", part, text);
}

static void test_yaml(void **state)
{
    auto_loaded struct loaded l = load_text(FILE_TEXT);
    auto_free char *yaml =
        exported(&l, (struct export_options){ .format = EXPORT_YAML,
                                              .services = (const char *const[]){ "web", NULL } });
    auto_free char *wanted = xasprintf("name: demo\n"
                                       "services:\n"
                                       "  db:\n"
                                       "    build:\n"
                                       "      context: %s\n"
                                       "      dockerfile: Dockerfile\n"
                                       "    networks:\n"
                                       "      default: null\n"
                                       "    volumes:\n"
                                       "      - type: volume\n"
                                       "        source: data\n"
                                       "        target: /data\n"
                                       "        volume: {}\n"
                                       "  web:\n"
                                       "    depends_on:\n"
                                       "      db:\n"
                                       "        condition: service_started\n"
                                       "        required: true\n"
                                       "    environment:\n"
                                       "      PRICE: 5$$\n"
                                       "    image: web:1\n"
                                       "    networks:\n"
                                       "      front: null\n"
                                       "networks:\n"
                                       "  default:\n"
                                       "    name: demo_default\n"
                                       "  front:\n"
                                       "    name: demo_front\n"
                                       "volumes:\n"
                                       "  data:\n"
                                       "    name: demo_data\n",
                                       (char *)*state);
    assert_string_equal(yaml, wanted);
}

/* What is printed means the same when it is read again. */
/* Keys that were filled in stand where they do in a file that says them. */
static void test_the_order_of_keys(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("services: {a: {build: {context: ., args: {A: b}}, networks: [front]}}\n"
                  "networks: {front: {driver: bridge}}\n"
                  "name: demo\n");
    auto_free char *once = exported(&l, (struct export_options){ .format = EXPORT_YAML });
    assert_has(once, "    name: demo_front\n    driver: bridge\n", true);
    auto_loaded struct loaded again = load_text(once);
    auto_free char *twice = exported(&again, (struct export_options){ .format = EXPORT_YAML });
    assert_string_equal(twice, once);
}

static void test_it_can_be_read_again(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(FILE_TEXT);
    for (int format = EXPORT_YAML; format <= EXPORT_JSON; format++) {
        auto_free char *text = exported(&l, (struct export_options){ .format = format });
        auto_loaded struct loaded again = load_text(text);
        assert_non_null(again.stack);
        assert_int_equal(again.stack->nservices, l.stack->nservices);
        for (size_t i = 0; i < l.stack->nservices; i++)
            assert_string_equal(again.stack->services[i].hash, l.stack->services[i].hash);
    }
}

static void test_a_native_stack_is_printed_for_docker_compose(void **state)
{
    (void)state;
    put("web/docstack/Dockerfile", "");
    put("web/docstack/docstack.yaml",
        "services: {web: {links: [db], link_environment: true, ready: "
        "{tcp: 80}}}\nrequires: {db: x}\n");
    put("stack.yaml", "name: demo\nprojects: {web: web}\n");
    auto_loaded struct loaded l = load_here();
    auto_free char *yaml = exported(&l, (struct export_options){ .format = EXPORT_YAML });
    assert_has(yaml, "x-ready:", true);
    assert_has(yaml, "x-link-environment: true", true);
    assert_has(yaml, "x-condition: ready", true);
    assert_has(yaml, "projects", false);
    assert_int_equal(unlink("stack.yaml"), 0);
    auto_loaded struct loaded again = load_text(yaml);
    const struct service *web = service(&again, "web");
    assert_int_equal(web->ready.tcp, 80);
    assert_true(web->link_environment);
    assert_int_equal(web->deps[0].condition, COND_READY);
    assert_string_equal(web->hash, service(&l, "web")->hash);
}

static void test_what_is_chosen(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(FILE_TEXT);
    auto_free char *used = exported(&l, (struct export_options){ .format = EXPORT_JSON });
    assert_has(used, "demo_idle", true);
    assert_has(used, "demo_unused", false);
    assert_has(used, "debug", false);
    auto_free char *all =
        exported(&l, (struct export_options){ .format = EXPORT_JSON, .all_resources = true });
    assert_has(all, "demo_unused", true);
    auto_free char *images = exported(&l, (struct export_options){ .images_only = true });
    assert_has(images, "  web:\n    image: web:1\n", true);
    assert_has(images, "networks", false);
    auto_free char *none =
        exported(&l, (struct export_options){ .services = (const char *const[]){ "nope", NULL } });
    assert_string_equal(none, "no such service: nope");
}

static void test_lists(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(FILE_TEXT);
    static const char *const wanted[] = {
        [EXPORT_SERVICES] = "db\nother\nweb\n",  [EXPORT_NETWORKS] = "default\nfront\nidle\n",
        [EXPORT_VOLUMES] = "data\nelse\n",       [EXPORT_PROFILES] = "dbg\ndev\n",
        [EXPORT_IMAGES] = "demo-db\nweb:1\nx\n", [EXPORT_MODELS] = "",
    };
    for (size_t i = 0; i < countof(wanted); i++) {
        auto_str struct str out = STR_INIT;
        struct export_options opt = { 0 };
        assert_int_equal(export_names(&out, l.stack, (enum export_list)i, &opt, NULL), 0);
        assert_string_equal(out.buf, wanted[i]);
    }
}

static void test_hashes(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(FILE_TEXT);
    auto_str struct str out = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    auto_free char *wanted =
        xasprintf("db %s\nweb %s\n", service(&l, "db")->hash, service(&l, "web")->hash);
    assert_int_equal(export_hashes(&out, l.stack, "web,db", &err), 0);
    assert_string_equal(out.buf, wanted);
    assert_int_equal(export_hashes(&out, l.stack, "nope", &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
}

static void test_variables(void **state)
{
    (void)state;
    put(".env", "FROM_FILE=1\n");
    auto_loaded struct loaded l =
        load_text("services: {a: {image: '${A:?needed}', command: '${B:-b ${C+c}} ${A-later}'}}\n");
    assert_null(l.stack);
    auto_loaded struct loaded set =
        load_with((struct load_options){ .environ = (const char *const[]){ "A=x", NULL } });
    auto_str struct str table = STR_INIT, json = STR_INIT, environment = STR_INIT;
    enum export_format format = EXPORT_JSON;
    export_variables(&table, set.stack, NULL);
    assert_string_equal(
        table.buf, "NAME                REQUIRED            DEFAULT VALUE       ALTERNATE VALUE\n"
                   "A                   true                                    \n"
                   "B                   false               b ${C+c}            \n"
                   "C                   false                                   c\n");
    export_variables(&json, set.stack, &format);
    assert_has(json.buf, "\"DefaultValue\": \"b ${C+c}\"", true);
    export_environment(&environment, set.stack);
    assert_has(environment.buf, "A=x\n", true);
    assert_has(environment.buf, "FROM_FILE=1\n", true);
    assert_has(environment.buf, "COMPOSE_PROJECT_NAME=", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_yaml),
        stack_test(test_the_order_of_keys),
        stack_test(test_it_can_be_read_again),
        stack_test(test_a_native_stack_is_printed_for_docker_compose),
        stack_test(test_what_is_chosen),
        stack_test(test_lists),
        stack_test(test_hashes),
        stack_test(test_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
