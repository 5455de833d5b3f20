/*
 * What can be looked at: GET / (a page), /jobs, /jobs/ID, /jobs/ID/log, /healthz. Nothing secret is
 * in it but what jobs print; it is shown to who has the token, or where none is configured to this
 * machine alone (and not to what came through a proxy on it).
 */
#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

#include "server/config.h"
#include "server/http.h"
#include "server/queue.h"

#define PAGE_JOBS_MAX 200 /* the newest ones are listed */

/* Whether the path is one of these; then *a is the answer, whatever the method. */
bool page_answer(struct answer *a, const struct request *rq, const struct hook_config *c,
                 const struct queue *q);

/* Text as HTML shows it. */
void page_escape(struct str *out, const char *text);

#endif
