/* How a job goes, told to the forge: the commit statuses of GitHub, GitLab, Gitea and Forgejo. */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include "base/cleanup.h"
#include "base/str.h"
#include "base/strv.h"
#include "loop/loop.h"
#include "server/config.h"
#include "server/job.h"

enum status_state { STATUS_PENDING, STATUS_SUCCESS, STATUS_FAILURE };

/* The request that says it; for status.c and tests. */
struct status_request {
    char *base; /* "https://api.github.com" */
    char *path;
    struct strv headers; /* one holds the token */
    char *body;
};
/* 0, or -1 when the project's address has no host and no `api` is configured. */
int status_request_make(struct status_request *out, const struct hook_project *p,
                        const struct job *job, enum status_state state, const char *text,
                        const char *url, struct error *err);
void status_request_clear(struct status_request *rq); /* the token is overwritten */

#define STATUS_ATTEMPTS 4       /* after 0, 1, 4 and 16 s */
#define STATUS_REPORTS_MAX 1000 /* at a time; more are not sent */

struct status_reporter;
/* `done` comes for each report that ends; err is NULL when the forge has it. */
struct status_reporter *status_reporter_new(struct loop *l,
                                            void (*done)(void *ctx, int64_t job,
                                                         enum status_state state,
                                                         const struct error *err),
                                            void *ctx);
/* What was not sent yet is not. */
void status_reporter_free(struct status_reporter *r);
DEFINE_FREEP(struct status_reporter, status_reporter_free)
/* Sends it, if the project has a token. `text` is a short description, `url` where the job is shown
 * or NULL. A report of the same job that is still on its way is replaced. */
void status_report(struct status_reporter *r, const struct hook_project *p, const struct job *job,
                   enum status_state state, const char *text, const char *url);
bool status_reporter_idle(const struct status_reporter *r);

#endif
