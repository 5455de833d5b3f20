/*
 * Connections that libcurl makes: to names, through proxies, under TLS. Private to net.
 *
 * libcurl connects and stops there (CONNECT_ONLY); what is sent and received afterwards is ours.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stddef.h>

#include "base/error.h"

struct http;
struct dialer; /* one per peer */
struct dial;

/* Opens libcurl. */
int dialer_new(struct dialer **out, struct http *h, struct error *err);
void dialer_free(struct dialer *d);

/* `done` runs once, later, between http_enter() and http_leave(): with the socket, which stays
 * libcurl's, or with an error. */
struct dial *dial_start(struct dialer *d, void (*done)(void *ctx, int fd, const struct error *err),
                        void *ctx);
/* As stream_send() and stream_recv(). */
long dial_send(struct dial *c, const char *data, size_t len);
long dial_recv(struct dial *c, char *buf, size_t max);
/* Ends the writing direction: with TLS by its own notice, as the socket has both ways. */
void dial_end_write(struct dial *c);
/* What libcurl said last of what went wrong, or NULL. */
const char *dial_problem(const struct dial *c);
void dial_close(struct dial *c);

#endif
