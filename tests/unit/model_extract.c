/* The structs of the model, from documents that say something about each of them. */
#include "model_stack.h"

static void test_images_and_pulling(void **state)
{
    auto_loaded struct loaded l =
        load_text("name: demo\n"
                  "services:\n"
                  "  a: {image: 'busybox:1', pull_policy: always, platform: linux/arm64}\n"
                  "  b: {build: {context: src, target: dev, dockerfile_inline: FROM x}}\n"
                  "  c: {build: 'https://example.org/x.git', image: 'own:1', pull_policy: daily}\n"
                  "  d: {image: x, pull_policy: every_12h}\n"
                  "  e: {image: x, pull_policy: every_2w}\n"
                  "  f: {image: x, pull_policy: if_not_present}\n");
    char context[PATH_MAX];
    snprintf(context, sizeof(context), "%s/src", (char *)*state);
    assert_int_equal(service(&l, "a")->pull_policy, PULL_ALWAYS);
    assert_string_equal(service(&l, "a")->platform, "linux/arm64");
    assert_null(service(&l, "a")->build);
    const struct image *b = service(&l, "b")->build;
    assert_string_equal(b->ref, "demo-b");
    assert_string_equal(b->context, context);
    assert_false(b->remote_context);
    assert_string_equal(b->dockerfile_inline, "FROM x");
    assert_null(b->dockerfile);
    assert_string_equal(b->target, "dev");
    const struct image *c = service(&l, "c")->build;
    assert_true(c->remote_context);
    assert_string_equal(c->ref, "own:1");
    assert_string_equal(c->dockerfile, "Dockerfile");
    assert_int_equal(service(&l, "c")->pull_every_s, 86400);
    assert_int_equal(service(&l, "d")->pull_policy, PULL_EVERY);
    assert_int_equal(service(&l, "d")->pull_every_s, 12 * 3600);
    assert_int_equal(service(&l, "e")->pull_every_s, 14 * 86400);
    assert_int_equal(service(&l, "f")->pull_policy, PULL_MISSING);
    assert_int_equal(l.stack->nimages, 2);
}

static void test_running(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("services:\n"
                  "  a: {image: x}\n"
                  "  b:\n    image: x\n    scale: 3\n    attach: false\n    tty: true\n"
                  "    stdin_open: true\n    restart: unless-stopped\n    stop_signal: SIGINT\n"
                  "    stop_grace_period: 1m30s\n"
                  "    post_start: [{command: [a]}]\n"
                  "  c: {image: x, deploy: {replicas: 2, restart_policy: {condition: on-failure, "
                  "max_attempts: 4}}}\n"
                  "  d: {image: x, scale: 0, container_name: dd}\n");
    const struct service *a = service(&l, "a"), *b = service(&l, "b");
    assert_int_equal(a->replicas, 1);
    assert_true(a->attach);
    assert_string_equal(a->restart, "no");
    assert_int_equal(a->stop_grace_ns, -1);
    assert_null(a->stop_signal);
    assert_int_equal(b->replicas, 3);
    assert_false(b->attach);
    assert_true(b->tty && b->stdin_open);
    assert_string_equal(b->restart, "unless-stopped");
    assert_string_equal(b->stop_signal, "SIGINT");
    assert_int_equal(b->stop_grace_ns, 90 * 1000000000LL);
    assert_int_equal(b->post_start->len, 1);
    assert_int_equal(service(&l, "c")->replicas, 2);
    assert_string_equal(service(&l, "c")->restart, "on-failure:4");
    assert_int_equal(service(&l, "d")->replicas, 0);
    auto_free char *name = service_container_name(l.stack, b, 2);
    auto_free char *named = service_container_name(l.stack, service(&l, "d"), 1);
    auto_free char *wanted = xasprintf("%s-b-2", l.stack->name);
    assert_string_equal(name, wanted);
    assert_string_equal(named, "dd");
}

static void test_services_are_sorted(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("services: {zz: {image: x}, b: {image: x}, a: {image: x}, m: {image: x}}\n");
    static const char *const names[] = { "a", "b", "m", "zz" };
    assert_int_equal(l.stack->nservices, countof(names));
    for (size_t i = 0; i < countof(names); i++) {
        assert_string_equal(l.stack->services[i].name, names[i]);
        assert_int_equal(l.stack->services[i].index, i);
        assert_ptr_equal(stack_service(l.stack, names[i]), &l.stack->services[i]);
    }
    assert_null(stack_service(l.stack, "c"));
}

static void test_dependencies(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(
        "services:\n"
        "  a:\n    image: x\n    links: ['b:bee']\n    volumes_from: ['f:ro']\n"
        "    network_mode: service:c\n    depends_on:\n"
        "      d: {condition: service_healthy, restart: true}\n"
        "      e: {condition: service_completed_successfully, required: false}\n"
        "  b: {image: x}\n  c: {image: x}\n  d: {image: x}\n  e: {image: x}\n  f: {image: x}\n");
    const struct service *a = service(&l, "a");
    assert_int_equal(a->ndeps, 5);
    for (size_t i = 0; i < a->ndeps; i++) {
        const struct dependency *d = &a->deps[i];
        char name = d->service->name[0];
        assert_int_equal(d->condition, name == 'd'   ? COND_HEALTHY
                                       : name == 'e' ? COND_COMPLETED
                                                     : COND_STARTED);
        assert_int_equal(d->required, name != 'e');
        assert_int_equal(d->restart, name == 'b' || name == 'c' || name == 'd');
        assert_int_equal(d->identity, name == 'c' || name == 'f');
        assert_int_equal(d->service->job, name == 'e');
    }
    assert_string_equal(a->links[0].alias, "bee");
    assert_false(a->link_environment);
    assert_string_equal(a->network_mode, "service:c");
    assert_int_equal(a->nendpoints, 0);
}

static void test_networks(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("name: demo\nservices:\n"
                  "  a: {image: x, networks: {one: , two: {priority: 10, aliases: [q]}, zero: }}\n"
                  "networks: {one: {external: true}, two: {name: own}, zero: , idle: {}}\n");
    const struct service *a = service(&l, "a");
    assert_int_equal(a->nendpoints, 3);
    assert_string_equal(a->endpoints[0].network->key, "two");
    assert_int_equal(a->endpoints[0].priority, 10);
    assert_string_equal(a->endpoints[1].network->key, "one");
    assert_null(a->endpoints[1].config);
    assert_string_equal(stack_network(l.stack, "one")->name, "one");
    assert_true(stack_network(l.stack, "one")->external);
    assert_string_equal(stack_network(l.stack, "two")->name, "own");
    assert_string_equal(stack_network(l.stack, "zero")->name, "demo_zero");
    assert_true(stack_network(l.stack, "zero")->used);
    assert_false(stack_network(l.stack, "idle")->used);
    assert_null(stack_network(l.stack, "default"));
}

static void test_ports_and_mounts(void **state)
{
    auto_loaded struct loaded l =
        load_text("name: demo\nservices:\n"
                  "  a:\n    image: x\n"
                  "    ports: ['127.0.0.1:8080:80/udp', 443]\n"
                  "    volumes: ['data:/data:ro', './here:/here', /anonymous/., "
                  "{type: tmpfs, target: /t}]\n"
                  "volumes: {data: {}}\n");
    const struct service *a = service(&l, "a");
    char here[PATH_MAX];
    snprintf(here, sizeof(here), "%s/here", (char *)*state);
    assert_int_equal(a->nports, 2);
    assert_string_equal(a->ports[0].host_ip, "127.0.0.1");
    assert_string_equal(a->ports[0].published, "8080");
    assert_int_equal(a->ports[0].target, 80);
    assert_string_equal(a->ports[0].protocol, "udp");
    assert_string_equal(a->ports[1].published, "");
    assert_string_equal(a->ports[1].protocol, "tcp");
    assert_int_equal(a->nmounts, 4);
    assert_string_equal(a->mounts[0].source, "demo_data");
    assert_ptr_equal(a->mounts[0].volume, stack_volume(l.stack, "data"));
    assert_true(a->mounts[0].read_only);
    assert_true(stack_volume(l.stack, "data")->used);
    assert_string_equal(a->mounts[1].type, "bind");
    assert_string_equal(a->mounts[1].source, here);
    assert_string_equal(a->mounts[2].source, "");
    assert_string_equal(a->mounts[2].target, "/anonymous");
    assert_null(a->mounts[2].volume);
    assert_string_equal(a->mounts[3].type, "tmpfs");
}

static void test_configs_and_secrets(void **state)
{
    auto_loaded struct loaded l = load_with((struct load_options){
        .files = (const char *const[]){ "-", NULL },
        .environ = (const char *const[]){ "TOKEN=hidden", NULL },
        .stdin_text = "services:\n"
                      "  a:\n    image: x\n"
                      "    configs: [c, {source: inline, target: /etc/x, mode: 0440, uid: '5'}]\n"
                      "    secrets: [s, {source: env, target: token}]\n"
                      "configs: {c: {file: ./c}, inline: {content: text}}\n"
                      "secrets: {s: {file: ./s}, env: {environment: TOKEN}}\n",
        .stdin_len =
            strlen("services:\n"
                   "  a:\n    image: x\n"
                   "    configs: [c, {source: inline, target: /etc/x, mode: 0440, uid: '5'}]\n"
                   "    secrets: [s, {source: env, target: token}]\n"
                   "configs: {c: {file: ./c}, inline: {content: text}}\n"
                   "secrets: {s: {file: ./s}, env: {environment: TOKEN}}\n"),
    });
    const struct service *a = service(&l, "a");
    char file[PATH_MAX];
    snprintf(file, sizeof(file), "%s/c", (char *)*state);
    assert_int_equal(a->nfiles, 4);
    assert_string_equal(a->files[0].target, "/c");
    assert_string_equal(a->files[0].object->file, file);
    assert_true(a->files[0].plain);
    assert_int_equal(a->files[0].mode, 0444);
    assert_true(file_use_is_bind(&a->files[0]));
    assert_string_equal(a->files[1].target, "/etc/x");
    assert_string_equal(a->files[1].object->content, "text");
    assert_int_equal(a->files[1].mode, 0440);
    assert_string_equal(a->files[1].uid, "5");
    assert_string_equal(a->files[1].gid, "0");
    assert_false(a->files[1].plain);
    assert_string_equal(a->files[2].target, "/run/secrets/s");
    assert_true(a->files[2].object->secret);
    assert_string_equal(a->files[3].target, "/run/secrets/token");
    assert_string_equal(a->files[3].object->content, "hidden");
    /* The tree is what `config` prints: no secret is in it. */
    assert_null(node_at(l.stack->tree, "secrets.env.content"));
}

static void test_readiness_and_health(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text(
        "services:\n"
        "  log: {image: x, x-ready: {log: 'up|done', tcp: 80, timeout: 2m, interval: 500ms}}\n"
        "  http: {image: x, x-ready: {http: 'host:8080/path?q=1'}}\n"
        "  long: {image: x, x-ready: {http: {path: /x, port: 81, status: 204}}}\n"
        "  exec: {image: x, x-ready: {exec: 'a && b', healthy: true}}\n"
        "  argv: {image: x, x-ready: {exec: [a, b]}}\n"
        "  none: {image: x, healthcheck: {disable: true}}\n"
        "  sick: {image: x, x-probe: engine, healthcheck: {test: check it, interval: 10s,"
        " timeout: 2s, retries: 7, start_period: 1m}}\n");
    const struct ready *r = &service(&l, "log")->ready;
    assert_true(r->set);
    assert_string_equal(r->log, "up|done");
    assert_int_equal(r->tcp, 80);
    assert_int_equal(r->timeout_ms, 120000);
    assert_int_equal(r->interval_ms, 500);
    r = &service(&l, "http")->ready;
    assert_string_equal(r->http_host, "host");
    assert_int_equal(r->http_port, 8080);
    assert_string_equal(r->http_path, "/path?q=1");
    assert_int_equal(r->timeout_ms, 60000);
    r = &service(&l, "long")->ready;
    assert_int_equal(r->http_status, 204);
    assert_int_equal(r->http_port, 81);
    r = &service(&l, "exec")->ready;
    assert_string_equal(r->exec[0], "/bin/sh");
    assert_string_equal(r->exec[2], "a && b");
    assert_null(r->exec[3]);
    assert_true(r->healthy);
    r = &service(&l, "argv")->ready;
    assert_string_equal(r->exec[1], "b");
    assert_null(r->exec[2]);
    assert_false(service(&l, "none")->ready.set);
    assert_true(service(&l, "none")->health.disabled);
    const struct health *h = &service(&l, "sick")->health;
    assert_true(h->set && h->engine_only);
    assert_string_equal(h->test[2], "check it");
    assert_int_equal(h->interval_ns, 10000000000LL);
    assert_int_equal(h->retries, 7);
    assert_int_equal(h->start_period_ns, 60000000000LL);
    assert_int_equal(h->start_interval_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_images_and_pulling),
        stack_test(test_running),
        stack_test(test_services_are_sorted),
        stack_test(test_dependencies),
        stack_test(test_networks),
        stack_test(test_ports_and_mounts),
        stack_test(test_configs_and_secrets),
        stack_test(test_readiness_and_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
