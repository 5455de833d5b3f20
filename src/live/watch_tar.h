/*
 * A list of files as a tar, read while it is sent. Each entry stands for itself: a folder for the
 * folder alone. What is no longer there, or no longer the same kind, is left out, and what is
 * shorter than it was is filled up: such a file has changed again, and will be sent again.
 */
#ifndef LIVE_WATCH_TAR_H
#define LIVE_WATCH_TAR_H

#include "live/watch_rules.h"
#include "net/http.h"

struct watch_tar;
/* The files for which `use` is set, n in all; both are borrowed. */
struct watch_tar *watch_tar_new(const struct watch_file *files, const bool *use, size_t n);
const struct http_upload *watch_tar_upload(const struct watch_tar *t);
void watch_tar_free(struct watch_tar *t);

#endif
