/*
 * An HTTP/1 answer, taken apart as its bytes come: the head, then a body that goes by its length,
 * by chunks, or up to the end of the connection. Private to net.
 */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/strv.h"

#define ANSWER_MAX_HEAD ((size_t)256 << 10)

enum answer_step {
    ANSWER_STATUS,
    ANSWER_HEADERS,
    ANSWER_LENGTH,
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK,
    ANSWER_CHUNK_END,
    ANSWER_TRAILERS,
    ANSWER_UNTIL_END,
    ANSWER_OVER,
};

struct answer {
    int status;          /* with the head */
    struct strv headers; /* "name: value" with names in lower case */
    bool reusable;       /* the connection may carry another request when this is over */
    const char *why;     /* what is wrong */

    enum answer_step step; /* private from here on: what comes next */
    bool no_body;          /* whatever the headers say: the request was HEAD */
    bool begun;            /* something came */
    bool chunked;
    bool has_length;
    uint64_t left;   /* of the body, or of the chunk */
    struct str line; /* what came of one that is not whole */
    size_t taken;    /* bytes of the lines of this head */
};

/* What was found. */
enum answer_part {
    ANSWER_MORE, /* nothing before more bytes come; the input is used up */
    ANSWER_HEAD, /* status and headers are there; provisional answers (1xx) are skipped, except 101
                  */
    ANSWER_DATA, /* a piece of the body, part of the input */
    ANSWER_END,  /* all of it is there; what is left of the input is no part of it */
    ANSWER_BAD,  /* it is not HTTP: `why` */
};

void answer_begin(struct answer *a, bool no_body);
/* Takes the next part from *data and *len, which move on. `piece` and `n`: of ANSWER_DATA. */
enum answer_part answer_next(struct answer *a, const char **data, size_t *len, const char **piece,
                             size_t *n);
/* The connection ended: whether the answer is whole. */
bool answer_ended(const struct answer *a);
void answer_clear(struct answer *a);

#endif
