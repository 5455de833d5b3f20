/* The fig form and Compose v1: services at the root. */
#include "model_stack.h"

static struct loaded load_fig(const char *text)
{
    put("fig.yml", text);
    return load_here();
}

static void test_links(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_fig("web:\n  build: .\n  links: [db, 'db:pg']\n"
                                           "db:\n  image: postgres\n");
    const struct service *web = service(&l, "web");
    assert_true(web->link_environment);
    assert_true(web->link_numbers);
    assert_int_equal(web->nlinks, 2);
    assert_string_equal(web->links[0].alias, "db");
    assert_string_equal(web->links[1].alias, "pg");
    assert_int_equal(web->ndeps, 1);
    assert_int_equal(web->deps[0].condition, COND_READY);
    assert_true(web->deps[0].restart);
    assert_non_null(web->build);
}

/* `config` prints where 1.x put it; it runs where names and links outlive a restart. */
static void test_the_network(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_fig("web:\n  image: x\nhost:\n  image: x\n  net: host\n"
                                           "same:\n  image: x\n  net: 'container:web'\n"
                                           "out:\n  image: x\n  net: 'container:elsewhere'\n"
                                           "bridge:\n  image: x\n  net: bridge\n");
    const struct service *web = service(&l, "web");
    assert_null(web->network_mode);
    assert_int_equal(web->nendpoints, 1);
    assert_string_equal(web->endpoints[0].network->key, "default");
    assert_true(web->endpoints[0].network->used);
    assert_null(node_get(web->config, "network_mode"));
    assert_string_equal(node_text_at(l.stack->tree, "services.web.network_mode"), "bridge");
    assert_null(service(&l, "bridge")->network_mode);
    assert_string_equal(service(&l, "host")->network_mode, "host");
    assert_int_equal(service(&l, "host")->nendpoints, 0);
    assert_string_equal(service(&l, "same")->network_mode, "service:web");
    assert_true(service(&l, "same")->deps[0].identity);
    assert_string_equal(service(&l, "out")->network_mode, "container:elsewhere");
}

static void test_keys_that_were_renamed(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_fig("web:\n  build: src\n  dockerfile: Other\n  log_driver: syslog\n"
                 "  log_opt: {tag: x}\n  volumes_from: [db, outside]\n"
                 "db:\n  image: x\n  volumes: ['data:/data', './here:/here', 'sub/dir:/sub']\n");
    const struct service *web = service(&l, "web"), *db = service(&l, "db");
    assert_string_equal(web->build->dockerfile, "Other");
    assert_string_equal(node_text_at(web->config, "logging.driver"), "syslog");
    assert_string_equal(node_text_at(web->config, "logging.options.tag"), "x");
    const struct node *from = node_get(web->config, "volumes_from");
    assert_string_equal(node_text(from->items[0]), "db");
    assert_string_equal(node_text(from->items[1]), "container:outside");
    assert_true(web->deps[0].identity);
    /* Nobody had to declare a volume, and its name was just its name. */
    assert_non_null(stack_volume(l.stack, "data"));
    assert_string_equal(stack_volume(l.stack, "data")->name, "data");
    assert_int_equal(db->nmounts, 3);
    assert_string_equal(db->mounts[1].type, "bind");
    assert_string_equal(db->mounts[2].type, "bind");
}

static void test_extends(void **state)
{
    (void)state;
    put("common.yml", "base:\n  build: ./src\n  environment: [A=1]\n"
                      "linked:\n  image: x\n  links: [base]\n");
    auto_loaded struct loaded l =
        load_fig("web:\n  extends: {file: common.yml, service: base}\n  environment: [B=2]\n");
    const struct service *web = service(&l, "web");
    assert_string_equal(node_text_at(web->config, "environment.A"), "1");
    assert_string_equal(node_text_at(web->config, "environment.B"), "2");
    assert_non_null(web->build);
    auto_loaded struct loaded bad =
        load_fig("web:\n  extends: {file: common.yml, service: linked}\n");
    assert_refused(&bad, "fig.yml:2:40: error: service 'web' extends 'linked', which says 'links'");
}

/* A name is looked up in all files together, and either of image and build takes the other's place.
 */
static void test_several_files(void **state)
{
    (void)state;
    put("fig.override.yml", "web:\n  build: ./src\n  volumes_from: [db, outside]\n"
                            "db:\n  image: y\n"
                            "job:\n  dockerfile: Other\n  net: 'container:web'\n");
    auto_loaded struct loaded l =
        load_fig("web:\n  image: x\ndb:\n  build: ./db\njob:\n  build: .\n");
    const struct service *web = service(&l, "web"), *db = service(&l, "db");
    assert_null(node_get(web->config, "image"));
    assert_non_null(web->build);
    assert_null(db->build);
    assert_string_equal(node_text_at(db->config, "image"), "y");
    assert_string_equal(service(&l, "job")->network_mode, "service:web");
    const struct node *from = node_get(web->config, "volumes_from");
    assert_string_equal(node_text(from->items[0]), "db");
    assert_string_equal(node_text(from->items[1]), "container:outside");
    assert_string_equal(service(&l, "job")->build->dockerfile, "Other");
    put("fig.override.yml", "web:\n  extends: {file: fig.yml, service: db}\n  image: z\n");
    auto_loaded struct loaded extended = load_fig("db:\n  build: ./db\n");
    assert_null(service(&extended, "web")->build);
    put("fig.override.yml", "services:\n  db:\n    image: z\n  other:\n    image: z\n");
    auto_loaded struct loaded mixed = load_fig("db:\n  image: x\n");
    assert_refused(&mixed, "fig.override.yml:3:5: error: service 'db' is made of services of two");
    put("fig.override.yml", "db: {}\n");
    auto_loaded struct loaded empty = load_fig("db:\n  image: x\n");
    assert_non_null(service(&empty, "db"));
    assert_int_equal(unlink("fig.override.yml"), 0);
}

static void test_what_is_not_the_fig_form(void **state)
{
    (void)state;
    auto_loaded struct loaded typo = load_text("servics:\n  web:\n    image: x\n");
    assert_refused(&typo, "compose.yaml:1:1: error: ");
    assert_refused(&typo, "did you mean 'services'?");
    auto_loaded struct loaded odd = load_text("services:\n  dns:\n    image: x\n");
    assert_non_null(service(&odd, "dns"));
    /* A service may be called like a key of the Compose form. */
    auto_loaded struct loaded named = load_text("networks:\n  image: x\nversion:\n  image: x\n");
    assert_non_null(service(&named, "networks"));
    assert_non_null(service(&named, "version"));
    auto_loaded struct loaded version = load_text("version: '2'\nweb:\n  image: x\n");
    assert_refused(&version, "compose.yaml:2:1: error: unknown key 'web'");
    assert_refused(&version, "services stand below 'services:'");
    assert_int_equal(unlink("compose.yaml"), 0);
    auto_loaded struct loaded key = load_fig("web:\n  image: x\n  port: ['80']\n");
    assert_refused(&key, "fig.yml:3:3: error: services.web: unknown key 'port'; did you mean");
    auto_loaded struct loaded text = load_fig("web:\n  image: x\ndb: postgres\n");
    assert_refused(&text, "fig.yml:3:5: error: services.db: must be a mapping");
    auto_loaded struct loaded from = load_fig("web:\n  image: x\n  volumes_from: ['a:b:ro']\n");
    assert_refused(&from, "fig.yml:3:18: error: must be NAME or NAME:MODE");
    auto_loaded struct loaded both = load_fig("web:\n  image: x\n  build: .\n");
    assert_refused(&both, "fig.yml:3:10: error: service 'web' has both 'image' and 'build'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_links),
        stack_test(test_the_network),
        stack_test(test_keys_that_were_renamed),
        stack_test(test_extends),
        stack_test(test_several_files),
        stack_test(test_what_is_not_the_fig_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
