/* A later file over an earlier one, key by key, and a service over the one it extends. */
#include "model_schema.h"

/* Keys of service a in two files, and what services.a becomes. */
static const struct {
    const char *base, *over, *json;
} cases[] = {
    /* scalars */
    { "image: x", "image: y", "{'image':'y'}" },
    { "image: x", "image: ", "{'image':'x'}" },
    { "hostname: x", "hostname: ''", "{}" },
    { "init: true", "init: false", "{'init':false}" },
    { "tty: true", "tty: false", "{}" },
    /* commands */
    { "command: [a, b]", "command: c d", "{'command':['c','d']}" },
    { "command: a", "command: ", "{}" },
    { "entrypoint: a", "entrypoint: []", "{'entrypoint':[]}" },
    { "healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {test: b, retries: 4}",
      "{'healthcheck':{'test':['CMD-SHELL','b'],'interval':'5s','retries':4}}" },
    { "post_start: [{command: a}]", "post_start: [{command: b}]",
      "{'post_start':[{'command':['a']},{'command':['b']}]}" },
    /* maps in either form */
    { "environment: {A: 1, B: 1}", "environment: [B=2, C]",
      "{'environment':{'A':'1','B':'2','C':null}}" },
    { "environment: {A: 1}", "environment: {A: }", "{'environment':{'A':null}}" },
    { "environment: {A: 1}", "environment: ", "{'environment':{'A':'1'}}" },
    { "labels: [a=1, b=1]", "labels: {b: 2, c: }", "{'labels':{'a':'1','b':'2','c':''}}" },
    { "sysctls: {a: 1}", "sysctls: [b=2]", "{'sysctls':{'a':'1','b':'2'}}" },
    { "storage_opt: {size: 1G}", "storage_opt: {x: 1}", "{'storage_opt':{'size':'1G','x':'1'}}" },
    /* lists that are appended */
    { "group_add: [a, 1]", "group_add: [b]", "{'group_add':['a','1','b']}" },
    { "security_opt: [a]", "security_opt: [b]", "{'security_opt':['a','b']}" },
    { "volumes_from: [b]", "volumes_from: ['c:ro']", "{'volumes_from':['b','c:ro']}" },
    { "label_file: a", "label_file: [b]", "{'label_file':['a','b']}" },
    { "gpus: all", "gpus: [{count: 1}]", "{'gpus':[{'count':-1},{'count':1}]}" },
    /* lists without repetition */
    { "cap_add: [A]", "cap_add: [C, A]", "{'cap_add':['A','C']}" },
    { "dns: 1.1.1.1", "dns: [2.2.2.2, 1.1.1.1]", "{'dns':['1.1.1.1','2.2.2.2']}" },
    { "expose: [80, '81']", "expose: ['81', 82]", "{'expose':['80','81','82']}" },
    { "profiles: [a]", "profiles: [b, a]", "{'profiles':['a','b']}" },
    { "tmpfs: /a", "tmpfs: [/b]", "{'tmpfs':['/a','/b']}" },
    { "links: [b]", "links: ['b', 'c:d']", "{'links':['b','c:d']}" },
    { "extra_hosts: ['a:1.1.1.1']", "extra_hosts: {a: [1.1.1.1, 2.2.2.2], b: '::1'}",
      "{'extra_hosts':['a=1.1.1.1','a=2.2.2.2','b=::1']}" },
    { "env_file: a", "env_file: [b, {path: a, required: false}]",
      "{'env_file':[{'path':'a','required':false},{'path':'b','required':true}]}" },
    /* lists of objects, by what makes them the same */
    { "ports: ['80:80']", "ports: ['8080:80', '80:80/udp']",
      "{'ports':[{'mode':'ingress','target':80,'published':'80','protocol':'tcp'},{'mode':'ingress','target':80,'published':'8080','protocol':'tcp'},{'mode':'ingress','target':80,'published':'80','protocol':'udp'}]}" },
    { "ports: [{target: 80, published: '80'}]", "ports: [{target: 80, published: 80, name: web}]",
      "{'ports':[{'mode':'ingress','target':80,'published':'80','protocol':'tcp'},{'name':'web','mode':'ingress','target':80,'published':'80','protocol':'tcp'}]}" },
    { "ports: [{target: 80, published: 80}]", "ports: [{target: 80, published: 80, name: web}]",
      "{'ports':[{'name':'web','mode':'ingress','target':80,'published':'80','protocol':'tcp'}]}" },
    { "ports: ['80-81:80-81']", "ports: [{target: 81, published: '81', host_ip: 0.0.0.0}]",
      "{'ports':[{'mode':'ingress','target':80,'published':'80','protocol':'tcp'},{'mode':'ingress','host_ip':'0.0.0.0','target':81,'published':'81','protocol':'tcp'}]}" },
    { "volumes: ['./a:/d', '/ee']", "volumes: ['./b:/d:ro']",
      "{'volumes':[{'type':'bind','source':'./b','target':'/d','read_only':true,'bind':{'create_host_path':true}},{'type':'volume','target':'/ee','volume':{}}]}" },
    { "secrets: [s]", "secrets: [{source: s, target: t}, s2]",
      "{'secrets':[{'source':'s','target':'/run/secrets/s'},{'source':'s','target':'t'},{'source':'s2','target':'/run/secrets/s2'}]}" },
    { "configs: [c]", "configs: [{source: c, uid: '1'}, {source: d, target: /c}]",
      "{'configs':[{'source':'d','target':'/c'}]}" },
    { "devices: ['/a:/b']", "devices: ['/c:/b:r']",
      "{'devices':[{'source':'/c','target':'/b','permissions':'r'}]}" },
    /* maps of objects */
    { "depends_on: [b]",
      "depends_on: {b: {condition: service_healthy}, c: {condition: service_started}}",
      "{'depends_on':{'b':{'condition':'service_healthy','required':true},'c':{'condition':'service_started','required':true}}}" },
    { "depends_on: {b: {condition: service_healthy, required: false}}",
      "depends_on: {b: {restart: true}}",
      "{'depends_on':{'b':{'condition':'service_healthy','restart':true,'required':false}}}" },
    { "networks: [n]", "networks: {n: {aliases: [a]}, m: }",
      "{'networks':{'m':null,'n':{'aliases':['a']}}}" },
    { "networks: {n: {aliases: [a]}}", "networks: {n: {aliases: [b, a], ipv4_address: 1.2.3.4}}",
      "{'networks':{'n':{'aliases':['a','b'],'ipv4_address':'1.2.3.4'}}}" },
    { "networks: {n: {aliases: [a]}}", "networks: [n]", "{'networks':{'n':{'aliases':['a']}}}" },
    { "ulimits: {n: 5, m: {soft: 1, hard: 2}}", "ulimits: {n: {soft: 1, hard: 2}, m: 7}",
      "{'ulimits':{'m':7,'n':{'soft':1,'hard':2}}}" },
    /* objects */
    { "build: ./a", "build: {args: [A=1]}", "{'build':{'context':'./a','args':{'A':'1'}}}" },
    { "build: {context: a, dockerfile: D, tags: [x]}", "build: {context: b, tags: [y, x]}",
      "{'build':{'context':'b','dockerfile':'D','tags':['x','y']}}" },
    { "deploy: {replicas: 1, labels: {a: 1}, resources: {limits: {cpus: '1'}}}",
      "deploy: {replicas: 2, labels: [b=2], resources: {limits: {memory: 1g}}}",
      "{'deploy':{'replicas':2,'labels':{'a':'1','b':'2'},'resources':{'limits':{'cpus':1,'memory':'1073741824'}}}}" },
    { "logging: {driver: a, options: {x: 1}}", "logging: {options: {y: 2}}",
      "{'logging':{'driver':'a','options':{'x':'1','y':'2'}}}" },
    { "logging: {driver: a, options: {x: 1}}", "logging: {driver: b}",
      "{'logging':{'driver':'b'}}" },
    { "logging: {options: {x: 1}}", "logging: {driver: b}",
      "{'logging':{'driver':'b','options':{'x':'1'}}}" },
    { "x-a: {b: 1, c: [1]}", "x-a: {c: [2], d: 3}", "{'x-a':{'b':1,'c':[1,2],'d':3}}" },
    { "x-a: {b: 1}", "x-a: 5", "{'x-a':5}" },
    /* marks */
    { "ports: ['80:80']", "ports: !reset []", "{}" },
    { "image: x", "image: !reset null", "{}" },
    { "environment: {A: 1, B: 2}", "environment: {A: !reset null, C: 3}",
      "{'environment':{'B':'2','C':'3'}}" },
    { "environment: [A=1]", "environment: !reset []", "{}" },
    { "ports: ['80:80']", "ports: !override ['81:81']",
      "{'ports':[{'mode':'ingress','target':81,'published':'81','protocol':'tcp'}]}" },
    { "build: {context: a, args: {A: 1}}", "build: !override {context: b}",
      "{'build':{'context':'b'}}" },
    { "deploy: {resources: {limits: {cpus: '1', memory: 1g}}}",
      "deploy: {resources: {limits: !override {cpus: '2'}}}",
      "{'deploy':{'resources':{'limits':{'cpus':2}}}}" },
    { "networks: [n]", "networks: !override [m]", "{'networks':{'m':null}}" },
    { "ports: !reset ['1:1']", "tty: true", "{'tty':true}" },
    { "cap_add: [A]", "cap_add: [!reset B, C]", "{'cap_add':['A','C']}" },
};

static char *with_double_quotes(const char *text)
{
    char *copy = strdup(text);

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    return copy;
}

static struct node *service_file(struct doc *d, const char *keys)
{
    auto_str struct str yaml = STR_INIT;

    str_addf(&yaml, "services:\n  a:\n    %s\n", keys);
    return doc_part(d, yaml.buf);
}

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        auto_doc struct doc d = doc_new(FORM_COMPOSE);
        struct node *base = service_file(&d, cases[i].base);
        struct node *over = service_file(&d, cases[i].over);
        d.root = schema_merge_documents(d.arena, base, over);
        doc_finish(&d);
        assert_clean(&d, cases[i].over);
        auto_free char *got = doc_json(&d, "services.a");
        auto_free char *wanted = with_double_quotes(cases[i].json);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s + %s:\n  %s, expected\n  %s", cases[i].base, cases[i].over, got, wanted);
    }
}

/* What a service says over the one it extends is what a later file says over an earlier one. */
static void test_services(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        auto_doc struct doc d = doc_new(FORM_COMPOSE);
        struct node *base = node_at(service_file(&d, cases[i].base), "services.a");
        d.root = service_file(&d, cases[i].over);
        struct node *services = node_get(d.root, "services");
        node_set(d.arena, services, "a",
                 schema_merge_services(d.arena, base, node_get(services, "a")));
        doc_finish(&d);
        assert_clean(&d, cases[i].over);
        auto_free char *got = doc_json(&d, "services.a");
        auto_free char *wanted = with_double_quotes(cases[i].json);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s + %s:\n  %s, expected\n  %s", cases[i].base, cases[i].over, got, wanted);
    }
}

/* A mark in a file counts for its `extends` base, and for the files before. */
static void test_marks_of_extending_services_stay(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    struct node *first = service_file(&d, "ports: ['1:1']");
    struct node *second = service_file(&d, "ports: !reset []");
    struct node *parent = service_file(&d, "ports: !override ['2:2']");
    struct node *services = node_get(second, "services");
    node_set(
        d.arena, services, "a",
        schema_merge_services(d.arena, node_at(parent, "services.a"), node_get(services, "a")));
    d.root = schema_merge_documents(d.arena, first, second);
    doc_finish(&d);
    auto_free char *got = doc_json(&d, "services.a");
    assert_string_equal(got, "{}");
}

static const struct {
    const char *base, *over, *path, *json;
} wholes[] = {
    { "services: {a: {}}", "# nothing", "", "{'services':{'a':{}}}" },
    { "services: {a: {image: x}, b: {}}", "services: {b: !reset null}", "services",
      "{'a':{'image':'x'}}" },
    { "services: {a: {image: x, tty: true}}", "services: {a: !override {image: y}}", "services.a",
      "{'image':'y'}" },
    { "services: {a: {image: x}}", "services: {a: }", "services.a", "{'image':'x'}" },
    { "volumes: {v: }", "volumes: {v: {driver: local, labels: [a=b]}}", "volumes.v",
      "{'driver':'local','labels':{'a':'b'}}" },
    { "volumes: {v: {driver_opts: {a: 1}}}", "volumes: {v: {driver_opts: {b: 2}}}", "volumes.v",
      "{'driver_opts':{'a':'1','b':'2'}}" },
    { "networks: {n: {labels: [a=1]}}", "networks: {n: {labels: {a: 2}, internal: 'yes'}}",
      "networks.n", "{'internal':true,'labels':{'a':'2'}}" },
    { "networks: {n: {ipam: {config: [{subnet: s, gateway: g}]}}}",
      "networks: {n: {ipam: {config: [{subnet: s, ip_range: r}]}}}", "networks.n.ipam.config",
      "[{'subnet':'s','gateway':'g','ip_range':'r'}]" },
    { "networks: {n: {ipam: {config: [{subnet: s}]}}}",
      "networks: {n: {ipam: {config: [{subnet: t}]}}}", "networks.n.ipam.config",
      "[{'subnet':'t'}]" },
    { "networks: {n: {ipam: {config: [{subnet: s}]}}}",
      "networks: {n: {ipam: {config: [{subnet: s}, {subnet: t}]}}}", "networks.n.ipam.config",
      "[{'subnet':'s'},{'subnet':'t'}]" },
    { "volumes: {v: {external: {name: x}}}", "volumes: {v: {name: y}}", "volumes.v",
      "{'name':'y','external':true}" },
    { "version: '3'\nname: a", "name: b", "", "{'name':'b'}" },
    { "x-a: [1]", "x-a: [2]\nx-b: !reset {}", "", "{'x-a':[1,2]}" },
};

static void test_whole_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(wholes); i++) {
        auto_doc struct doc d = doc_new(FORM_COMPOSE);
        struct node *base = doc_part(&d, wholes[i].base);
        struct node *over = doc_part(&d, wholes[i].over);
        d.root = schema_merge_documents(d.arena, base, over);
        doc_finish(&d);
        assert_clean(&d, wholes[i].over);
        auto_free char *got = doc_json(&d, *wholes[i].path ? wholes[i].path : NULL);
        auto_free char *wanted = with_double_quotes(wholes[i].json);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s + %s:\n  %s, expected\n  %s", wholes[i].base, wholes[i].over, got, wanted);
    }
}

/* Lists of unlike kind and other nonsense: an error has been reported, nothing breaks. */
static void test_unlike_kinds(void **state)
{
    (void)state;
    static const char *const values[] = {
        "x", "5", "[a, {b: c}]", "{a: [b], c: {d: e}}", "", "true"
    };
    for (size_t k = 0; k < schema_service.len; k++)
        for (size_t i = 0; i < countof(values) * countof(values); i++) {
            auto_doc struct doc d = doc_new(FORM_COMPOSE);
            auto_str struct str base = STR_INIT, over = STR_INIT;
            const char *name = schema_service.items[k].name;
            str_addf(&base, "%s: %s", name, values[i / countof(values)]);
            str_addf(&over, "%s: %s", name, values[i % countof(values)]);
            d.root = schema_merge_documents(d.arena, service_file(&d, base.buf),
                                            service_file(&d, over.buf));
            doc_finish(&d);
            assert_non_null(node_at(d.root, "services.a"));
            assert_non_null(schema_json_view(d.arena, d.root));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_marks_of_extending_services_stay),
        cmocka_unit_test(test_whole_files),
        cmocka_unit_test(test_unlike_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
