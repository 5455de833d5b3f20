/*
 * A pack as the body of a request: the worker pool makes the next piece while the last one is being
 * sent, and never more than that is in memory.
 */
#ifndef BUILD_SENDER_H
#define BUILD_SENDER_H

#include "build/pack.h"
#include "loop/loop.h"
#include "net/http.h"

struct sender;

/* Takes the pack over. `resume` runs on the loop when the upload said HTTP_UPLOAD_LATER and has
 * more now. Nothing is produced before the first read. */
struct sender *sender_new(struct loop *l, struct pack *pack, void (*resume)(void *ctx), void *ctx);
const struct http_upload *sender_upload(const struct sender *s);
/* Why the upload was aborted, or NULL. */
const struct error *sender_error(const struct sender *s);
/* Bytes handed out so far. */
int64_t sender_bytes(const struct sender *s);
/* resume no longer runs. A job under way is waited for in the background; only after the loop ran
 * `gone` (may be NULL) is what the pack points to no longer used. */
void sender_free(struct sender *s, void (*gone)(void *ctx), void *ctx);

#endif
