/*
 * A file or a whole folder of this machine as a tar, a piece at a time. Memory does not grow with
 * what is packed, but for one name per file that has several hard links.
 *
 * Owners are numbers, times are exact, links are links; sockets are left out. A file that shrinks
 * while it is read, or cannot be read, ends the pack with an error that names it; one that vanishes
 * before is not there.
 */
#ifndef LIVE_TREE_PACK_H
#define LIVE_TREE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define TREE_MAX_DEPTH 200 /* folders in folders; each keeps a descriptor open */

struct tree_pack;
/* `name` is what `path` is called in the tar; "." for a folder whose content alone matters. With
 * `follow`, a link at `path` itself stands for what it leads to; links below never do. */
struct tree_pack *tree_pack_open(const char *path, const char *name, bool follow);
/* Up to `max` bytes of the tar: the count, 0 at its end, or -1. Blocks on the disk. */
long tree_pack_read(struct tree_pack *p, char *buf, size_t max, struct error *err);
/* Bytes of files that were packed so far. */
int64_t tree_pack_bytes(const struct tree_pack *p);
void tree_pack_close(struct tree_pack *p);
DEFINE_FREEP(struct tree_pack, tree_pack_close)

#endif
