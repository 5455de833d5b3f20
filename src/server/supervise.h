/*
 * A process between the server and a job's command, so that the command ends with everything that
 * it started, whatever happens to the server: when it has ended, when its time is over, when the
 * server asks (SIGTERM), and when the server died (its end of a pipe closes). What left its process
 * group is found too, since orphans become children of this process (Linux).
 *
 * It also sets the command's limits, and keeps the last part of its output in a file.
 */
#ifndef SERVER_SUPERVISE_H
#define SERVER_SUPERVISE_H

#include "base/strv.h"
#include "server/config.h"

struct supervise_order {
    struct strv argv;
    char *log;  /* appended to; LOG.1 is the part before */
    char *lock; /* held meanwhile: no two commands of one project, servers that died included */
    struct hook_limits limits;
};
void supervise_order_clear(struct supervise_order *o);
/* As one word of a command line, and back (ERR_PROTOCOL). */
char *supervise_order_text(const struct supervise_order *o);
int supervise_order_read(struct supervise_order *out, const char *text, struct error *err);

enum supervise_how {
    SUPERVISE_EXITED,
    SUPERVISE_SIGNAL,
    SUPERVISE_TIMEOUT,
    SUPERVISE_STOPPED, /* the server asked, or is gone */
};
struct supervise_end {
    enum supervise_how how;
    int code; /* exit code, or signal */
};
/* As one line of JSON, and back (ERR_PROTOCOL). */
char *supervise_end_text(const struct supervise_end *e);
int supervise_end_read(struct supervise_end *out, const char *text, size_t len, struct error *err);

/* Runs it to its end; the life of this whole process. `life_fd` becomes readable when the server
 * is gone. Errors: the log or the lock could not be opened, no process could be made. */
int supervise_run(struct supervise_end *out, const struct supervise_order *o, int life_fd,
                  struct error *err);

#endif
