/* Mistakes in files: each is found, named by its path, and pointed at. */
#include "model_schema.h"

/* `keys` stand at line 3, column 5, in service a; the message is printed with its place. */
static const struct {
    const char *keys;
    const char *message;
} in_service[] = {
    { "imagee: x", ":3:5: error: services.a: unknown key 'imagee'; did you mean 'image'?" },
    { "Image: x", ":3:5: error: services.a: unknown key 'Image'" },
    { "log_driver: x", "unknown key 'log_driver'; write 'logging: { driver: ... }'" },
    { "ready: {tcp: 1}", "unknown key 'ready'; in a Compose file write 'x-ready'" },
    { "link_environment: true", "; in a Compose file write 'x-link-environment'" },
    { "x-ready: {helthy: true}",
      "services.a.x-ready: unknown key 'helthy'; did you mean 'healthy'?" },
    { "build: {contxt: .}", "services.a.build: unknown key 'contxt'; did you mean 'context'?" },
    { "image: true", ":3:12: error: services.a.image: must be a string" },
    { "image: ", "services.a.image: must be a string" },
    { "image: [a]", "services.a.image: must be a string" },
    { "user: 1000", "services.a.user: must be a string" },
    { "privileged: perhaps", "services.a.privileged: must be true or false" },
    { "privileged: 1", "services.a.privileged: must be true or false" },
    { "use_api_socket: 'true'", "services.a.use_api_socket: must be true or false" },
    { "cpus: plenty", "services.a.cpus: must be a number" },
    { "cpu_shares: ''", "services.a.cpu_shares: must be an integer" },
    { "cpu_shares: 1.5", "services.a.cpu_shares: must be an integer" },
    { "cpu_percent: 101", "services.a.cpu_percent: must be between 0 and 100" },
    { "cpu_count: -1", "services.a.cpu_count: must not be less than 0" },
    { "oom_score_adj: 2000", "services.a.oom_score_adj: must be between -1000 and 1000" },
    { "mem_limit: 12xyz", "services.a.mem_limit: must be a size, such as 64m" },
    { "mem_limit: -1g", "services.a.mem_limit: must be a size" },
    { "deploy: {resources: {limits: {memory: 5}}}", "limits.memory: must be a size as a string" },
    { "stop_grace_period: 10", "services.a.stop_grace_period: must be a duration with a unit" },
    { "stop_grace_period: 1 m", "services.a.stop_grace_period: must be a duration with a unit" },
    { "cgroup: both", "services.a.cgroup: must be one of 'host', 'private'" },
    { "command: {a: b}", "services.a.command: must be a string or a list of strings" },
    { "command: [a, 6380]", ":3:18: error: services.a.command[1]: must be a string" },
    { "command: 'a \"b'", "services.a.command: a quote, bracket or backslash is not closed" },
    { "command: 'a (b)'", "services.a.command: a quote, bracket or backslash is not closed" },
    { "cap_add: ALL", "services.a.cap_add: must be a list" },
    { "cap_add: [5]", "services.a.cap_add[0]: must be a string" },
    { "cap_add: [null]", "services.a.cap_add[0]: must be a string" },
    { "group_add: [g, g]", "services.a.group_add: is in the list twice" },
    { "depends_on: [b, b]", "services.a.depends_on: the same name is listed twice" },
    { "depends_on: {b: }", "services.a.depends_on.b: must be a mapping" },
    { "depends_on: {b: {}}", "services.a.depends_on.b: 'condition' is missing" },
    { "depends_on: {b: {condition: started}}",
      "depends_on.b.condition: must be one of 'service_started'" },
    { "depends_on: {b: {condition: service_started, required: 'yes'}}",
      "required: must be true or false" },
    { "environment: 5", "services.a.environment: must be a mapping, or a list of NAME=VALUE" },
    { "environment: [5]", "services.a.environment[0]: must be a string of the form NAME=VALUE" },
    { "environment: {A: [1]}",
      "services.a.environment.A: must be a string, number, true, false or null" },
    { "environment: ['A =1']", "services.a.environment[0]: there is a blank before '='" },
    { "environment: ['=1']", "warning: services.a.environment[0]: the name before '=' is missing" },
    { "labels: {'': x}", "a name is empty" },
    { "labels: ", "services.a.labels: must be a mapping, or a list of NAME=VALUE" },
    { "build: {additional_contexts: [a]}",
      "additional_contexts[0]: must be of the form NAME=VALUE" },
    { "build: {ssh: [key]}", "services.a.build.ssh: must be 'default' or of the form ID=PATH" },
    { "build: {context: ., dockerfile: D, dockerfile_inline: x}",
      "'dockerfile' excludes 'dockerfile_inline'" },
    { "env_file: {path: a}", "services.a.env_file: must be a string or a list" },
    { "env_file: [{required: false}]", "services.a.env_file[0]: 'path' is missing" },
    { "expose: '80'", "services.a.expose: must be a list" },
    { "expose: [80.5]", "services.a.expose[0]: must be a string or number" },
    { "devices: [{source: a}]", "services.a.devices[0]: 'target' is missing" },
    { "networks: {n: {driver_opts: {a: }}}",
      "services.a.networks.n.driver_opts: 'a' has no value" },
    { "provider: {type: p, options: {a: }}", "services.a.provider.options: must be a string" },
    { "extends: {file: f}", "services.a.extends: 'service' is missing" },
    { "extends: ", "services.a.extends: must be a string or a mapping" },
    { "extends: [a]", "services.a.extends: must be a string or a mapping" },
    { "extra_hosts: [h]", "services.a.extra_hosts[0]: the address is missing: HOST=ADDRESS" },
    { "extra_hosts: ['=1.1.1.1']", "the host name is missing or not one" },
    { "extra_hosts: 5", "services.a.extra_hosts: must be a mapping, or a list of HOST=ADDRESS" },
    { "gpus: some", "services.a.gpus: must be one of 'all'" },
    { "gpus: [{count: 1, device_ids: [a]}]", "services.a.gpus[0]: excludes 'count'" },
    { "deploy: {resources: {reservations: {devices: [{count: 1}]}}}",
      "devices[0]: 'capabilities' is missing" },
    { "deploy: {resources: {reservations: {devices: [{capabilities: [g], count: some}]}}}",
      "devices[0].count: must be an integer" },
    { "deploy: {replicas: many}", "services.a.deploy.replicas: must be an integer" },
    { "deploy: x", "services.a.deploy: must be a mapping" },
    { "develop: {watch: [{path: a, action: explode}]}",
      "watch[0].action: must be one of 'rebuild'" },
    { "develop: {watch: [{path: '', action: rebuild}]}", "watch[0].path: must not be empty" },
    { "devices: ['a:b:c:d']", "services.a.devices[0]: there are too many colons" },
    { "healthcheck: {intervall: 1s}",
      "services.a.healthcheck: unknown key 'intervall'; did you mean 'interval'?" },
    { "healthcheck: {interval: 5 parsecs}", "services.a.healthcheck.interval: must be a duration" },
    { "logging: {options: {b: true}}", "services.a.logging.options.b: must be a string or number" },
    { "logging: {options: [a=b]}", "services.a.logging.options: must be a mapping" },
    { "models: {m: 5}", "services.a.models.m: must be a mapping" },
    { "networks: n", "services.a.networks: must be a list or a mapping" },
    { "networks: {n: 5}", "services.a.networks.n: must be a mapping" },
    { "networks: {'a/b': }", "a name consists of letters, digits and '.', '_', '-'" },
    { "networks: {n: {priority: '1'}}", "networks.n.priority: must be an integer" },
    { "container_name: '-'", "services.a.container_name: must be two or more letters" },
    { "container_name: a", "services.a.container_name: must be two or more letters" },
    { "container_name: -ab", "warning: services.a.container_name: the engine wants" },
    { "restart: sometimes", "warning: services.a.restart: the engine knows" },
    { "pull_policy: sometimes", "services.a.pull_policy: must be one of" },
    { "pull_policy: every_x", "services.a.pull_policy: must be one of" },
    { "ports: 80", "services.a.ports: must be a list" },
    { "ports: [8080.0]", "services.a.ports[0]: must be a string, an integer or a mapping" },
    { "ports: [null]", "services.a.ports[0]: must be a string, an integer or a mapping" },
    { "ports: ['']", "services.a.ports[0]: the container's port is missing" },
    { "ports: ['80:']", "services.a.ports[0]: the container's port is missing" },
    { "ports: ['a:b']", "services.a.ports[0]: the container's port must be a number" },
    { "ports: ['99999:80']", "services.a.ports[0]: the host's port must be a number" },
    { "ports: [99999]", "services.a.ports[0]: the container's port must be a number" },
    { "ports: ['80:0']", "services.a.ports[0]: the container's port must be a number" },
    { "ports: ['80:80/xyz']", "services.a.ports[0]: the protocol must be tcp, udp or sctp" },
    { "ports: ['80-82:80-81']", "services.a.ports[0]: the two ranges of ports differ in length" },
    { "ports: ['8005-8000:80-85']", "the host's port must be a number" },
    { "ports: ['80:80:80:80']", "an IPv6 address must stand in brackets" },
    { "ports: ['::1:80:80']", "an IPv6 address must stand in brackets" },
    { "ports: ['300.1.1.1:80:80']", "the part before the ports must be an IP address" },
    { "ports: [1-65535, 1-65535]", "services.a.ports[1]: these are too many ports" },
    { "ports: [{published: 80}]", "services.a.ports[0]: 'target' is missing" },
    { "ports: [{target: 70000}]",
      "services.a.ports[0].target: a port is a number from 1 to 65535" },
    { "ports: [{target: 80, host_ip: x}]", "services.a.ports[0].host_ip: must be an IP address" },
    { "ports: [{target: 80, published: x}]", "services.a.ports[0].published: must be a port" },
    { "post_start: [{user: x}]", "services.a.post_start[0]: 'command' is missing" },
    { "provider: {type: p, options: {a: {b: 1}}}",
      "services.a.provider.options: must be a string, number" },
    { "provider: {options: {}}", "services.a.provider: 'type' is missing" },
    { "secrets: [{target: s}]", "services.a.secrets[0]: 'source' is missing" },
    { "secrets: [{source: s, src: s}]", "services.a.secrets[0]: unknown key 'src'" },
    { "secrets: [[s]]", "services.a.secrets[0]: must be a string or a mapping" },
    { "secrets: [{source: s, mode: '9'}]", "secrets[0].mode: must be permission bits in octal" },
    { "storage_opt: [5]", "services.a.storage_opt: must be a mapping" },
    { "tmpfs: {a: b}", "services.a.tmpfs: must be a string or a list of strings" },
    { "ulimits: {n: x}", "services.a.ulimits.n: must be an integer" },
    { "ulimits: {n: {soft: 1}}", "services.a.ulimits.n: 'hard' is missing" },
    { "volumes: [':/b']", "services.a.volumes[0]: there is an empty section between colons" },
    { "volumes: ['aa:bb:cc:dd']", "services.a.volumes[0]: there are too many colons" },
    { "volumes: ['']", "services.a.volumes[0]: the mount is empty" },
    { "volumes: ['v:/v']",
      "warning: services.a.volumes[0]: a single letter before ':' is a Windows drive" },
    { "volumes: [{source: a, target: /b}]", "services.a.volumes[0]: 'type' is missing" },
    { "volumes: [{type: bind, target: /b}]", "services.a.volumes[0]: 'source' is missing" },
    { "volumes: [{type: bind, source: a}]", "services.a.volumes[0]: 'target' is missing" },
    { "volumes: [{type: bind, source: a, target: b, bind: {foo: 1}}]",
      "volumes[0].bind: unknown key 'foo'" },
    { "volumes: [{type: tmpfs, target: b, tmpfs: {size: 0.1}}]", "tmpfs.size: must be a size" },
    { "volumes: [{type: tmpfs, target: b, tmpfs: {size: -1}}]",
      "tmpfs.size: must not be less than 0" },
    { "volumes: [{type: tmpfs, target: b, tmpfs: {mode: '0755'}}]",
      "tmpfs.mode: must be an integer" },
};

static void test_in_service(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(in_service); i++) {
        auto_doc struct doc d = doc_new(FORM_COMPOSE);
        auto_str struct str yaml = STR_INIT;
        str_addf(&yaml, "services:\n  a:\n    %s\n", in_service[i].keys);
        d.root = doc_part(&d, yaml.buf);
        doc_finish(&d);
        assert_said(&d, in_service[i].keys, in_service[i].message);
        /* Found once, by one of the three steps. */
        auto_free char *messages = doc_messages(&d);
        if (d.diag.errors + d.diag.warnings != 1)
            fail_msg("%s: more than one message: %s", in_service[i].keys, messages);
    }
}

static const struct {
    enum schema_form form;
    const char *text;
    const char *message;
} whole[] = {
    { FORM_COMPOSE, "[a]", "the file must be a mapping" },
    { FORM_COMPOSE, "servicess: {}",
      ":1:1: error: unknown key 'servicess'; did you mean 'services'?" },
    { FORM_COMPOSE, "services: [a]", "services: must be a mapping" },
    { FORM_COMPOSE, "services: {a: x}", "services.a: must be a mapping" },
    { FORM_COMPOSE, "services: {a: }", "services.a: must be a mapping" },
    { FORM_COMPOSE, "services: {a/b: {}}", "services.a/b: a name consists of letters" },
    { FORM_COMPOSE, "version: [3]", "version: must be a string" },
    { FORM_COMPOSE, "name: 5", "name: must be a string" },
    { FORM_COMPOSE, "volumes: ", "volumes: must be a mapping" },
    { FORM_COMPOSE, "volumes: {v: local}", "volumes.v: must be a mapping" },
    { FORM_COMPOSE, "volumes: {v: {external: true, driver: x}}",
      "volumes.v: 'driver' says nothing about an external volume" },
    { FORM_COMPOSE, "volumes: {v: {name: a, external: {name: b}}}",
      "'name' and 'external.name' differ" },
    { FORM_COMPOSE, "volumes: {v: {external: {name: b}}}",
      "warning: volumes.v: 'external.name' is deprecated" },
    { FORM_COMPOSE, "networks: {n: {internal: maybe}}",
      "networks.n.internal: must be true or false" },
    { FORM_COMPOSE, "networks: {n: {external: 5}}",
      "networks.n.external: must be true, false or a mapping" },
    { FORM_COMPOSE, "networks: {n: {ipam: {config: {subnet: a}}}}",
      "networks.n.ipam.config: must be a list" },
    { FORM_COMPOSE, "networks: {n: {ipam: {options: {a: 1}}}}",
      "networks.n.ipam.options.a: must be a string" },
    { FORM_COMPOSE, "configs: {c: {}}",
      "configs.c: one of 'file', 'environment', 'content' must be set" },
    { FORM_COMPOSE, "configs: {c: {file: a, content: b}}", "configs.c: 'content' excludes 'file'" },
    { FORM_COMPOSE, "secrets: {s: }", "secrets.s: must be a mapping" },
    { FORM_COMPOSE, "secrets: {s: {environment: ''}}", "secrets.s: must not be empty" },
    { FORM_COMPOSE, "models: {m: {}}", "models.m: 'model' is missing" },
    { FORM_COMPOSE, "include: x", "include: must be a list" },
    { FORM_COMPOSE, "projects: {}",
      "unknown key 'projects'; it belongs to a file with 'projects' or" },
    { FORM_NATIVE, "projects: {a: {pth: x}}",
      "projects.a: unknown key 'pth'; did you mean 'path'?" },
    { FORM_NATIVE, "projects: {a: {services: {b: {imag: x}}}}",
      "projects.a.services.b: unknown key 'imag'" },
    { FORM_NATIVE, "infrastructure: {a: [x]}", "infrastructure.a: must be a string or a mapping" },
    { FORM_NATIVE, "services: {a: {ready: {http: ':x/'}}}",
      "services.a.ready.http: must be of the form [HOST][:PORT][/PATH]" },
    { FORM_NATIVE, "services: {a: {ready: {http: {status: 42}}}}",
      "ready.http.status: must be between 100 and 599" },
    { FORM_NATIVE, "services: {a: {ready: {tcp: 0x1ffff}}}", "ready.tcp: a port is a number" },
    { FORM_NATIVE, "services: {a: {ready: {log: '('}}}",
      "services.a.ready.log: is no regular expression" },
    { FORM_MANIFEST, "projects: {}", "unknown key 'projects'" },
    { FORM_MANIFEST, "images: {a: {dockerfle: x}}",
      "images.a: unknown key 'dockerfle'; did you mean 'dockerfile'?" },
    { FORM_MANIFEST, "requires: {db: [a]}", "requires.db: must be a string or a mapping" },
};

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(whole); i++) {
        auto_doc struct doc d = doc_new(whole[i].form);
        d.root = doc_part(&d, whole[i].text);
        doc_finish(&d);
        assert_said(&d, whole[i].text, whole[i].message);
    }
}

/* The values of a file may be secrets. */
static void test_no_value_is_shown(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "privileged: hunter2",
        "cpus: hunter2",
        "mem_limit: hunter2",
        "ports: [hunter2]",
        "volumes: ['aa::hunter2']",
        "environment: ['hunter2 =1']",
        "gpus: hunter2",
        "group_add: [hunter2, hunter2]",
        "command: hunter2 'x",
        "extra_hosts: [hunter2]",
        "restart: hunter2",
        "pull_policy: hunter2",
        "container_name: -hunter2",
        "depends_on: {b: {condition: hunter2}}",
    };
    for (size_t i = 0; i < countof(keys); i++) {
        auto_doc struct doc d = doc_new(FORM_COMPOSE);
        auto_str struct str yaml = STR_INIT;
        str_addf(&yaml, "services:\n  a:\n    %s\n", keys[i]);
        d.root = doc_part(&d, yaml.buf);
        doc_finish(&d);
        auto_free char *messages = doc_messages(&d);
        assert_true(d.diag.errors + d.diag.warnings > 0);
        assert_null(strstr(messages, "hunter2"));
    }
}

/* What is shown but cannot run. */
static void test_refused(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    d.root = doc_part(&d, "services:\n"
                          "  a: {image: x}\n"
                          "  b:\n"
                          "    provider: {type: p}\n");
    doc_finish(&d);
    assert_clean(&d, "provider");
    schema_refuse(node_at(d.root, "services.a"), "a", &d.diag);
    assert_int_equal(d.diag.errors, 0);
    schema_refuse(node_at(d.root, "services.b"), "b", &d.diag);
    assert_said(&d, "provider", "/s/f.yaml:4:5: error: services.b.provider: cannot run here: ");
}

/* What would make merging slow is refused. */
static void test_limits(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    auto_str struct str yaml = STR_INIT;
    str_add(&yaml, "networks: {n: {ipam: {config: [");
    for (int i = 0; i < 257; i++)
        str_addf(&yaml, "{subnet: s%d}, ", i);
    str_add(&yaml, "]}}}");
    d.root = doc_part(&d, yaml.buf);
    assert_said(&d, "pools", "networks.n.ipam.config: more than 256 pools");
}

/* All mistakes of a file in one run, and what is right stays. */
static void test_goes_on(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    d.root = doc_part(&d, "services:\n"
                          "  a: {imag: x, ports: ['80:80', 'x'], cpus: many, tty: true}\n"
                          "  b: [x]\n"
                          "volumes: [v]\n");
    doc_finish(&d);
    assert_int_equal(d.diag.errors, 5);
    auto_free char *a = doc_json(&d, "services.a.ports");
    assert_string_equal(
        a, "[{\"mode\":\"ingress\",\"target\":80,\"published\":\"80\",\"protocol\":\"tcp\"}]");
    assert_null(node_get(d.root, "volumes"));
    assert_null(node_at(d.root, "services.b"));
}

/* Text with variables in it is taken as it stands with --no-interpolate. */
static void test_raw(void **state)
{
    (void)state;
    auto_doc struct doc d = doc_new(FORM_COMPOSE);
    d.raw = true;
    d.root = doc_part(&d, "services:\n"
                          "  a:\n"
                          "    tty: ${T}\n"
                          "    cpus: ${C:-1}\n"
                          "    ports: ['${P}:80', '81:81']\n"
                          "    volumes: ['${V:-x}:/v:ro']\n"
                          "    command: run \"${X\n"
                          "    ulimits: {n: $N}\n"
                          "    environment: [$E, A=$B]\n");
    doc_finish(&d);
    assert_clean(&d, "raw");
    auto_free char *a = doc_json(&d, "services.a");
    assert_string_equal(
        a, "{\"cpus\":\"${C:-1}\",\"command\":\"run \\\"${X\","
           "\"environment\":{\"$E\":null,\"A\":\"$B\"},"
           "\"ports\":[\"${P}:80\",{\"mode\":\"ingress\",\"target\":81,\"published\":\"81\","
           "\"protocol\":\"tcp\"}],\"tty\":\"${T}\",\"ulimits\":{\"n\":\"$N\"},"
           "\"volumes\":[{\"type\":\"volume\",\"source\":\"${V:-x}\",\"target\":\"/v\","
           "\"read_only\":true,\"volume\":{}}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_service),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_no_value_is_shown),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
