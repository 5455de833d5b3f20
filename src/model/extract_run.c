/* How a service runs: what its own configuration says, without looking at others. */
#include <string.h>

#include "base/num.h"
#include "model/extract.h"
#include "model/schema.h"

enum { READY_TIMEOUT_MS = 60000, READY_INTERVAL_MS = 1000 };

static int64_t duration_ns(const struct node *n, const char *path, int64_t fallback)
{
    const char *text = said(n, path);
    int64_t ns;
    return text && num_duration(&ns, text) == 0 ? ns : fallback;
}

static const char *const *argv_of(struct arena *a, const struct node *list, size_t from)
{
    const char **argv = arena_alloc(a, (list->len - from + 1) * sizeof(*argv));
    for (size_t i = from; i < list->len; i++)
        argv[i - from] = node_text(list->items[i]) ? node_text(list->items[i]) : "";
    return argv;
}

static const char *const *shell_argv(struct arena *a, const char *command)
{
    const char **argv = arena_alloc(a, 4 * sizeof(*argv));
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = command;
    return argv;
}

static void take_ready(struct arena *a, struct service *s)
{
    const struct node *n = schema_native(s->config, "ready");
    struct ready *r = &s->ready;
    r->timeout_ms = duration_ns(n, "timeout", READY_TIMEOUT_MS * 1000000LL) / 1000000;
    r->interval_ms = duration_ns(n, "interval", READY_INTERVAL_MS * 1000000LL) / 1000000;
    r->log = said(n, "log");
    r->tcp = (int)node_int_at(n, "tcp", 0);
    const struct node *http = node_get(n, "http");
    if (http && http->kind == NODE_MAP) {
        r->http_port = (int)node_int_at(http, "port", 80);
        r->http_host = said(http, "host");
        r->http_path = said(http, "path") ? said(http, "path") : "/";
        r->http_status = (int)node_int_at(http, "status", 0);
    }
    const struct node *exec = node_get(n, "exec");
    if (list_len(exec))
        r->exec = argv_of(a, exec, 0);
    else if (said(n, "exec"))
        r->exec = shell_argv(a, said(n, "exec"));
    r->healthy = node_bool_at(n, "healthy", false);
    r->set = r->log || r->tcp || r->http_port || r->exec || r->healthy;
}

static void take_health(struct arena *a, struct service *s)
{
    const struct node *n = node_get(s->config, "healthcheck"), *test = node_get(n, "test");
    struct health *h = &s->health;
    const char *probe = node_text_at(n, "x-probe");
    if (!probe)
        probe = node_text_at(s->config, "x-probe");
    h->engine_only = probe && !strcmp(probe, "engine");
    if (!n || n->kind != NODE_MAP)
        return;
    const char *kind = list_len(test) ? node_text(test->items[0]) : NULL;
    h->disabled = node_bool_at(n, "disable", false) || (kind && !strcmp(kind, "NONE"));
    if (kind && !strcmp(kind, "CMD"))
        h->test = argv_of(a, test, 1);
    else if (kind && !strcmp(kind, "CMD-SHELL") && test->len > 1)
        h->test = shell_argv(a, node_text(test->items[1]));
    h->interval_ns = duration_ns(n, "interval", 0);
    h->timeout_ns = duration_ns(n, "timeout", 0);
    h->start_period_ns = duration_ns(n, "start_period", 0);
    h->start_interval_ns = duration_ns(n, "start_interval", 0);
    h->retries = (int)node_int_at(n, "retries", 0);
    h->set = !h->disabled && h->test;
}

static void take_pull_policy(struct service *s)
{
    static const struct {
        const char *text;
        enum pull_policy policy;
        int64_t every_s;
    } policies[] = {
        { "always", PULL_ALWAYS, 0 },
        { "never", PULL_NEVER, 0 },
        { "build", PULL_BUILD, 0 },
        { "missing", PULL_MISSING, 0 },
        { "if_not_present", PULL_MISSING, 0 },
        { "daily", PULL_EVERY, 86400 },
        { "weekly", PULL_EVERY, 7 * 86400 },
    };
    const char *text = said(s->config, "pull_policy");
    for (size_t i = 0; text && i < countof(policies); i++)
        if (!strcmp(text, policies[i].text)) {
            s->pull_policy = policies[i].policy;
            s->pull_every_s = policies[i].every_s;
        }
    int64_t value;
    if (!text || !str_starts(text, "every_"))
        return;
    const char *every = text + strlen("every_");
    size_t n = strlen(every);
    auto_free char *number = xstrndup(every, n ? n - 1 : 0);
    int64_t unit = str_ends(every, "d") ? 86400 : str_ends(every, "w") ? 7 * 86400 : 0;
    s->pull_policy = PULL_EVERY;
    if (unit && num_range(&value, number, 0, INT64_MAX / unit) == 0)
        s->pull_every_s = value * unit;
    else if (num_duration(&value, every) == 0)
        s->pull_every_s = value / 1000000000;
}

/* `restart:`, else deploy.restart_policy. */
static const char *restart_of(struct arena *a, const struct node *config)
{
    if (said(config, "restart"))
        return said(config, "restart");
    const char *condition = said(config, "deploy.restart_policy.condition");
    if (!node_at(config, "deploy.restart_policy"))
        return "no";
    if (!condition || !strcmp(condition, "any"))
        return "always";
    int64_t attempts = node_int_at(config, "deploy.restart_policy.max_attempts", 0);
    if (strcmp(condition, "on-failure") != 0)
        return "no";
    return attempts > 0 ? arena_printf(a, "on-failure:%lld", (long long)attempts) : "on-failure";
}

void extract_running(struct arena *a, struct service *s)
{
    const struct node *c = s->config;
    s->container_name = said(c, "container_name");
    s->replicas = (int)node_int_at(c, "scale", node_int_at(c, "deploy.replicas", 1));
    s->attach = node_bool_at(c, "attach", true);
    s->tty = node_bool_at(c, "tty", false);
    s->stdin_open = node_bool_at(c, "stdin_open", false);
    s->restart = restart_of(a, c);
    s->stop_signal = said(c, "stop_signal");
    s->stop_grace_ns = duration_ns(c, "stop_grace_period", -1);
    const struct node *links = schema_native(c, "link_environment");
    s->link_environment = links && links->kind == NODE_BOOL
                              ? links->boolean
                              : links && str_eq(node_text(links), "true");
    s->network_mode = said(c, "network_mode");
    s->post_start = node_get(c, "post_start");
    s->pre_stop = node_get(c, "pre_stop");
    take_pull_policy(s);
    take_ready(a, s);
    take_health(a, s);
}
