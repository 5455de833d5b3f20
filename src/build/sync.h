/*
 * Sending a folder the way BuildKit asks for it (its library calls the protocol fsutil): first what
 * is there, then the files that the engine has not, when it asks for them.
 *
 *     Packet { int type 1; Stat stat 2; uint32 ID 3; bytes data 4 }
 *     Stat   { string path 1; uint32 mode 2; uint32 uid 3; uint32 gid 4; int64 size 5;
 *              int64 modTime 6 (ns); string linkname 7; int64 devmajor 8; int64 devminor 9 }
 *
 * STAT for each entry in the order of the list, then a STAT without one. REQ names an entry by its
 * number there, and is answered by DATA of that number, an empty one last. FIN from the engine is
 * answered by FIN.
 *
 * The engine has a file when size and time are the same. The nanoseconds that are sent are made of
 * the file's digest, so that a change under an old time is seen. Owners are root's, as in a tar.
 */
#ifndef BUILD_SYNC_H
#define BUILD_SYNC_H

#include "base/str.h"
#include "build/context.h"

struct sync;

struct sync_input {
    const char *root; /* real path; NULL: a single file with these bytes */
    const struct context *context;
    const bool *wanted; /* by entry; NULL: all. Taken over. */
    const char *name;
    const char *bytes;
    size_t len;
};

/* What `in` points to must outlive it. */
int sync_open(struct sync **out, const struct sync_input *in, struct error *err);
void sync_close(struct sync *s);
DEFINE_FREEP(struct sync, sync_close)

/* A packet of the engine. May run beside sync_produce(). ERR_PROTOCOL: it makes no sense; ERR_BUILD
 * with what the engine says is wrong. */
int sync_packet(struct sync *s, const uint8_t *data, size_t len, struct error *err);

/* Whether there is something to produce; takes over what was asked for since. Not beside
 * sync_produce(). */
bool sync_ready(struct sync *s);
/* Appends framed messages: at least `want` bytes, or all there is for now. Blocking. Sets *end once
 * the last was produced. ERR_INPUT: a file changed. */
int sync_produce(struct sync *s, struct str *out, size_t want, bool *end, struct error *err);
/* Of the files that were asked for, so far. */
size_t sync_files(const struct sync *s);
int64_t sync_bytes(const struct sync *s);

#endif
