/* Commit statuses: a row for each forge, and a request that is tried a few times. */
#include "server/status.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/http.h"
#include "server/deliver.h"

static const struct forge {
    const char *name;
    const char *api;       /* behind scheme and host */
    const char *path;      /* '%s' twice: the repository, the commit */
    const char *authorize; /* header, '%s': the token */
    const char *states[3]; /* by enum status_state */
    bool whole_name;       /* the repository is one segment: its slashes are escaped */
    const char *state_key, *text_key, *context_key;
} forges[] = {
    { "github",
      "/api/v3",
      "/repos/%s/statuses/%s",
      "Authorization: Bearer %s",
      { "pending", "success", "failure" },
      false,
      "state",
      "description",
      "context" },
    { "gitlab",
      "/api/v4",
      "/projects/%s/statuses/%s",
      "PRIVATE-TOKEN: %s",
      { "running", "success", "failed" },
      true,
      "state",
      "description",
      "name" },
    { "gitea",
      "/api/v1",
      "/repos/%s/statuses/%s",
      "Authorization: token %s",
      { "pending", "success", "failure" },
      false,
      "state",
      "description",
      "context" },
    { "forgejo",
      "/api/v1",
      "/repos/%s/statuses/%s",
      "Authorization: token %s",
      { "pending", "success", "failure" },
      false,
      "state",
      "description",
      "context" },
};

enum {
    TEXT_MAX = 140, /* GitHub's */
    SILENCE_MS = 20000,
    ANSWER_MAX = 1 << 20,
    FIRST_DELAY_MS = 1000,
};

static const struct forge *find_forge(const char *name)
{
    for (size_t i = 0; i < countof(forges); i++)
        if (str_eq(forges[i].name, name))
            return &forges[i];
    return NULL;
}

static char *escape(const char *text, bool slashes)
{
    auto_str struct str out = STR_INIT;
    for (const char *c = text; *c; c++)
        if (isalnum((unsigned char)*c) || strchr("-._~", *c) || (*c == '/' && !slashes))
            str_addc(&out, *c);
        else
            str_addf(&out, "%%%02X", (unsigned char)*c);
    return str_detach(&out);
}

/* The base of a forge's API, from where the project is fetched. */
static char *usual_api(const struct forge *f, const char *git, const char *place)
{
    size_t n = strcspn(place, "/");
    auto_free char *host = xstrndup(place, n);
    if (str_eq(f->name, "github") && str_eq(host, "github.com"))
        return xstrdup("https://api.github.com");
    if (str_starts(git, "http://"))
        return xasprintf("http://%s%s", host, f->api);
    /* The port of an ssh address is not the API's. */
    if (!str_starts(git, "https://"))
        host[strcspn(host, ":")] = '\0';
    return xasprintf("https://%s%s", host, f->api);
}

int status_request_make(struct status_request *out, const struct hook_project *p,
                        const struct job *job, enum status_state state, const char *text,
                        const char *url, struct error *err)
{
    const struct forge *f = find_forge(p->forge);
    auto_free char *place = deliver_repository(p->git);
    const char *slash = strchr(place, '/');
    if (!f || (slash == place && !p->status.api) || !slash[1])
        return error_set(err, ERR_INPUT, 0, "'%s' names no repository of a forge", p->git);
    auto_free char *name = escape(slash + 1, f->whole_name);
    auto_free char *shown = xstrndup(text, TEXT_MAX);
    auto_json json_t *body = json_object();
    json_object_set_new(body, f->state_key, json_string(f->states[state]));
    json_object_set_new(body, f->text_key, json_string(shown));
    json_object_set_new(body, f->context_key, json_string(p->status.context));
    if (url)
        json_object_set_new(body, "target_url", json_string(url));
    *out = (struct status_request){
        .base = p->status.api ? xstrdup(p->status.api) : usual_api(f, p->git, place),
        .body = json_dumps(body, JSON_COMPACT),
    };
    while (str_ends(out->base, "/"))
        out->base[strlen(out->base) - 1] = '\0';
    /* Formats come from the table above. */
    auto_str struct str path = STR_INIT;
    const char *first = strstr(f->path, "%s"), *second = strstr(first + 2, "%s");
    str_addn(&path, f->path, (size_t)(first - f->path));
    str_add(&path, name);
    str_addn(&path, first + 2, (size_t)(second - first - 2));
    str_add(&path, job->commit);
    out->path = str_detach(&path);
    auto_free char *head = xstrndup(f->authorize, strlen(f->authorize) - 2);
    strv_addf(&out->headers, "%s%s", head, p->status.token.bytes);
    strv_add(&out->headers, "Content-Type: application/json");
    strv_add(&out->headers, "Accept: application/json");
    strv_add(&out->headers, "User-Agent: stack/" STACK_VERSION);
    return 0;
}

void status_request_clear(struct status_request *rq)
{
    strv_each (it, &rq->headers)
        wipe(*it, strlen(*it));
    strv_clear(&rq->headers);
    free(rq->base);
    free(rq->path);
    free(rq->body);
    *rq = (struct status_request){ 0 };
}

/* --- sending --- */

struct report {
    struct report *next;
    struct status_reporter *r;
    struct status_request rq;
    int64_t job;
    enum status_state state;
    int attempts;
    int64_t delay_ms;
    struct http *http;
    struct http_call *call;
    struct loop_timer *timer;
};

struct status_reporter {
    struct loop *loop;
    struct report *reports;
    size_t n;
    void (*done)(void *ctx, int64_t job, enum status_state state, const struct error *err);
    void *ctx;
};

static void report_free(struct report *p)
{
    for (struct report **at = &p->r->reports; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            p->r->n--;
            break;
        }
    loop_timer_cancel(&p->timer);
    http_close(p->http);
    status_request_clear(&p->rq);
    free(p);
}

static void attempt(void *ctx);

static void free_later(void *ctx)
{
    report_free(ctx);
}

/* Whether the same request may do better later. */
static bool worth_again(const struct http_response *r, const struct error *err)
{
    return err ? http_absent(err) || http_lost(err) || err->kind == ERR_TIMEOUT
               : r->status >= 500 || r->status == 429;
}

static void on_answer(void *ctx, const struct http_response *r, const struct error *err)
{
    struct report *p = ctx;
    auto_error struct error why = ERROR_INIT;
    p->call = NULL;
    if (err) {
        error_copy(&why, err);
    } else if (r->status < 200 || r->status > 299) {
        auto_free char *said = http_refusal(r->status, r->body.buf, r->body.len);
        error_set(&why, ERR_ENGINE, r->status, "the forge answered %d: %.200s", r->status, said);
    }
    if (why.kind && worth_again(r, err) && ++p->attempts < STATUS_ATTEMPTS) {
        loop_after(&p->timer, p->r->loop, p->delay_ms, attempt, p);
        p->delay_ms *= 4;
        return;
    }
    p->r->done(p->r->ctx, p->job, p->state, why.kind ? &why : NULL);
    /* Not from inside the call that reports. */
    loop_after(&p->timer, p->r->loop, 0, free_later, p);
}

static void attempt(void *ctx)
{
    struct report *p = ctx;
    struct http_request rq = {
        .method = "POST",
        .path = p->rq.path,
        .headers = &p->rq.headers,
        .body = p->rq.body,
        .body_len = strlen(p->rq.body),
        .silence_ms = SILENCE_MS,
        .max_body = ANSWER_MAX,
    };
    p->call = http_start(p->http, &rq, &(struct http_handlers){ .done = on_answer, .ctx = p });
}

struct status_reporter *status_reporter_new(struct loop *l,
                                            void (*done)(void *ctx, int64_t job,
                                                         enum status_state state,
                                                         const struct error *err),
                                            void *ctx)
{
    struct status_reporter *r = xnew(struct status_reporter);
    *r = (struct status_reporter){ .loop = l, .done = done, .ctx = ctx };
    return r;
}

void status_reporter_free(struct status_reporter *r)
{
    if (!r)
        return;
    while (r->reports)
        report_free(r->reports);
    free(r);
}

bool status_reporter_idle(const struct status_reporter *r)
{
    return !r->reports;
}

void status_report(struct status_reporter *r, const struct hook_project *project,
                   const struct job *job, enum status_state state, const char *text,
                   const char *url)
{
    auto_error struct error err = ERROR_INIT;
    if (!project->status.token.len)
        return;
    for (struct report *p = r->reports, *next; p; p = next) {
        next = p->next;
        if (p->job == job->id)
            report_free(p);
    }
    if (r->n >= STATUS_REPORTS_MAX) {
        log_debug("hook: too many reports are on their way");
        return;
    }
    struct report *p = xnew(struct report);
    *p = (struct report){
        .r = r, .job = job->id, .state = state, .delay_ms = FIRST_DELAY_MS, .next = r->reports
    };
    r->reports = p;
    r->n++;
    if (status_request_make(&p->rq, project, job, state, text, url, &err) < 0 ||
        http_open(&p->http, r->loop,
                  &(struct http_endpoint){ .base_url = p->rq.base, .max_connections = 1 },
                  &err) < 0) {
        r->done(r->ctx, job->id, state, &err);
        report_free(p);
        return;
    }
    attempt(p);
}
