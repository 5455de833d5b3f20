/* One service or resource after another in every form, and what it becomes. */
#include "model_schema.h"

/* `keys` of service a in a whole file; afterwards services.a is `json`. */
static const struct {
    const char *keys;
    const char *json;
} services[] = {
    { "image: x", "{'image':'x'}" },
    { "build: ./dir", "{'build':{'context':'./dir'}}" },
    { "build: {dockerfile_inline: 'FROM x'}",
      "{'build':{'context':'.','dockerfile_inline':'FROM x'}}" },
    { "build: {context: ''}", "{'build':{'context':''}}" },
    { "build: {context: ., args: [A=1, B], labels: [a=b, c], no_cache: 'true', pull: false}",
      "{'build':{'context':'.','args':{'A':'1','B':null},'labels':{'a':'b','c':''},'no_cache':true}}" },
    { "build: {context: ., ssh: [default, k=/p]}",
      "{'build':{'context':'.','ssh':{'default':null,'k':'/p'}}}" },
    { "build: {context: ., ssh: {default: }, provenance: true, sbom: false, shm_size: 2gb}",
      "{'build':{'context':'.','provenance':'true','sbom':'false','ssh':{'default':null},'shm_size':'2147483648'}}" },
    { "build: {context: ., additional_contexts: [a=b, c=d=e]}",
      "{'build':{'context':'.','additional_contexts':{'a':'b','c':'d=e'}}}" },
    { "build: {context: ., secrets: [s, {source: s, mode: 0400}]}",
      "{'build':{'context':'.','secrets':[{'source':'s'},{'source':'s','mode':'0400'}]}}" },
    { "build: {context: ., ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}}",
      "{'build':{'context':'.','ulimits':{'nofile':5,'nproc':{'soft':1,'hard':2}}}}" },
    { "attach: false", "{'attach':false}" },
    { "blkio_config: {weight: 300, weight_device: [{path: /dev/a, weight: '400'}], device_read_bps: [{path: /dev/a, rate: 12mb}]}",
      "{'blkio_config':{'weight':300,'weight_device':[{'path':'/dev/a','weight':400}],'device_read_bps':[{'path':'/dev/a','rate':'12582912'}]}}" },
    { "cap_add: [A, B, A]", "{'cap_add':['A','B']}" },
    { "command: ", "{}" },
    { "command: ''", "{'command':[]}" },
    { "command: []", "{'command':[]}" },
    { "command: a b  'c d' \"e $$f\" g\\ h ''", "{'command':['a','b','c d','e $$f','g h','']}" },
    { "command: 'a && b'", "{'command':['a']}" },
    { "command: 'echo `a b` $(c d)'", "{'command':['echo','`a b`','$(c d)']}" },
    { "command: 'a x2>b'", "{'command':['a','x2']}" },
    { "command: 'a 2>b'", "{'command':['a']}" },
    { "entrypoint: [sh, -c]", "{'entrypoint':['sh','-c']}" },
    { "configs: [c, {source: c, target: /t, uid: '1', mode: '0440'}]",
      "{'configs':[{'source':'c'},{'source':'c','target':'/t','uid':'1','mode':'0440'}]}" },
    { "secrets: [s, {source: s, target: t, mode: 0o440}]",
      "{'secrets':[{'source':'s','target':'/run/secrets/s'},{'source':'s','target':'t','mode':'0440'}]}" },
    { "cpu_count: '2'", "{'cpu_count':2}" },
    { "cpus: '0.5'", "{'cpus':0.5}" },
    { "cpus: 2.0", "{'cpus':2}" },
    { "cpus: 0.1", "{'cpus':0.1}" },
    { "cpus: 0", "{}" },
    { "cpu_percent: 50", "{'cpu_percent':50}" },
    { "depends_on: [b, a]",
      "{'depends_on':{'a':{'condition':'service_started','required':true},'b':{'condition':'service_started','required':true}}}" },
    { "depends_on: {b: {condition: service_healthy, restart: yes}}",
      "{'depends_on':{'b':{'condition':'service_healthy','restart':true,'required':true}}}" },
    { "depends_on: {b: {condition: service_healthy, required: false, restart: false}}",
      "{'depends_on':{'b':{'condition':'service_healthy','required':false}}}" },
    { "deploy: {replicas: '0', resources: {limits: {cpus: '0.50', memory: 50M}}}",
      "{'deploy':{'replicas':0,'resources':{'limits':{'cpus':0.5,'memory':'52428800'}}}}" },
    { "deploy: {restart_policy: {condition: any, delay: 5s, window: 120s}, update_config: {parallelism: 0, max_failure_ratio: 0.3}}",
      "{'deploy':{'update_config':{'parallelism':0,'max_failure_ratio':0.3},'restart_policy':{'condition':'any','delay':'5s','window':'2m0s'}}}" },
    { "deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}, {capabilities: [gpu], device_ids: ['1']}]}}}",
      "{'deploy':{'resources':{'reservations':{'devices':[{'capabilities':['gpu'],'count':-1},{'capabilities':['gpu'],'device_ids':['1']}]}}}}" },
    { "deploy: ", "{}" },
    { "develop: {watch: [{path: ., action: sync, target: /x, ignore: n}]}",
      "{'develop':{'watch':[{'path':'.','action':'sync','target':'/x','ignore':['n']}]}}" },
    { "devices: ['/dev/a:/dev/b', /dev/c, '/dev/d:/dev/e:r']",
      "{'devices':[{'source':'/dev/a','target':'/dev/b','permissions':'rwm'},{'source':'/dev/c','target':'/dev/c','permissions':'rwm'},{'source':'/dev/d','target':'/dev/e','permissions':'r'}]}" },
    { "dns: 8.8.8.8", "{'dns':['8.8.8.8']}" },
    { "dns: ''", "{}" },
    { "dns: ['', 1.1.1.1]", "{'dns':['1.1.1.1']}" },
    { "environment: {A: 1, B: true, C: 1.50, D: , E: '', F: 0x10}",
      "{'environment':{'A':'1','B':'true','C':'1.5','D':null,'E':'','F':'16'}}" },
    { "environment: [B=2, A, C=, B=3=4]", "{'environment':{'A':null,'B':'3=4','C':''}}" },
    { "env_file: e", "{'env_file':[{'path':'e','required':true}]}" },
    { "env_file: [e, {path: f, required: false, format: raw}, e]",
      "{'env_file':[{'path':'e','required':true},{'path':'f','required':false,'format':'raw'}]}" },
    { "expose: [80, '80', 53/udp]", "{'expose':['80','53/udp']}" },
    { "extra_hosts: [b:1.1.1.1, 'a=[::1]', 'c:::1', 'd=1.1.1.1,2.2.2.2']",
      "{'extra_hosts':['a=::1','b=1.1.1.1','c=::1','d=1.1.1.1','d=2.2.2.2']}" },
    { "extra_hosts: {b: 1.1.1.1, a: ['::1', 2.2.2.2]}",
      "{'extra_hosts':['a=2.2.2.2','a=::1','b=1.1.1.1']}" },
    { "gpus: all", "{'gpus':[{'count':-1}]}" },
    { "gpus: [{count: 2, driver: nvidia}]", "{'gpus':[{'driver':'nvidia','count':2}]}" },
    { "group_add: [a, 1]", "{'group_add':['a','1']}" },
    { "healthcheck: {test: a b, interval: 90s, retries: '3'}",
      "{'healthcheck':{'test':['CMD-SHELL','a b'],'interval':'1m30s','retries':3}}" },
    { "healthcheck: {test: [CMD, a], interval: 0s, disable: true}",
      "{'healthcheck':{'test':['CMD','a'],'interval':'0s','disable':true}}" },
    { "init: false", "{'init':false}" },
    { "hostname: ''", "{}" },
    { "labels: [a=1, b]", "{'labels':{'a':'1','b':''}}" },
    { "labels: {b: , a: 1}", "{'labels':{'a':'1','b':''}}" },
    { "label_file: l", "{'label_file':['l']}" },
    { "logging: {driver: x, options: {a: 1, b: , c: '3'}}",
      "{'logging':{'driver':'x','options':{'a':'1','b':'','c':'3'}}}" },
    { "mem_limit: 1gb", "{'mem_limit':'1073741824'}" },
    { "mem_limit: 0", "{}" },
    { "memswap_limit: -1", "{'memswap_limit':'-1'}" },
    { "mem_swappiness: 60", "{'mem_swappiness':'60'}" },
    { "models: [m]", "{'models':{'m':null}}" },
    { "networks: [b, a]", "{'networks':{'a':null,'b':null}}" },
    { "networks: {n: {aliases: [x, x], priority: 10, driver_opts: {a: 1}}}",
      "{'networks':{'n':{'aliases':['x'],'driver_opts':{'a':'1'},'priority':10}}}" },
    { "pid: ", "{}" },
    { "pids_limit: -1", "{'pids_limit':-1}" },
    { "ports: [80]", "{'ports':[{'mode':'ingress','target':80,'protocol':'tcp'}]}" },
    { "ports: ['127.0.0.1::80', ':80', '80/sctp']",
      "{'ports':[{'mode':'ingress','host_ip':'127.0.0.1','target':80,'protocol':'tcp'},{'mode':'ingress','target':80,'protocol':'tcp'},{'mode':'ingress','target':80,'protocol':'sctp'}]}" },
    { "ports: ['8080-8081:80-81/UDP']",
      "{'ports':[{'mode':'ingress','target':80,'published':'8080','protocol':'udp'},{'mode':'ingress','target':81,'published':'8081','protocol':'udp'}]}" },
    { "ports: ['8080-8090:80']",
      "{'ports':[{'mode':'ingress','target':80,'published':'8080-8090','protocol':'tcp'}]}" },
    { "ports: ['[::1]:1:2']",
      "{'ports':[{'mode':'ingress','host_ip':'::1','target':2,'published':'1','protocol':'tcp'}]}" },
    { "ports: [{target: '80', published: '8080', name: w}, '8080:80']",
      "{'ports':[{'mode':'ingress','target':80,'published':'8080','protocol':'tcp'}]}" },
    { "post_start: [{command: ./x.sh a, environment: [A=b]}]",
      "{'post_start':[{'command':['./x.sh','a'],'environment':{'A':'b'}}]}" },
    { "privileged: false", "{}" },
    { "privileged: 'on'", "{'privileged':true}" },
    { "provider: {type: p, options: {a: 1, b: [x, true]}}",
      "{'provider':{'type':'p','options':{'a':['1'],'b':['x','true']}}}" },
    { "pull_policy: if_not_present", "{'pull_policy':'missing'}" },
    { "pull_policy: every_1h30m", "{'pull_policy':'every_1h30m'}" },
    { "scale: 0", "{'scale':0}" },
    { "shm_size: 67108864", "{'shm_size':'67108864'}" },
    { "stop_grace_period: 1.5m", "{'stop_grace_period':'1m30s'}" },
    { "storage_opt: {size: 1G, n: 1}", "{'storage_opt':{'n':'1','size':'1G'}}" },
    { "sysctls: [a=1, b]", "{'sysctls':{'a':'1','b':''}}" },
    { "tmpfs: /run", "{'tmpfs':['/run']}" },
    { "ulimits: {core: '0', nofile: 5, rss: {soft: '1', hard: -1}}",
      "{'ulimits':{'core':0,'nofile':5,'rss':{'soft':1,'hard':-1}}}" },
    { "volumes: [data:/d/, ./x:/x/../y:ro, /anon, a]",
      "{'volumes':[{'type':'volume','source':'data','target':'/d','volume':{}},{'type':'bind','source':'./x','target':'/y','read_only':true,'bind':{'create_host_path':true}},{'type':'volume','target':'/anon','volume':{}},{'type':'volume','target':'a'}]}" },
    { "volumes: ['data:/d:nocopy', '~/a:/a:rshared,z', '/b:/b:cached,rw']",
      "{'volumes':[{'type':'volume','source':'data','target':'/d','volume':{'nocopy':true}},{'type':'bind','source':'~/a','target':'/a','bind':{'selinux':'z','propagation':'rshared','create_host_path':true}},{'type':'bind','source':'/b','target':'/b','bind':{'create_host_path':true}}]}" },
    { "volumes: ['/${A:-b}:/x']",
      "{'volumes':[{'type':'bind','source':'/${A:-b}','target':'/x','bind':{'create_host_path':true}}]}" },
    { "volumes: ['v:/v']", "{'volumes':[{'type':'volume','target':'v:/v','volume':{}}]}" },
    { "volumes: ['data:/x', './y:/x']",
      "{'volumes':[{'type':'bind','source':'./y','target':'/x','bind':{'create_host_path':true}}]}" },
    { "volumes: [{type: tmpfs, target: /t/, tmpfs: {size: 10m, mode: 0755}}]",
      "{'volumes':[{'type':'tmpfs','target':'/t','tmpfs':{'size':'10485760','mode':493}}]}" },
    { "volumes: [{type: bind, source: ., target: /t, read_only: 'no', bind: {create_host_path: false}}]",
      "{'volumes':[{'type':'bind','source':'.','target':'/t','bind':{}}]}" },
    { "network_mode: ''", "{'network_mode':''}" },
    { "build: {dockerfile_inline: ''}", "{'build':{'context':'.','dockerfile_inline':''}}" },
    { "environment: ['', A]", "{'environment':{'':null,'A':null}}" },
    { "x-y: {a: 1}", "{'x-y':{'a':1}}" },
    { "x-ready: {tcp: '80', timeout: 90s}", "{'x-ready':{'tcp':80,'timeout':'1m30s'}}" },
    { "x-link-environment: 'yes'", "{'x-link-environment':true}" },
};

static char *with_double_quotes(const char *text)
{
    char *copy = strdup(text);

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    return copy;
}

static void test_services(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(services); i++) {
        auto_doc struct doc d = doc_new(FORM_COMPOSE);
        auto_str struct str yaml = STR_INIT;
        str_addf(&yaml, "services:\n  a:\n    %s\n", services[i].keys);
        d.root = doc_part(&d, yaml.buf);
        doc_finish(&d);
        assert_clean(&d, services[i].keys);
        auto_free char *got = doc_json(&d, "services.a");
        auto_free char *wanted = with_double_quotes(services[i].json);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s:\n  %s, expected\n  %s", services[i].keys, got, wanted);

        /* A finished document is also an expanded one: the same again changes nothing. */
        schema_expand(d.arena, d.root, d.form, false, &d.diag);
        doc_finish(&d);
        auto_free char *again = doc_json(&d, "services.a");
        assert_string_equal(again, wanted);
    }
}

/* Whole documents, in the form that they are written in. */
static const struct {
    enum schema_form form;
    const char *text;
    const char *json;
} wholes[] = {
    { FORM_COMPOSE, "services: {}", "{'services':{}}" },
    { FORM_COMPOSE,
      "volumes: {}\nx-a: 1\nservices: {b: {image: x}, a: {image: y}}\nname: n\nversion: '3'",
      "{'name':'n','services':{'a':{'image':'y'},'b':{'image':'x'}},'x-a':1}" },
    { FORM_COMPOSE,
      "networks: {n: , m: {external: {name: x}, enable_ipv6: false, driver_opts: {a: 1}}}",
      "{'networks':{'m':{'name':'x','driver_opts':{'a':'1'},'external':true,'enable_ipv6':false},'n':null}}" },
    { FORM_COMPOSE,
      "networks: {n: {ipam: {config: [{subnet: s, aux_addresses: {h: a}}]}, labels: [a]}}",
      "{'networks':{'n':{'ipam':{'config':[{'subnet':'s','aux_addresses':{'h':'a'}}]},'labels':{'a':''}}}}" },
    { FORM_COMPOSE, "volumes: {v: {external: 'true', name: x}}",
      "{'volumes':{'v':{'name':'x','external':true}}}" },
    { FORM_COMPOSE,
      "secrets: {s: {environment: E}}\nconfigs: {c: {content: x}, d: {external: true}}",
      "{'secrets':{'s':{'environment':'E'}},'configs':{'c':{'content':'x'},'d':{'external':true}}}" },
    { FORM_COMPOSE, "include: [a.yaml, {path: [b, c], env_file: e}]",
      "{'include':[{'path':['a.yaml']},{'path':['b','c'],'env_file':['e']}]}" },
    { FORM_COMPOSE, "models: {m: {model: ai/x, context_size: 1024}}",
      "{'models':{'m':{'model':'ai/x','context_size':1024}}}" },
    { FORM_NATIVE,
      "projects: {a: ../a, b: {git: u, ref: r, services: {c: {environment: [A=1]}}}}\nregistry: r\ntrack: main",
      "{'projects':{'a':{'path':'../a'},'b':{'git':'u','ref':'r','services':{'c':{'environment':{'A':'1'}}}}},'registry':'r','track':'main'}" },
    { FORM_NATIVE,
      "infrastructure: {db: 'm:1', r: {image: r, ready: {log: x, http: ':80/a', exec: ls, timeout: 60s}}}",
      "{'infrastructure':{'db':{'image':'m:1'},'r':{'image':'r','ready':{'log':'x','http':{'port':80,'path':'/a'},'exec':['/bin/sh','-c','ls'],'timeout':'1m0s'}}}}" },
    { FORM_NATIVE,
      "services: {a: {ready: {http: 'http://h:1/p', exec: [a]}, link_environment: true, depends_on: [b]}}",
      "{'services':{'a':{'depends_on':{'b':{'condition':'service_ready','required':true}},'ready':{'http':{'host':'h','port':1,'path':'/p'},'exec':['a']},'link_environment':true}}}" },
    { FORM_MANIFEST,
      "services: {k: {links: [db], build: .}}\nimages: {i: d.Dockerfile}\nrequires: {db: 'm:1'}",
      "{'services':{'k':{'build':{'context':'.'},'links':['db']}},'images':{'i':{'context':'.','dockerfile':'d.Dockerfile'}},'requires':{'db':{'image':'m:1'}}}" },
};

static void test_wholes(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(wholes); i++) {
        auto_doc struct doc d = doc_new(wholes[i].form);
        d.root = doc_part(&d, wholes[i].text);
        doc_finish(&d);
        assert_clean(&d, wholes[i].text);
        auto_free char *got = doc_json(&d, NULL);
        auto_free char *wanted = with_double_quotes(wholes[i].json);
        if (strcmp(got, wanted) != 0)
            fail_msg("%s:\n  %s, expected\n  %s", wholes[i].text, got, wanted);
    }
}

static char *shown(const struct node *view)
{
    auto_str struct str out = STR_INIT;

    node_write_json(&out, view, NODE_JSON_COMPACT);
    return str_detach(&out);
}

static void test_views(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    d.root = doc_part(&d, "services:\n"
                          "  a:\n"
                          "    build: {context: '', ssh: [default, k=/p]}\n"
                          "    env_file: [e, {path: f, required: false}]\n"
                          "    deploy: {}\n"
                          "    develop: {watch: [{path: p, action: rebuild}]}\n"
                          "    blkio_config: {device_read_bps: [{path: /d, rate: 1k}]}\n"
                          "    ulimits: {core: 0, n: {soft: 0, hard: 1}}\n"
                          "    x-a: 1\n"
                          "networks: {n: {x-b: 2}}\n"
                          "models: {m: {model: x}}\n"
                          "x-c: {d: [], e: [1]}\n");
    doc_finish(&d);
    assert_clean(&d, "views");
    auto_free char *json = shown(schema_json_view(d.arena, d.root));
    auto_free char *yaml = shown(schema_yaml_view(d.arena, d.root));
    auto_free char *json_wanted = with_double_quotes(
        "{'networks':{'n':{'ipam':{}}},'services':{'a':{"
        "'blkio_config':{'device_read_bps':[{'Path':'/d','Rate':'1024'}]},"
        "'build':{'ssh':['default','k=/p']},"
        "'command':null,'deploy':{'placement':{},'resources':{}},"
        "'develop':{'watch':[{'action':'rebuild','exec':{'command':null},'path':'p'}]},"
        "'entrypoint':null,'env_file':['e',{'path':'f','required':false}],"
        "'ulimits':{'core':{},'n':{'hard':1}}}},'x-c':{'d':null,'e':[1]}}");
    auto_free char *yaml_wanted = with_double_quotes(
        "{'services':{'a':{'build':{'ssh':['default','k=/p']},"
        "'develop':{'watch':[{'path':'p','action':'rebuild'}]},"
        "'blkio_config':{'device_read_bps':[{'path':'/d','rate':'1024'}]},'deploy':{},"
        "'env_file':['e',{'path':'f','required':false}],"
        "'ulimits':{'core':0,'n':{'soft':0,'hard':1}},'x-a':1}},"
        "'networks':{'n':{'x-b':2}},'models':{'m':{'model':'x'}},'x-c':{'d':[],'e':[1]}}");
    assert_string_equal(json, json_wanted);
    assert_string_equal(yaml, yaml_wanted);
}

static void test_native_keys_in_either_spelling(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    d.root = doc_part(&d, "services: {a: {x-ready: {tcp: 1}, x-link-environment: true}}");
    const struct node *a = node_at(d.root, "services.a");
    assert_non_null(schema_native(a, "ready"));
    assert_non_null(schema_native(a, "link_environment"));
    assert_null(schema_native(a, "track"));
    assert_null(schema_native(NULL, "ready"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_wholes),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_native_keys_in_either_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
