/* One job: a project to be rebuilt because of a push. As a struct, and as JSON in files and views.
 */
#ifndef SERVER_JOB_H
#define SERVER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_SUCCESS, JOB_FAILED, JOB_SUPERSEDED };
/* "queued", "running", "success", "failed", "superseded" */
const char *job_state_name(enum job_state state);

struct job {
    int64_t id; /* from 1, in the order of arrival */
    char *project, *ref, *commit;
    char *forge;    /* whose delivery it was; "poll" */
    char *delivery; /* the sender's name for it, or NULL */
    enum job_state state;
    int64_t received_ns, started_ns, ended_ns; /* wall clock; 0: not yet */
    int interrupted;                           /* how often the server died meanwhile */
    int64_t superseded_by;
    char *message; /* why it failed, or NULL */
    bool reported; /* the forge knows how it ended */
};

#define JOB_INTERRUPTED_MAX 3 /* then the job is given up */
#define JOB_MESSAGE_MAX 500   /* bytes */

/* An object of the fields that are set; times as RFC 3339. */
json_t *job_to_json(const struct job *job);
/* And back; ERR_PROTOCOL for everything that could not have been written by us. */
int job_from_json(struct job *out, const char *text, size_t len, struct error *err);
void job_clear(struct job *job);

#endif
