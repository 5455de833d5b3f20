/*
 * What the containers of a stack use: CPU, memory, network, disks, processes.
 *
 * While following, a stream of samples for each container, about one a second; containers that
 * start later appear, those that are removed go. Otherwise one sample of each that runs, for which
 * an engine looks twice, a second apart.
 */
#ifndef LIVE_STATS_H
#define LIVE_STATS_H

#include "engine/engine.h"
#include "state/state.h"

struct stat_sample {
    bool runs;    /* engines send empty samples of a container that does not */
    bool has_cpu; /* there were two looks at its time to compare */
    double cpu;   /* percent of one processor: two busy ones are 200 */
    double memory_percent;
    int64_t memory, memory_limit; /* bytes in use without what is only cache; 0: unknown */
    int64_t received, sent;       /* bytes over all its networks */
    int64_t read, written;        /* bytes from and to disks */
    int64_t pids;
};

/* CPU time in nanoseconds, of the container and of the machine. */
struct stat_times {
    int64_t container, machine; /* machine 0: unknown */
};

/* From an engine's answer, by the formulas of the docker CLI. `before` (NULL: the sample's own
 * part) is what to compare with where the sample holds no earlier times, and becomes its times. */
void stat_sample_read(struct stat_sample *out, struct stat_times *before, const json_t *answer);

/* A container, and its newest sample. */
struct live_stat {
    const char *id, *name, *service;
    int number;
    bool up;      /* the list calls it running, paused or restarting */
    bool sampled; /* `sample` is there */
    struct stat_sample sample;
};

struct live_stats_options {
    const char *stack_name;
    const char *const *services; /* NULL-terminated; NULL: all */
    bool follow;
    /* There is something new; or NULL. */
    void (*changed)(void *ctx);
    /* Once: all samples are there, or (err) the engine is gone. While following only the latter. */
    void (*ended)(void *ctx, const struct error *err);
    void *ctx;
};

struct live_stats;

/* Begins with the containers in `now`. Neither it nor `opt` is kept, what `opt` points to is. */
struct live_stats *live_stats_start(struct engine *e, const struct snapshot *now,
                                    const struct live_stats_options *opt);
/* By service, number and name; valid until the loop turns. */
const struct live_stat *live_stats_list(size_t *n, struct live_stats *l);
/* Also after `ended`, to free it. */
void live_stats_cancel(struct live_stats *l);

#endif
