/*
 * The beginning of an HTTP answer on a connection that is not libcurl's: status line, the headers
 * that say how long the body is, and chunks. Private to net.
 */
#ifndef NET_HEAD_H
#define NET_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct head {
    int status;
    size_t len;    /* of the head itself, with the empty line */
    long body_len; /* what Content-Length says, at most HEAD_MAX_BODY; -1: nothing */
    bool chunked;
};
#define HEAD_MAX_BODY (1L << 30)

/* 1 when the head is whole, 0 when more of it must come, -1 when it is not one of HTTP/1. */
int head_parse(struct head *out, const char *data, size_t len);
/* Joins the chunks of a body up to where it goes: 1 when the last one is there, 0 before, -1 when
 * they are not chunks. out->max bounds their sum. */
int head_unchunk(struct str *out, const char *data, size_t len);

#endif
