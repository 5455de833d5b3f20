/*
 * Secrets of a build: moby.buildkit.secrets.v1.Secrets. Each is a file, read when it is asked for,
 * or a value. What is not there is told as such, so that optional mounts work.
 */
#ifndef SESSION_SECRETS_H
#define SESSION_SECRETS_H

#include "session/grpc.h"

#define SECRET_MAX_BYTES ((size_t)500 << 10) /* BuildKit's own limit */

struct secrets;
struct secrets *secrets_new(void);
/* Values are wiped. */
void secrets_free(struct secrets *s);
DEFINE_FREEP(struct secrets, secrets_free)

/* An id that is there already is replaced. ERR_INPUT names the id: no such file, too long. */
int secrets_add_file(struct secrets *s, const char *id, const char *path, struct error *err);
int secrets_add_value(struct secrets *s, const char *id, const char *value, struct error *err);

/* To be served with a struct secrets. */
extern const struct grpc_method secrets_get;

#endif
