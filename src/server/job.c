/* A job as JSON, and back. */
#include "server/job.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/config.h"
#include "server/deliver.h"

enum {
    DELIVERY_MAX = 200, /* deliver.c gives shorter ones */
};

static const char *const state_names[] = { "queued", "running", "success", "failed", "superseded" };

const char *job_state_name(enum job_state state)
{
    return state_names[state];
}

static void set_text(json_t *j, const char *key, const char *text)
{
    if (text)
        json_object_set_new(j, key, json_string(text));
}

static void set_time(json_t *j, const char *key, int64_t ns)
{
    char text[40];
    if (ns)
        json_object_set_new(j, key, json_string(clock_rfc3339(text, ns)));
}

json_t *job_to_json(const struct job *job)
{
    json_t *j = json_object();
    json_object_set_new(j, "id", json_integer(job->id));
    set_text(j, "project", job->project);
    set_text(j, "ref", job->ref);
    set_text(j, "commit", job->commit);
    set_text(j, "forge", job->forge);
    set_text(j, "delivery", job->delivery);
    set_text(j, "state", job_state_name(job->state));
    set_time(j, "received", job->received_ns);
    set_time(j, "started", job->started_ns);
    set_time(j, "ended", job->ended_ns);
    if (job->interrupted)
        json_object_set_new(j, "interrupted", json_integer(job->interrupted));
    if (job->superseded_by)
        json_object_set_new(j, "superseded_by", json_integer(job->superseded_by));
    set_text(j, "message", job->message);
    if (job->reported)
        json_object_set_new(j, "reported", json_true());
    return j;
}

static int64_t read_time(const json_t *j, const char *key)
{
    int64_t ns;
    const char *text = json_str(j, key);
    return text && clock_parse_rfc3339(&ns, text) == 0 ? ns : 0;
}

/* One word, as the file of deliveries wants it. */
static bool delivery_valid(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    return n > 0 && n <= DELIVERY_MAX;
}

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERR_PROTOCOL, 0, "job file: %s is missing or wrong", what);
}

int job_from_json(struct job *out, const char *text, size_t len, struct error *err)
{
    auto_json json_t *j = json_parse(text, len, "job file", err);
    if (!j)
        return -1;
    const char *project = json_str(j, "project"), *ref = json_str(j, "ref");
    const char *commit = json_str(j, "commit"), *state = json_str_or(j, "state", "");
    const char *forge = json_str(j, "forge"), *delivery = json_str(j, "delivery");
    size_t n = 0;
    while (n < countof(state_names) && !str_eq(state_names[n], state))
        n++;
    if (json_int(j, "id", 0) <= 0)
        return wrong(err, "id");
    if (n == countof(state_names))
        return wrong(err, "state");
    if (!project || !hook_config_name_valid(project))
        return wrong(err, "project");
    if (!deliver_ref_valid(ref))
        return wrong(err, "ref");
    if (!deliver_commit_valid(commit))
        return wrong(err, "commit");
    if (!forge || !delivery_valid(forge) || (delivery && !delivery_valid(delivery)))
        return wrong(err, "forge or delivery");
    const char *message = json_str(j, "message");
    int64_t interrupted = json_int(j, "interrupted", 0);
    *out = (struct job){
        .id = json_int(j, "id", 0),
        .project = xstrdup(project),
        .ref = xstrdup(ref),
        .commit = xstrdup(commit),
        .forge = xstrdup(forge),
        .delivery = xstrdup(delivery),
        .state = (enum job_state)n,
        .received_ns = read_time(j, "received"),
        .started_ns = read_time(j, "started"),
        .ended_ns = read_time(j, "ended"),
        .interrupted = interrupted < 0 || interrupted > JOB_INTERRUPTED_MAX ? JOB_INTERRUPTED_MAX
                                                                            : (int)interrupted,
        .superseded_by = json_int(j, "superseded_by", 0),
        .message = message ? xstrndup(message, JOB_MESSAGE_MAX) : NULL,
        .reported = json_bool(j, "reported", false),
    };
    return 0;
}

void job_clear(struct job *job)
{
    free(job->project);
    free(job->ref);
    free(job->commit);
    free(job->forge);
    free(job->delivery);
    free(job->message);
    *job = (struct job){ 0 };
}
