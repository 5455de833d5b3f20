/*
 * Looking at repositories now and then, where no delivery can be sent or one may be lost: `git
 * ls-remote`, compared with what was there the last time (QUEUE/polls/PROJECT.json).
 */
#ifndef SERVER_POLL_H
#define SERVER_POLL_H

#include "base/cleanup.h"
#include "base/json.h"
#include "loop/loop.h"
#include "server/config.h"

#define POLL_TIME_MS 60000 /* that one look may take */
#define POLL_OUTPUT_MAX ((size_t)16 << 20)

struct poller_handlers {
    /* A ref that the project builds is at another commit. 0: taken; -1: to be told again. */
    int (*push)(void *ctx, const struct hook_project *p, const char *ref, const char *commit);
    /* A look failed where the one before did not. */
    void (*failed)(void *ctx, const struct hook_project *p, const char *why);
    void *ctx;
};

struct poller;
/* Each project with `poll` is looked at at once, and then about every so often. At the very first
 * look of a project what is there is only noted. The configuration outlives the poller. */
struct poller *poller_new(struct loop *l, const struct hook_config *c, const char *queue_dir,
                          const struct poller_handlers *hd);
void poller_free(struct poller *p);
DEFINE_FREEP(struct poller, poller_free)

/* What `git ls-remote` printed, as an object of full ref names and the commits that they stand for
 * (of a tag with a message: the commit). For poll.c and tests; never fails. */
json_t *poll_read(const char *text, size_t len);

#endif
