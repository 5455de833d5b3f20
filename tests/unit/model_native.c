/* The native form: projects, manifests, infrastructure, what is required. */
#include "model_stack.h"

static const struct image *image(const struct loaded *l, const char *name)
{
    for (size_t i = 0; i < l->stack->nimages; i++)
        if (!strcmp(l->stack->images[i].name, name))
            return &l->stack->images[i];
    fail_msg("there is no image '%s'", name);
    return NULL;
}

static void put_project(const char *name, const char *manifest)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/docstack/Dockerfile", name);
    put(path, "FROM scratch\n");
    snprintf(path, sizeof(path), "%s/docstack/docstack.yaml", name);
    if (manifest)
        put(path, manifest);
}

static void test_a_project_without_a_manifest(void **state)
{
    put_project("src/web", NULL);
    put("stack.yaml", "name: demo\nregistry: r.example.org/x\ntrack: main\n"
                      "projects: {web: src/web}\n");
    auto_loaded struct loaded l = load_here();
    const struct service *s = service(&l, "web");
    char root[PATH_MAX];
    snprintf(root, sizeof(root), "%s/src/web", (char *)*state);
    assert_string_equal(s->project, "web");
    assert_string_equal(s->image, "demo-web");
    assert_non_null(s->build);
    assert_string_equal(s->build->context, root);
    assert_string_equal(s->build->dockerfile, "docstack/Dockerfile");
    assert_string_equal(s->build->project, "web");
    assert_string_equal(l.stack->registry, "r.example.org/x");
    assert_string_equal(l.stack->track, "main");
    assert_null(node_get(l.stack->tree, "projects"));
}

static void test_a_manifest(void **state)
{
    put_project("web", "services:\n"
                       "  web: {links: [db], command: run, volumes: ['./data:/data']}\n"
                       "  job: {image: web-tool}\n"
                       "  base: {build: {context: sub, target: x}}\n"
                       "images:\n"
                       "  web-tool: {dockerfile: docstack/tool.Dockerfile}\n"
                       "  web-base: docstack/base.Dockerfile\n"
                       "  named: {dockerfile: d, image: 'org/named:1'}\n"
                       "requires: {db: 'mariadb:10'}\n");
    put("stack.yaml", "name: demo\nprojects:\n  web:\n    path: web\n    services:\n"
                      "      web: {environment: {DEBUG: '1'}, volumes: ['./host:/host']}\n");
    auto_loaded struct loaded l = load_here();
    const struct service *web = service(&l, "web");
    char path[PATH_MAX];
    assert_string_equal(node_text_at(web->config, "environment.DEBUG"), "1");
    assert_int_equal(web->nmounts, 2);
    snprintf(path, sizeof(path), "%s/web/data", (char *)*state);
    assert_string_equal(web->mounts[0].source, path);
    snprintf(path, sizeof(path), "%s/host", (char *)*state);
    assert_string_equal(web->mounts[1].source, path);
    assert_int_equal(web->ndeps, 1);
    assert_string_equal(web->deps[0].service->name, "db");
    assert_int_equal(web->deps[0].condition, COND_READY);
    assert_string_equal(service(&l, "db")->image, "mariadb:10");
    assert_null(service(&l, "db")->build);

    snprintf(path, sizeof(path), "%s/web/sub", (char *)*state);
    assert_string_equal(service(&l, "base")->build->context, path);
    assert_string_equal(service(&l, "base")->build->dockerfile, "Dockerfile");

    /* A service may run an image of `images:`, by the name it has there. */
    const struct service *job = service(&l, "job");
    assert_ptr_equal(job->build, image(&l, "web-tool"));
    assert_string_equal(job->image, "demo-web-tool");
    assert_string_equal(job->build->dockerfile, "docstack/tool.Dockerfile");
    assert_string_equal(image(&l, "web-base")->ref, "demo-web-base");
    assert_string_equal(image(&l, "web-base")->dockerfile, "docstack/base.Dockerfile");
    assert_string_equal(image(&l, "named")->ref, "org/named:1");
    assert_int_equal(l.stack->nimages, 5);
}

static void test_infrastructure(void **state)
{
    (void)state;
    put("stack.yaml", "infrastructure:\n  db: mariadb:10\n"
                      "  mq: {image: 'rabbitmq:3', ready: {log: done, timeout: 5s}}\n"
                      "services:\n  a: {image: x, depends_on: [db], links: ['mq:queue']}\n");
    auto_loaded struct loaded l = load_here();
    assert_string_equal(service(&l, "db")->image, "mariadb:10");
    const struct ready *r = &service(&l, "mq")->ready;
    assert_true(r->set);
    assert_string_equal(r->log, "done");
    assert_int_equal(r->timeout_ms, 5000);
    const struct service *a = service(&l, "a");
    assert_int_equal(a->ndeps, 2);
    assert_int_equal(a->deps[0].condition, COND_READY);
    assert_int_equal(a->deps[1].condition, COND_READY);
    assert_int_equal(a->nlinks, 1);
    assert_string_equal(a->links[0].alias, "queue");
}

static void test_a_condition_that_is_said_counts(void **state)
{
    (void)state;
    put("stack.yaml", "infrastructure: {db: x, cache: x, job: x}\n"
                      "services:\n  a:\n    image: x\n    links: [db]\n    depends_on:\n"
                      "      db: {condition: service_started}\n"
                      "      cache: {required: false}\n"
                      "      job: {condition: service_completed_successfully}\n");
    auto_loaded struct loaded l = load_here();
    const struct service *a = service(&l, "a");
    assert_int_equal(a->ndeps, 3);
    for (size_t i = 0; i < a->ndeps; i++) {
        const struct dependency *d = &a->deps[i];
        enum condition wanted = !strcmp(d->service->name, "db")      ? COND_STARTED
                                : !strcmp(d->service->name, "cache") ? COND_READY
                                                                     : COND_COMPLETED;
        assert_int_equal(d->condition, wanted);
    }
    assert_true(service(&l, "job")->job);
    assert_false(service(&l, "db")->job);
}

static void test_what_is_required_is_one_service(void **state)
{
    (void)state;
    put_project("a", "requires: {db: 'mariadb:10'}\n");
    put_project("b", "requires: {db: 'mariadb:10', a: }\n");
    put("stack.yaml", "projects: {a: a, b: b}\n");
    auto_loaded struct loaded l = load_here();
    assert_int_equal(l.stack ? l.stack->nservices : 0, 3);
    assert_string_equal(service(&l, "db")->image, "mariadb:10");
}

static void test_different_requirements(void **state)
{
    (void)state;
    put_project("a", "requires: {db: 'mariadb:10'}\n");
    put_project("b", "requires: {db: 'mariadb:11'}\n");
    put("stack.yaml", "projects: {a: a, b: b}\n");
    auto_loaded struct loaded l = load_here();
    assert_refused(&l, "b/docstack/docstack.yaml:1:12: error: projects 'a' and 'b' require "
                       "different 'db'");
    put("stack.yaml", "projects: {a: a, b: b}\ninfrastructure: {db: 'postgres:16'}\n");
    auto_loaded struct loaded settled = load_here();
    assert_string_equal(service(&settled, "db")->image, "postgres:16");
}

static void test_a_requirement_that_nobody_meets(void **state)
{
    (void)state;
    put_project("a", "requires: {db: }\n");
    put("stack.yaml", "projects: {a: a}\n");
    auto_loaded struct loaded l = load_here();
    assert_refused(&l, "a/docstack/docstack.yaml:1:12: error: project 'a' requires 'db', and "
                       "nothing says what that is");
}

static void test_a_checkout_is_a_stack(void **state)
{
    put_project("src/web", "services: {web: {ports: ['80']}}\nrequires: {db: 'mariadb:10'}\n");
    put("src/web/lib/x", "");
    char cwd[PATH_MAX];
    snprintf(cwd, sizeof(cwd), "%s/src/web/lib", (char *)*state);
    auto_loaded struct loaded l = load_with((struct load_options){ .cwd = cwd });
    assert_string_equal(service(&l, "web")->project, "web");
    assert_non_null(service(&l, "db"));
    assert_string_equal(l.stack->name, "web");
    snprintf(cwd, sizeof(cwd), "%s/src/web", (char *)*state);
    assert_string_equal(l.stack->dir, cwd);
}

static void test_paths_stay_in_the_project(void **state)
{
    (void)state;
    put("secret.env", "A=1\n");
    put_project("web", "services:\n"
                       "  web:\n"
                       "    volumes: ['../out:/a', '/etc:/b', './link/x:/c', './in/../ok:/d']\n"
                       "    env_file: ../secret.env\n"
                       "    build: {context: ../out}\n"
                       "configs: {c: {file: ../c}}\n"
                       "secrets: {s: {file: /root/s}}\n"
                       "images: {i: ../Dockerfile}\n"
                       "volumes: {v: {driver_opts: {type: none, o: 'bind,ro', device: /etc}}}\n");
    assert_int_equal(symlink("/etc", "web/link"), 0);
    put("stack.yaml", "projects: {web: web}\n");
    auto_loaded struct loaded l = load_here();
    static const char *const places[] = { ":3:15:", ":3:28:", ":3:39:", ":4:15:", ":5:22:",
                                          ":6:21:", ":7:21:", ":8:13:", ":9:63:" };
    for (size_t i = 0; i < countof(places); i++) {
        char line[160];
        snprintf(line, sizeof(line), "docstack.yaml%s error: this path leaves the folder",
                 places[i]);
        assert_refused(&l, line);
    }
    assert_null(strstr(l.said, ":3:54:"));
    assert_null(strstr(l.said, "secret.env"));
}

static void test_mistakes_about_projects(void **state)
{
    (void)state;
    put_project("ok", "services: {ok: {imag: x}}\n");
    put("bare/x", "");
    put("stack.yaml", "projects:\n"
                      "  gone: ../nowhere\n"
                      "  bare: bare\n"
                      "  cloned: {git: 'https://example.org/x', ref: main}\n"
                      "  ok: {path: ok, services: {okk: {image: x}}}\n"
                      "services:\n"
                      "  ok: {image: x}\n");
    auto_loaded struct loaded l = load_here();
    assert_refused(&l, "stack.yaml:2:9: error: project 'gone': there is no folder '../nowhere'");
    assert_refused(&l, "stack.yaml:3:9: error: project 'bare' has no docstack/ folder");
    assert_refused(&l, "stack.yaml:4:17: error: project 'cloned' is not cloned yet");
    assert_refused(&l, "stack.yaml:5:29: error: project 'ok' has no service 'okk'; did you mean");
    assert_refused(&l, "ok/docstack/docstack.yaml:1:17: error: services.ok: unknown key 'imag'");
    assert_refused(&l, "ok/docstack/docstack.yaml:1:12: error: service 'ok' is in the stack twice");
}

static void test_an_unset_variable_is_a_mistake(void **state)
{
    (void)state;
    put("stack.yaml", "infrastructure: {db: \"x:$NOPE\"}\n");
    auto_loaded struct loaded l = load_here();
    assert_refused(&l, "stack.yaml:1:25: error: variable 'NOPE' is not set");
    auto_loaded struct loaded compose = load_text("services: {db: {image: \"x:${NOPE-1}$NO\"}}");
    assert_refused(&compose, "NOPE"); /* stack.yaml is still the one that is found */
}

static int clone(char **out_dir, void *ctx, const struct load_git_source *source, struct error *err)
{
    if (strcmp(source->project, "web") != 0)
        return error_set(err, ERR_NETWORK, 0, "no route to %s", source->url);
    assert_string_equal(source->ref, "main");
    assert_string_equal(source->stack_name, "demo");
    assert_string_equal(source->stack_dir, ctx);
    *out_dir = path_join(ctx, "clone");
    return 0;
}

static struct loaded load_clone(void **state)
{
    return load_with((struct load_options){ .git = clone, .git_ctx = *state });
}

static void test_git_sources(void **state)
{
    put_project("clone/sub", NULL);
    put("stack.yaml", "name: demo\nprojects:\n"
                      "  web: {git: 'https://example.org/x', ref: main, path: sub}\n");
    auto_loaded struct loaded l = load_clone(state);
    char root[PATH_MAX], other[PATH_MAX];
    snprintf(root, sizeof(root), "%s/clone/sub", (char *)*state);
    assert_string_equal(service(&l, "web")->build->context, root);
    assert_int_equal(l.stack->nprojects, 1);
    const struct project *p = &l.stack->projects[0];
    assert_string_equal(p->name, "web");
    assert_string_equal(p->dir, root);
    assert_string_equal(p->url, "https://example.org/x");
    assert_string_equal(p->ref, "main");
    assert_string_equal(p->below, "sub");
    assert_false(p->submodules);
    put("stack.yaml", "name: demo\nprojects:\n"
                      "  web: {git: u, ref: main, path: ../..}\n"
                      "  other: {git: 'host:u'}\n  third: {git: ../u}\n");
    auto_loaded struct loaded bad = load_clone(state);
    assert_refused(&bad, "stack.yaml:3:34: error: this folder is not in the checkout");
    assert_refused(&bad, "stack.yaml:4:16: error: project 'other': no route to host:u");
    auto_free char *up = path_join(*state, "../u");
    snprintf(other, sizeof(other), "project 'third': no route to %s", up);
    assert_refused(&bad, other);
}

/* What a checkout holds is somebody else's: links in it do not lead out of it. */
static void test_links_that_leave_a_checkout(void **state)
{
    static const char stack[] = "name: demo\nprojects:\n  web: {git: u, ref: main%s}\n";
    static const struct {
        const char *link, *to, *more, *manifest, *said;
    } cases[] = {
        { "sub", "..", ", path: sub", NULL, "3:34: error: this folder is not in the checkout" },
        { "docstack/docstack.yaml", "/etc/passwd", "", NULL, "leads out of the folder" },
        { "docstack/docstack.yaml", "../../secret", "", NULL, "leads out of the folder" },
        { "data", "/etc", "", "services: {web: {volumes: ['./data/x:/x']}}", "leaves the folder" },
        { "data", "..", "", "services: {web: {env_file: data/secret}}", "leaves the folder" },
        { "data", "../secret", "", "services: {web: {label_file: data}}", "leaves the folder" },
        { "data", "..", "", "services: {web: {extends: {file: data/other.yaml, service: x}}}",
          "leaves the folder" },
        { "data", "/", "", "services: {web: {build: data}}", "leaves the folder" },
        { "data", "..", "", "services: {web: {build: {context: ., dockerfile: data/secret}}}",
          "leaves the folder" },
        { "data", "..", "",
          "services: {web: {build: {context: ., additional_contexts: {x: data}}}}",
          "leaves the folder" },
        { "unused", "..", "", "services: {web: {build: 'file:///etc'}}", "leaves the folder" },
        { "data", "..", "", "images: {x: data/secret}", "leaves the folder" },
        { "data", "..", "", "configs: {x: {file: ./data/secret}}", "leaves the folder" },
        { "data", "..", "", "secrets: {x: {file: data/secret}}", "leaves the folder" },
        { "data", "..", "",
          "volumes: {x: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}",
          "leaves the folder" },
        { "unused", "..", "", "volumes: {x: {driver_opts: {type: none, o: bind, device: etc}}}",
          "leaves the folder" },
        { "unused", "..", "", "volumes: {x: {driver_opts: {type: ext4, device: /dev/sda}}}",
          "leaves the folder" },
        { "unused", "..", "",
          "volumes: {x: {driver_opts: {type: overlay, device: o, o: 'lowerdir=/,upperdir=u'}}}",
          "leaves the folder" },
        { "data", "..", "",
          "services: {web: {develop: {watch: [{path: data, action: sync, "
          "target: /x}]}}}",
          "leaves the folder" },
        { "unused", "..", "", "services: {web: {volumes: ['../secret:/x']}}", "leaves the folder" },
        { "unused", "..", "", "services: {web: {volumes: ['/etc:/x']}}", "leaves the folder" },
        { "unused", "..", "", "services: {web: {volumes: ['~/.ssh:/x']}}", "leaves the folder" },
        { "docstack/Dockerfile", "../../secret", "", NULL, "leaves the folder" },
    };
    put("secret", "SECRET=1\n");
    put("other.yaml", "services: {x: {image: y}}\n");
    for (size_t i = 0; i < countof(cases); i++) {
        auto_free char *path = xasprintf("clone/%s", cases[i].link);
        auto_free char *text = NULL;
        put("clone/docstack/Dockerfile", "FROM scratch\n");
        put("clone/docstack/docstack.yaml", cases[i].manifest ? cases[i].manifest : "{}");
        unlink(path);
        assert_int_equal(symlink(cases[i].to, path), 0);
        char *end = strstr(stack, "%s");
        text = xasprintf("%.*s%s%s", (int)(end - stack), stack, cases[i].more, end + 2);
        put("stack.yaml", text);
        auto_loaded struct loaded l = load_clone(state);
        if (l.stack)
            fail_msg("'%s' was taken", cases[i].manifest ? cases[i].manifest : cases[i].link);
        assert_refused(&l, cases[i].said);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_a_project_without_a_manifest),
        stack_test(test_a_manifest),
        stack_test(test_infrastructure),
        stack_test(test_a_condition_that_is_said_counts),
        stack_test(test_what_is_required_is_one_service),
        stack_test(test_different_requirements),
        stack_test(test_a_requirement_that_nobody_meets),
        stack_test(test_a_checkout_is_a_stack),
        stack_test(test_paths_stay_in_the_project),
        stack_test(test_mistakes_about_projects),
        stack_test(test_an_unset_variable_is_a_mistake),
        stack_test(test_git_sources),
        stack_test(test_links_that_leave_a_checkout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
