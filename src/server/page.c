/* Views of the queue. */
#include "server/page.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"

enum {
    LOG_FILE_MAX = 64 << 20, /* more than the configuration allows for a half */
};

/* --- who may look --- */

/* The token of "Bearer TOKEN", or the password of "Basic base64(USER:PASSWORD)"; owned. */
static char *given_token(const struct request *rq)
{
    const char *text = request_header(rq, "authorization");
    if (!text || request_header_count(rq, "authorization") != 1)
        return NULL;
    if (str_starts(text, "Bearer "))
        return xstrdup(text + strlen("Bearer "));
    uint8_t *raw;
    size_t len;
    if (!str_starts(text, "Basic ") || base64_decode(&raw, &len, text + strlen("Basic "), NULL) < 0)
        return NULL;
    const char *colon = strchr((char *)raw, ':');
    char *password = colon ? xstrdup(colon + 1) : NULL;
    wipe(raw, len);
    free(raw);
    return password;
}

/* From here, by an address and not by a name that a web page gave us, and not handed on. */
static bool from_here(const struct request *rq)
{
    const char *host = request_header(rq, "host");
    size_t n = host ? strcspn(host, ":") : 0;
    bool named = host && *host != '[' && strspn(host, "0123456789.:") != strlen(host) &&
                 !(n == strlen("localhost") && strncmp(host, "localhost", n) == 0);
    return rq->local && !named && !request_header(rq, "x-forwarded-for") &&
           !request_header(rq, "forwarded") && !request_header(rq, "x-real-ip");
}

static bool may_look(const struct request *rq, const struct hook_config *c)
{
    if (!c->view.len)
        return from_here(rq);
    auto_free char *token = given_token(rq);
    bool good = signature_token(token, &c->view);
    if (token)
        wipe(token, strlen(token));
    return good;
}

/* --- JSON --- */

static json_t *job_view(const struct job *job)
{
    json_t *j = job_to_json(job);
    auto_free char *log = xasprintf("/jobs/%lld/log", (long long)job->id);
    json_object_set_new(j, "log", json_string(log));
    return j;
}

static void answer_json(struct answer *a, const json_t *j)
{
    auto_free char *text = json_dumps(j, JSON_INDENT(2));
    a->status = 200;
    str_addf(&a->body, "%s\n", text);
}

static void answer_jobs(struct answer *a, const struct queue *q)
{
    auto_json json_t *list = json_array();
    size_t n = queue_len(q);
    for (size_t i = n; i-- > 0 && n - i <= PAGE_JOBS_MAX;)
        json_array_append_new(list, job_view(queue_at(q, i)));
    auto_json json_t *j = json_pack("{s:O}", "jobs", list);
    answer_json(a, j);
}

static void answer_job(struct answer *a, const struct job *job)
{
    auto_json json_t *j = job_view(job);
    answer_json(a, j);
}

/* --- the log --- */

static void add_file(struct str *out, const char *path)
{
    auto_free char *text = NULL;
    size_t len;
    if (file_read(&text, &len, path, LOG_FILE_MAX, NULL) == 0)
        safe_add(out, text, len, SAFE_NEWLINES);
}

static void answer_log(struct answer *a, const struct queue *q, const struct job *job)
{
    auto_free char *path = queue_log_path(q, job->id);
    auto_free char *before = xasprintf("%s.1", path);
    a->status = 200;
    a->type = "text/plain; charset=utf-8";
    add_file(&a->body, before);
    add_file(&a->body, path);
}

/* --- the page --- */

void page_escape(struct str *out, const char *text)
{
    auto_free char *safe = safe_text(text, SAFE_LINE);
    for (const char *c = safe; *c; c++)
        switch (*c) {
        case '&':
            str_add(out, "&amp;");
            break;
        case '<':
            str_add(out, "&lt;");
            break;
        case '>':
            str_add(out, "&gt;");
            break;
        case '"':
            str_add(out, "&quot;");
            break;
        case '\'':
            str_add(out, "&#39;");
            break;
        default:
            str_addc(out, *c);
        }
}

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>stack hook</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"refresh\" content=\"15\">\n"
    "<style>\n"
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "td,th{text-align:left;padding:.3em .8em .3em 0;border-bottom:1px solid #ddd;"
    "vertical-align:top}\n"
    "code{font-size:90%}\n"
    ".success{color:#176f2c}.failed{color:#b3261e}.running{color:#0b57d0}.superseded{color:#777}\n"
    "</style></head><body>\n<h1>stack hook</h1>\n";

static void add_cell(struct str *out, const char *text)
{
    str_add(out, "<td>");
    page_escape(out, text);
    str_add(out, "</td>");
}

static void add_row(struct str *out, const struct job *job)
{
    char time[40] = "", elapsed[NUM_TEXT_MAX] = "";
    auto_free char *note = NULL;
    clock_rfc3339(time, job->received_ns);
    time[strlen("2026-11-21T10:00:00")] = '\0';
    time[strlen("2026-11-21")] = ' ';
    if (job->started_ns && job->state != JOB_SUPERSEDED) {
        int64_t end = job->ended_ns ? job->ended_ns : clock_unix_ns();
        num_elapsed_text(elapsed, (end - job->started_ns) / 1000000);
    }
    if (job->state == JOB_SUPERSEDED)
        note = xasprintf("by job %lld", (long long)job->superseded_by);
    else if (job->interrupted)
        note = xasprintf("%s%sinterrupted %d times", job->message ? job->message : "",
                         job->message ? "; " : "", job->interrupted);
    str_addf(out, "<tr><td><a href=\"/jobs/%lld/log\">%lld</a></td>", (long long)job->id,
             (long long)job->id);
    add_cell(out, job->project);
    add_cell(out, strchr(job->ref + strlen("refs/"), '/') + 1);
    str_addf(out, "<td><code>%.12s</code></td><td class=\"%s\">%s</td>", job->commit,
             job_state_name(job->state), job_state_name(job->state));
    add_cell(out, time);
    add_cell(out, elapsed);
    add_cell(out, note ? note : job->message ? job->message : "");
    str_add(out, "</tr>\n");
}

static void answer_page(struct answer *a, const struct queue *q)
{
    size_t n = queue_len(q);
    a->status = 200;
    a->type = "text/html; charset=utf-8";
    strv_add(&a->headers, "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
                          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    strv_add(&a->headers, "Referrer-Policy: no-referrer");
    str_add(&a->body, head);
    if (n == 0)
        str_add(&a->body, "<p>Nothing was pushed yet.</p>\n");
    else
        str_add(&a->body, "<table><tr><th>job</th><th>project</th><th>ref</th><th>commit</th>"
                          "<th>state</th><th>received (UTC)</th><th>took</th><th></th></tr>\n");
    for (size_t i = n; i-- > 0 && n - i <= PAGE_JOBS_MAX;)
        add_row(&a->body, queue_at(q, i));
    str_add(&a->body, n ? "</table>\n</body></html>\n" : "</body></html>\n");
}

/* --- paths --- */

/* "/jobs/17" and what follows; NULL when there is no such job. */
static const struct job *find_job(const char **rest, const char *path, const struct queue *q)
{
    const char *digits = path + strlen("/jobs/");
    size_t n = strspn(digits, "0123456789");
    auto_free char *text = xstrndup(digits, n);
    int64_t id;
    *rest = digits + n;
    return num_range(&id, text, 1, INT64_MAX) == 0 ? queue_job(q, id) : NULL;
}

static void answer_allowed(struct answer *a, const struct request *rq, const struct queue *q)
{
    const char *rest = "";
    const struct job *job = str_starts(rq->path, "/jobs/") ? find_job(&rest, rq->path, q) : NULL;
    if (str_eq(rq->path, "/"))
        answer_page(a, q);
    else if (str_eq(rq->path, "/jobs"))
        answer_jobs(a, q);
    else if (job && !*rest)
        answer_job(a, job);
    else if (job && str_eq(rest, "/log"))
        answer_log(a, q, job);
    else
        answer_error(a, 404, "there is no such job");
}

bool page_answer(struct answer *a, const struct request *rq, const struct hook_config *c,
                 const struct queue *q)
{
    bool health = str_eq(rq->path, "/healthz");
    if (!health && !str_eq(rq->path, "/") && !str_eq(rq->path, "/jobs") &&
        !str_starts(rq->path, "/jobs/"))
        return false;
    if (!str_eq(rq->method, "GET") && !str_eq(rq->method, "HEAD")) {
        answer_error(a, 405, "only GET");
        strv_add(&a->headers, "Allow: GET, HEAD");
    } else if (health) {
        a->status = 200;
        str_add(&a->body, "{\"status\":\"ok\"}\n");
    } else if (may_look(rq, c)) {
        answer_allowed(a, rq, q);
    } else if (c->view.len) {
        answer_error(a, 401, "a token is needed");
        strv_add(&a->headers, "WWW-Authenticate: Basic realm=\"stack hook\"");
    } else {
        answer_error(a, 403, "shown on this machine alone");
    }
    return true;
}
