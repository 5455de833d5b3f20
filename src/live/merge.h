/*
 * Lines of several streams in the order of their times. Each stream has a queue; the queues that
 * have lines are a heap by their oldest one, so that a line costs the logarithm of their number.
 */
#ifndef LIVE_MERGE_H
#define LIVE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

/* A line of output, without its end. */
struct log_line {
    struct log_line *next;
    int64_t at_ns;
    char time[40]; /* as the engine wrote it; "" when it wrote none */
    int stream;    /* 1 stdout, 2 stderr */
    size_t len;
    char text[];
};

/* Zeroed at the beginning. */
struct merge_queue {
    struct log_line *first, *last;
    size_t bytes;  /* that it holds */
    size_t order;  /* of equal times the lower one comes first; the caller's */
    size_t place;  /* in the heap, from 1; 0: it has no lines */
    bool expected; /* more may come: the others wait for it when it is empty */
};

struct merge {
    VEC(struct merge_queue *);
    size_t silent; /* queues that are empty, and expected to get a line */
    size_t bytes;  /* that all queues hold */
};

void merge_expect(struct merge *m, struct merge_queue *q, bool expected);
/* Takes the line over. */
void merge_put(struct merge *m, struct merge_queue *q, struct log_line *line);
/* The queue with the oldest line. NULL: there is none, or, unless `all`, a queue that may get an
 * older one is still silent. */
struct merge_queue *merge_oldest(const struct merge *m, bool all);
/* Its first line, which is the caller's then. */
struct log_line *merge_take(struct merge *m, struct merge_queue *q);
/* Frees the lines of the queue, which may go then. */
void merge_remove(struct merge *m, struct merge_queue *q);
void merge_clear(struct merge *m); /* when its queues are removed */

#endif
