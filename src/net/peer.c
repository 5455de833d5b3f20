/* One peer: what its requests and hijacked connections have in common. */
#include <string.h>

#include "base/mem.h"
#include "net/dial.h"
#include "net/private.h"

/*
 * Every callback of a caller's runs between http_enter() and http_leave(). While one is on the
 * stack the peer may be closed, which ends all of its requests at once; the peer itself is freed by
 * the last leave, which otherwise starts what waits for a connection.
 */

static void destroy(struct http *h)
{
    dialer_free(h->dialer);
    loop_timer_cancel(&h->kick);
    free(h->where);
    free(h->socket_path);
    free(h->base_url);
    free(h->ca_file);
    free(h->cert_file);
    free(h->key_file);
    free(h);
}

void http_enter(struct http *h)
{
    h->nested++;
}

void http_leave(struct http *h)
{
    if (h->nested == 1 && !h->closed)
        http_calls_start(h);
    if (--h->nested == 0 && h->closed)
        destroy(h);
}

static void on_kick(void *ctx)
{
    struct http *h = ctx;
    http_enter(h);
    http_leave(h);
}

void http_kick(struct http *h)
{
    if (!h->kick && !h->nested)
        loop_after(&h->kick, h->loop, 0, on_kick, h);
}

int http_open(struct http **out, struct loop *l, const struct http_endpoint *ep, struct error *err)
{
    auto_(http_closep) struct http *h = xnew(struct http);
    const char *name = ep->socket_path ? ep->socket_path : ep->base_url;
    h->loop = l;
    h->socket_path = xstrdup(ep->socket_path);
    h->base_url = xstrdup(ep->base_url);
    h->where = xasprintf("'%s'", ep->name ? ep->name : name);
    h->ca_file = xstrdup(ep->ca_file);
    h->cert_file = xstrdup(ep->cert_file);
    h->key_file = xstrdup(ep->key_file);
    h->tls = str_starts(ep->base_url, "https:");
    h->skip_verify = ep->skip_verify;
    h->max_connections = ep->max_connections ? ep->max_connections : 16;
    if (!h->socket_path && dialer_new(&h->dialer, h, err) < 0)
        return -1;
    *out = take(h);
    return 0;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    http_calls_cancel(h);
    http_close_hijacks(h);
    http_close_kept(h);
    h->closed = true;
    if (!h->nested)
        destroy(h);
}

void http_request_line(struct str *out, const struct http *h, const char *method, const char *path,
                       bool host)
{
    const char *name = strstr(h->base_url, "://") + strlen("://");
    size_t n = strcspn(name, "/");
    str_addf(out, "%s %s%s HTTP/1.1\r\n", method, name + n, path);
    if (host)
        str_addf(out, "Host: %.*s\r\n", (int)n, name);
    str_add(out, "User-Agent: stack/" STACK_VERSION "\r\n");
}
