/*
 * The engine: where it is, what it is, what it has left. Every question has a limit of time, so
 * that an engine that hangs is an answer, too.
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/doctor.h"
#include "engine/context.h"
#include "engine/requests.h"

#define ANSWER_MS 5000
#define SSH_ANSWER_MS 15000 /* the connection is made first */
#define DISK_MS 10000       /* engines count what lies on the disk */
#define HUB_MS 15000
#define SKEW_NS INT64_C(2000000000)
#define MEMORY_LEAST (INT64_C(2) << 30)
#define DISK_LEAST INT64_C(1000000000)
#define DISK_LOW INT64_C(5000000000)
#define HUB_IMAGE "docker.io/library/busybox:latest"

static int ask(json_t **out, struct doctor *d, struct engine_request *rq, int64_t ms,
               struct error *err)
{
    return engine_do_within(out, d->cli->engine, rq, ms, err);
}

static bool is_podman(const struct doctor *d)
{
    const char *server = engine_server(d->cli->engine);
    return server && str_starts(server, "Libpod");
}

static bool has_security_option(const json_t *info, const char *name)
{
    size_t i;
    json_t *option;
    json_array_foreach (json_object_get(info, "SecurityOptions"), i, option) {
        if (json_string_value(option) && strstr(json_string_value(option), name))
            return true;
    }
    return false;
}

/* --- where, and whether it answers --- */

/* Where the engine was only found because no other was named: what else there is. */
static void check_others(struct doctor *d, const struct engine_endpoint *ep)
{
    auto_strv struct strv places = STRV_INIT, others = STRV_INIT;
    if (!str_eq(ep->why, "the default") && !str_starts(ep->why, "the first socket"))
        return;
    context_places(&places);
    strv_each (place, &places) {
        struct stat st;
        bool chosen = str_eq(*place, ep->host + strlen("unix://"));
        if (!chosen && stat(*place, &st) == 0 && S_ISSOCK(st.st_mode))
            strv_add(&others, *place);
    }
    if (!others.len)
        return;
    auto_free char *list = strv_join(&others, ", ");
    doctor_add(d, FINDING_OK, "engine", "there are other sockets: %s", list);
    doctor_next(d, "-H or DOCKER_HOST choose one: unix://%s", others.items[0]);
}

static bool check_answer(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    if (cli_engine(d->cli, &err) < 0) {
        doctor_add_error(d, FINDING_ERROR, "engine", &err);
        return false;
    }
    const struct engine_endpoint *ep = engine_endpoint(d->cli->engine);
    struct engine_request rq;
    rq_ping(&rq);
    if (ask(NULL, d, &rq, str_starts(ep->host, "ssh://") ? SSH_ANSWER_MS : ANSWER_MS, &err) < 0) {
        doctor_add_error(d, FINDING_ERROR, "engine", &err);
        if (!err.hint)
            doctor_next(d, "see whether an engine runs there; that address comes from %s", ep->why);
        return false;
    }
    doctor_add(d, FINDING_OK, "engine", "%s answers (chosen by: %s)", ep->host, ep->why);
    check_others(d, ep);
    return true;
}

static void check_version(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *version = NULL;
    struct engine_request rq;
    rq_version(&rq);
    if (ask(&version, d, &rq, ANSWER_MS, &err) < 0) {
        doctor_add_error(d, FINDING_ERROR, "version", &err);
        return;
    }
    doctor_add(d, FINDING_OK, "version", "%s %s, API %s; 1.%d is used",
               is_podman(d) ? "Podman" : "Docker Engine", json_str_or(version, "Version", "?"),
               json_str_or(version, "ApiVersion", "?"), engine_api(d->cli->engine));
}

/* --- what it is --- */

static bool fetch_info(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    struct engine_request rq;
    rq_info(&rq);
    d->asked_ns = clock_unix_ns();
    if (ask(&d->info, d, &rq, ANSWER_MS, &err) < 0) {
        doctor_add_error(d, FINDING_ERROR, "kind", &err);
        return false;
    }
    d->answered_ns = clock_unix_ns();
    return true;
}

static void check_kind(struct doctor *d)
{
    const char *os = json_str_or(d->info, "OperatingSystem", "an unknown system");
    bool rootless = has_security_option(d->info, "rootless");
    bool desktop = str_starts(os, "Docker Desktop");
    doctor_add(d, FINDING_OK, "kind", "%s%s on %s, %s", rootless ? "rootless, " : "", os,
               json_str_or(d->info, "Architecture", "?"),
               desktop ? "in a virtual machine" : json_str_or(d->info, "KernelVersion", "?"));
    if (rootless)
        doctor_next(d, "ports below 1024 cannot be published unless the machine allows it "
                       "(net.ipv4.ip_unprivileged_port_start)");
}

static void check_builder(struct doctor *d)
{
    if (is_podman(d))
        doctor_add(d, FINDING_OK, "builds", "by Podman itself; it has no BuildKit");
    else
        doctor_add(d, FINDING_OK, "builds",
                   "BuildKit, which is part of the engine; buildx is not "
                   "needed");
}

static void check_cgroup(struct doctor *d)
{
    const char *version = json_str_or(d->info, "CgroupVersion", "?");
    const char *driver = json_str_or(d->info, "CgroupDriver", "?");
    size_t i;
    json_t *warning;
    doctor_add(d, FINDING_OK, "cgroup", "version %s, driver %s", version, driver);
    json_array_foreach (json_object_get(d->info, "Warnings"), i, warning) {
        const char *text = json_string_value(warning);
        if (text)
            doctor_add(d, FINDING_WARNING, "cgroup", "the engine warns: %s",
                       str_starts(text, "WARNING: ") ? text + strlen("WARNING: ") : text);
    }
}

static void check_memory(struct doctor *d)
{
    int64_t total = json_int(d->info, "MemTotal", 0);
    char size[NUM_TEXT_MAX];
    if (total <= 0)
        return;
    doctor_add(d, total < MEMORY_LEAST ? FINDING_WARNING : FINDING_OK, "memory",
               "%s, %lld processor%s, %lld containers run", num_size_text(size, total),
               (long long)json_int(d->info, "NCPU", 0),
               json_int(d->info, "NCPU", 0) == 1 ? "" : "s",
               (long long)json_int(d->info, "ContainersRunning", 0));
    if (total < MEMORY_LEAST)
        doctor_next(d, "give the engine's machine more: databases and builds need it");
}

/* Between asking and answering the engine looked at its clock. */
static void check_clock(struct doctor *d)
{
    int64_t theirs_ns;
    char skew[NUM_TEXT_MAX];
    if (clock_parse_rfc3339(&theirs_ns, json_str_or(d->info, "SystemTime", "")) < 0)
        return;
    int64_t off_ns = theirs_ns > d->answered_ns ? theirs_ns - d->answered_ns
                     : theirs_ns < d->asked_ns  ? d->asked_ns - theirs_ns
                                                : 0;
    if (off_ns < SKEW_NS) {
        doctor_add(d, FINDING_OK, "clock", "the engine's and ours agree");
        return;
    }
    doctor_add(d, FINDING_WARNING, "clock", "the engine's is %s %s ours",
               num_elapsed_text(skew, off_ns / 1000000),
               theirs_ns > d->answered_ns ? "ahead of" : "behind");
    doctor_next(d, "set it right (a virtual machine that slept keeps its old time: restart it); "
                   "logs --since and certificates go by it");
}

/* --- the disk --- */

static int64_t sum(const json_t *list, const char *key)
{
    size_t i;
    json_t *item;
    int64_t total = 0;
    json_array_foreach (list, i, item) {
        int64_t size = json_int(item, key, 0);
        total += size > 0 ? size : 0;
    }
    return total;
}

static void check_usage(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *df = NULL;
    struct engine_request rq;
    char images[NUM_TEXT_MAX], containers[NUM_TEXT_MAX], volumes[NUM_TEXT_MAX], cache[NUM_TEXT_MAX];
    rq_disk_usage(&rq);
    if (ask(&df, d, &rq, DISK_MS, &err) < 0) {
        doctor_add_error(d, FINDING_WARNING, "disk", &err);
        return;
    }
    int64_t layers = json_int(df, "LayersSize", 0);
    if (!layers)
        layers = sum(json_object_get(df, "Images"), "Size");
    doctor_add(d, FINDING_OK, "disk", "images %s, containers %s, volumes %s, build cache %s",
               num_size_text(images, layers),
               num_size_text(containers, sum(json_object_get(df, "Containers"), "SizeRw")),
               num_size_text(volumes, sum(json_object_get(df, "Volumes"), "UsageData.Size")),
               num_size_text(cache, sum(json_object_get(df, "BuildCache"), "Size")));
}

/* Of the file system that the engine writes to, where it is one of this machine. */
static void check_free(struct doctor *d)
{
    const char *root = json_str(d->info, "DockerRootDir");
    struct statvfs fs;
    char left[NUM_TEXT_MAX];
    if (!root || !str_starts(engine_endpoint(d->cli->engine)->host, "unix://") ||
        statvfs(root, &fs) < 0)
        return;
    int64_t bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    enum finding_level level = bytes < DISK_LEAST ? FINDING_ERROR
                               : bytes < DISK_LOW ? FINDING_WARNING
                                                  : FINDING_OK;
    doctor_add(d, level, "disk", "%s are free at %s", num_size_text(left, bytes), root);
    if (level != FINDING_OK)
        doctor_next(d, "'docker system df' shows what uses it; 'docker image prune' and 'docker "
                       "builder prune' free some");
}

/* --- a registry, when asked for --- */

static void check_hub(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    struct engine_request rq;
    rq_distribution(&rq, HUB_IMAGE, NULL);
    if (ask(NULL, d, &rq, HUB_MS, &err) < 0) {
        doctor_add_error(d, FINDING_WARNING, "hub", &err);
        doctor_next(d, "the engine's machine needs a name server and a way to the registry, maybe "
                       "a proxy");
        return;
    }
    doctor_add(d, FINDING_OK, "hub", "the engine reaches docker.io");
}

void doctor_look_at_engine(struct doctor *d)
{
    struct engine_request rq;
    d->answers = check_answer(d);
    if (!d->answers)
        return;
    check_version(d);
    if (fetch_info(d)) {
        check_kind(d);
        check_builder(d);
        check_cgroup(d);
        check_memory(d);
        check_clock(d);
    }
    check_usage(d);
    if (d->info)
        check_free(d);
    if (d->hub)
        check_hub(d);
    rq_containers_any(&rq, "status", "running");
    ask(&d->running, d, &rq, ANSWER_MS, NULL);
}
