/* For tests of the net room: a client, and the scripted peer that it speaks to. */
#ifndef UNIT_HTTP_PEER_H
#define UNIT_HTTP_PEER_H

#include "unit.h"

#include "../support/peer.h"
#include "base/mem.h"
#include "net/http.h"

struct fixture {
    char *dir;
    char *path;
    struct loop *l;
    struct peer *p;
    struct http *h;
};

static int open_peer(void **state, bool tcp)
{
    void *dir;
    if (unit_dir_make(&dir))
        return -1;
    struct fixture *f = xnew(struct fixture);
    f->dir = dir;
    f->path = xasprintf("%s/peer.sock", f->dir);
    f->l = loop_new();
    int port = 0;
    f->p = tcp ? peer_new_tcp(f->l, &port) : peer_new(f->l, f->path);
    auto_free char *url = xasprintf("http://localhost:%d", port);
    struct http_endpoint ep = { .socket_path = tcp ? NULL : f->path,
                                .base_url = tcp ? url : "http://localhost" };
    if (http_open(&f->h, f->l, &ep, NULL))
        return -1;
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return open_peer(state, false);
}

/* Through libcurl. */
static int setup_tcp(void **state)
{
    return open_peer(state, true);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_close(f->h);
    peer_free(f->p);
    loop_free(f->l);
    free(f->path);
    void *dir = f->dir;
    free(f);
    return unit_dir_remove(&dir);
}

#endif
