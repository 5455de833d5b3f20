/*
 * Credentials for registries. A lookup covers one or more hosts; each host is settled at once by
 * config.json or by a helper that runs beside the others. When the last one is settled the lookup
 * makes its header value and reports.
 */
#include "registry/auth.h"

#include <signal.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "loop/child.h"
#include "registry/config.h"
#include "registry/helper.h"

#define HELPER_OUTPUT_MAX ((size_t)64 << 10)

struct host {
    struct registry_lookup *lookup;
    char *key;
    char *helper;        /* while its child runs */
    struct child *child; /* while it runs */
    json_t *credentials; /* NULL: none */
};

struct registry_lookup {
    struct loop *loop;
    VEC(struct host);
    size_t running;
    bool config;   /* the form of X-Registry-Config */
    bool canceled; /* freed when the last helper has ended */
    struct loop_timer *report_soon;
    struct error err; /* the first one */
    registry_done *done;
    void *ctx;
};

static void lookup_free(struct registry_lookup *lk)
{
    vec_each (host, lk) {
        free(host->key);
        free(host->helper);
        json_decref(host->credentials);
    }
    vec_free(lk);
    error_clear(&lk->err);
    free(lk);
}

/* Takes one reference to `value`. */
static char *header_value(json_t *value)
{
    char *text = json_canonical(value);
    char *encoded = base64_encode(text, strlen(text), true);
    wipe(text, strlen(text));
    free(text);
    json_decref(value);
    return encoded;
}

static char *result(struct registry_lookup *lk)
{
    if (!lk->config)
        return lk->items[0].credentials ? header_value(json_incref(lk->items[0].credentials))
                                        : NULL;
    json_t *all = json_object();
    vec_each (host, lk)
        if (host->credentials)
            json_object_set(all, host->key, host->credentials);
    if (json_object_size(all) > 0)
        return header_value(all);
    json_decref(all);
    return NULL;
}

static void report(void *ctx)
{
    struct registry_lookup *lk = ctx;
    char *value = lk->err.kind ? NULL : result(lk);
    lk->done(lk->ctx, value, lk->err.kind ? &lk->err : NULL);
    if (value)
        wipe(value, strlen(value));
    free(value);
    lookup_free(lk);
}

static json_t *from_helper(const struct helper_credentials *c, const char *key)
{
    json_t *j = json_object();
    if (c->identity_token) {
        json_object_set_new(j, "identitytoken", json_string(c->identity_token));
    } else {
        json_object_set_new(j, "username", json_string(c->username));
        json_object_set_new(j, "password", json_string(c->password));
    }
    json_object_set_new(j, "serveraddress", json_string(key));
    return j;
}

static void helper_done(void *ctx, const struct child_result *r, const struct error *err)
{
    struct host *host = ctx;
    struct registry_lookup *lk = host->lookup;
    struct error problem = ERROR_INIT;
    host->child = NULL;
    if (err) {
        error_copy(&problem, err);
        error_wrap(&problem, "docker-credential-%s get", host->helper);
        if (!problem.hint)
            error_hint(&problem, "install it, or remove it from credsStore and credHelpers in "
                                 "docker's config.json");
    } else {
        struct helper_credentials c;
        if (helper_parse(&c, host->helper, r->status, &r->out, &r->err, &problem) == 0) {
            host->credentials = c.none ? NULL : from_helper(&c, host->key);
            helper_credentials_clear(&c);
        }
        wipe(r->out.buf, r->out.len);
    }
    if (problem.kind && !lk->err.kind)
        error_move(&lk->err, &problem);
    error_clear(&problem);
    if (--lk->running > 0)
        return;
    if (lk->canceled)
        lookup_free(lk);
    else
        report(lk);
}

static void ask_helper(struct host *host, const char *helper)
{
    host->helper = xstrdup(helper);
    auto_free char *program = xasprintf("docker-credential-%s", helper);
    const char *argv[] = { program, "get", NULL };
    struct child_options opt = {
        .argv = argv,
        .input = host->key,
        .input_len = strlen(host->key),
        .output_max = HELPER_OUTPUT_MAX,
        .timeout_ms = REGISTRY_HELPER_MS,
    };
    log_debug("registry: %s get for %s", program, host->key);
    host->lookup->running++;
    host->child = child_start(host->lookup->loop, &opt, helper_done, host);
}

static int add_hosts(struct registry_lookup *lk, const char *const *refs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *key = config_key(refs[i], &lk->err);
        if (!key)
            return -1;
        bool known = false;
        vec_each (host, lk)
            known = known || strcmp(host->key, key) == 0;
        if (known)
            free(key);
        else
            *vec_push(lk) = (struct host){ .lookup = lk, .key = key };
    }
    return 0;
}

/* A mistake is in lk->err afterwards; helpers that were started before it are waited for. */
static void settle_hosts(struct registry_lookup *lk)
{
    auto_json json_t *documents = NULL;
    if (lk->len == 0 || config_read(&documents, &lk->err) < 0)
        return;
    vec_each (host, lk) {
        const char *helper;
        if (config_helper(&helper, documents, host->key, &lk->err) < 0)
            return;
        if (helper)
            ask_helper(host, helper);
        else
            host->credentials = config_auth(documents, host->key);
    }
}

static struct registry_lookup *start(struct loop *l, const char *const *refs, size_t n, bool config,
                                     registry_done *done, void *ctx)
{
    struct registry_lookup *lk = xnew(struct registry_lookup);
    lk->loop = l;
    lk->config = config;
    lk->done = done;
    lk->ctx = ctx;
    if (add_hosts(lk, refs, n) == 0)
        settle_hosts(lk);
    if (lk->running == 0)
        loop_after(&lk->report_soon, l, 0, report, lk);
    return lk;
}

struct registry_lookup *registry_auth_start(struct loop *l, const char *image_ref,
                                            registry_done *done, void *ctx)
{
    return start(l, &image_ref, 1, false, done, ctx);
}

struct registry_lookup *registry_config_start(struct loop *l, const char *const *image_refs,
                                              size_t n, registry_done *done, void *ctx)
{
    return start(l, image_refs, n, true, done, ctx);
}

void registry_cancel(struct registry_lookup *lk)
{
    if (!lk)
        return;
    loop_timer_cancel(&lk->report_soon);
    lk->canceled = true;
    vec_each (host, lk)
        if (host->child)
            child_kill(host->child, SIGKILL);
    if (lk->running == 0)
        lookup_free(lk);
}

struct wait {
    bool done;
    char *value;
    struct error *err;
    int result;
};

static void waited(void *ctx, const char *value, const struct error *err)
{
    struct wait *w = ctx;
    w->done = true;
    w->value = xstrdup(value);
    if (err && w->err)
        error_copy(w->err, err);
    w->result = err ? -1 : 0;
}

int registry_auth(char **out, struct loop *l, const char *image_ref, struct error *err)
{
    struct wait w = { .err = err };
    registry_auth_start(l, image_ref, waited, &w);
    loop_wait(l, &w.done);
    if (w.result == 0)
        *out = w.value;
    return w.result;
}
