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
                                           "out:\n  image: x\n  net: 'container:elsewhere'\n");
    const struct service *web = service(&l, "web");
    assert_null(web->network_mode);
    assert_int_equal(web->nendpoints, 1);
    assert_string_equal(web->endpoints[0].network->key, "default");
    assert_true(web->endpoints[0].network->used);
    assert_null(node_get(web->config, "network_mode"));
    assert_string_equal(node_text_at(l.stack->tree, "services.web.network_mode"), "bridge");
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

static void test_what_is_not_the_fig_form(void **state)
{
    (void)state;
    auto_loaded struct loaded typo = load_text("servics:\n  web:\n    image: x\n");
    assert_refused(&typo, "compose.yaml:1:1: error: ");
    assert_refused(&typo, "did you mean 'services'?");
    auto_loaded struct loaded odd = load_text("services:\n  dns:\n    image: x\n");
    assert_non_null(service(&odd, "dns"));
    /* A service may be called like a key of the Compose form. */
    auto_loaded struct loaded named = load_text("networks:\n  image: x\n");
    assert_non_null(service(&named, "networks"));
    assert_int_equal(unlink("compose.yaml"), 0);
    auto_loaded struct loaded key = load_fig("web:\n  image: x\n  port: ['80']\n");
    assert_refused(&key, "fig.yml:3:3: error: services.web: unknown key 'port'; did you mean");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_links),
        stack_test(test_the_network),
        stack_test(test_keys_that_were_renamed),
        stack_test(test_extends),
        stack_test(test_what_is_not_the_fig_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
