/*
 * The queue of jobs, on disk: a file for each job, written beside it, synced and renamed over it,
 * so that a kill at any point leaves each job as it was before or after a step.
 *
 *     jobs/0000000017.json   the job, in whichever state
 *     logs/17.log            what it printed; 17.log.1 is the part before
 *     deliveries             ids of deliveries whose jobs were pruned, so that they stay known
 *     lock                   held while a server uses the folder
 *
 * What is waiting: at most one job for each project and ref. A newer push takes the place of one
 * that was not begun, which is kept as `superseded`. One job of a project runs at a time.
 */
#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "server/job.h"

#define QUEUE_WAITING_MAX 1000     /* jobs that wait, of all projects */
#define QUEUE_DELIVERIES_MAX 10000 /* ids remembered of pruned jobs */

struct queue;
/* Makes the folder when missing, and recovers: jobs that were running wait again, or gave way to a
 * newer one. ERR_CONFLICT when another server uses it. What could not be read is moved aside (as
 * NAME.bad) and counted in *bad, which may be NULL. */
int queue_open(struct queue **out, const char *dir, size_t *bad, struct error *err);
void queue_close(struct queue *q);
DEFINE_FREEP(struct queue, queue_close)

/* The usual folder: $XDG_STATE_HOME/stack/hook or ~/.local/state/stack/hook; owned by the caller.
 */
char *queue_usual_dir(struct error *err);
const char *queue_dir(const struct queue *q);
/* Where the job's output goes; owned by the caller. */
char *queue_log_path(const struct queue *q, int64_t id);
/* The file whose lock says that a job of the project runs; owned by the caller. */
char *queue_project_lock(const struct queue *q, const char *project);

/* The job of a delivery, or 0: it may be known without its job being kept, which gives -1. */
int64_t queue_known(const struct queue *q, const char *project, const char *delivery);
/* A new job, waiting, and on disk when this returns. Texts are copied; id and state are not looked
 * at. ERR_CONFLICT: too many are waiting. */
int queue_add(int64_t *id, struct queue *q, const struct job *job, struct error *err);

/* The one to begin next: the oldest that waits whose project runs none; NULL: there is none. */
const struct job *queue_next(const struct queue *q);
size_t queue_running(const struct queue *q);

/* Steps of a job. On an error it made the step in memory alone: after a kill it is made again. */
int queue_begin(struct queue *q, int64_t id, struct error *err);
int queue_end(struct queue *q, int64_t id, enum job_state state, const char *message,
              struct error *err);
/* A running one waits again, or gives way to a newer one. */
int queue_again(struct queue *q, int64_t id, struct error *err);
int queue_reported(struct queue *q, int64_t id, struct error *err);

const struct job *queue_job(const struct queue *q, int64_t id);
/* Oldest first. */
size_t queue_len(const struct queue *q);
const struct job *queue_at(const struct queue *q, size_t i);
/* The newest of a project and ref, whatever its state; or NULL. */
const struct job *queue_newest(const struct queue *q, const char *project, const char *ref);

/* Removes the oldest finished jobs of each project beyond `keep`, those that were superseded
 * counted apart, and their logs. */
int queue_prune(struct queue *q, int keep, struct error *err);

#endif
