/*
 * One builder per request of the Engine API that stack uses. Each fills *rq (release with
 * engine_request_clear(), or hand it to engine_start()/engine_do(), which do). Names and ids are
 * percent-encoded. Answers are those of the API reference; what engines differ in is said there.
 */
#ifndef ENGINE_REQUESTS_H
#define ENGINE_REQUESTS_H

#include "engine/engine.h"

typedef struct engine_request *request_out;

/* Containers. `stack` filters by com.docker.compose.project; NULL: every container that has the
 * label. `all` includes stopped ones. */
void rq_containers(request_out rq, const char *stack, bool all);
void rq_containers_any(request_out rq, const char *filter_kind, const char *filter_value);
void rq_container_inspect(request_out rq, const char *id);
void rq_container_create(request_out rq, const char *name, const char *platform, json_t *body);
void rq_container_start(request_out rq, const char *id);
void rq_container_stop(request_out rq, const char *id, const char *signal, int timeout_s /* -1 */);
void rq_container_restart(request_out rq, const char *id, int timeout_s /* -1 */);
void rq_container_kill(request_out rq, const char *id, const char *signal);
void rq_container_pause(request_out rq, const char *id);
void rq_container_unpause(request_out rq, const char *id);
void rq_container_remove(request_out rq, const char *id, bool force, bool volumes);
void rq_container_rename(request_out rq, const char *id, const char *name);
void rq_container_wait(request_out rq, const char *id, const char *condition);
void rq_container_top(request_out rq, const char *id, const char *ps_args);
void rq_container_stats(request_out rq, const char *id, bool stream);
void rq_container_update(request_out rq, const char *id, json_t *body);
void rq_container_resize(request_out rq, const char *id, int rows, int cols);
void rq_container_export(request_out rq, const char *id); /* its files as a tar: ENGINE_BYTES */
struct commit_options {
    const char *repo, *tag, *author, *message; /* NULL: none */
    const char *const *changes;                /* Dockerfile instructions, NULL-terminated */
    bool pause;
};
void rq_container_commit(request_out rq, const char *id, const struct commit_options *opt);
struct logs_options {
    bool follow, timestamps, no_stdout, no_stderr;
    int64_t tail;              /* -1: all */
    const char *since, *until; /* Unix seconds with fraction, or NULL */
};
void rq_container_logs(request_out rq, const char *id, const struct logs_options *opt);
/* Tar of a path / extract a tar below the folder `path`: a folder never takes the place of
 * something else, nor the other way round. The HEAD's answer is in a header: path_stat.h. */
void rq_container_archive_get(request_out rq, const char *id, const char *path);
void rq_container_archive_stat(request_out rq, const char *id, const char *path); /* HEAD */
void rq_container_archive_put(request_out rq, const char *id, const char *path,
                              const struct http_upload *tar, bool copy_uid_gid);
/* The same, where everything belongs to the container's user afterwards, and what is in the way is
 * replaced, whatever it is. */
void rq_container_archive_replace(request_out rq, const char *id, const char *path,
                                  const struct http_upload *tar);

/* Exec. */
void rq_exec_create(request_out rq, const char *container, json_t *body);
void rq_exec_start_detached(request_out rq, const char *id, bool tty);
/* Runs it and gives the framed output as ENGINE_BYTES (no stdin). */
void rq_exec_start(request_out rq, const char *id);
void rq_exec_inspect(request_out rq, const char *id);
void rq_exec_resize(request_out rq, const char *id, int rows, int cols);

/* Images. `refs` filters by reference; n 0: all. */
void rq_images(request_out rq, const char *const *refs, size_t n);
void rq_images_label(request_out rq, const char *label);
void rq_image_inspect(request_out rq, const char *ref);
void rq_image_pull(request_out rq, const char *name, const char *tag_or_digest,
                   const char *platform, const char *auth);
void rq_image_push(request_out rq, const char *name, const char *tag, const char *auth);
void rq_image_tag(request_out rq, const char *ref, const char *repo, const char *tag);
void rq_image_remove(request_out rq, const char *ref, bool force);
void rq_image_history(request_out rq, const char *ref);
void rq_distribution(request_out rq, const char *ref, const char *auth);

/* Networks and volumes. */
void rq_networks(request_out rq, const char *stack); /* label filter, as rq_containers */
void rq_networks_named(request_out rq, const char *const *names, size_t n);
/* n 0: all */ /* n 0: all */
void rq_network_inspect(request_out rq, const char *id);
void rq_network_create(request_out rq, json_t *body);
void rq_network_remove(request_out rq, const char *id);
void rq_network_connect(request_out rq, const char *id, json_t *body);
void rq_network_disconnect(request_out rq, const char *id, const char *container, bool force);
void rq_volumes(request_out rq, const char *stack);
void rq_volumes_named(request_out rq, const char *const *names, size_t n); /* n 0: all */
void rq_volume_inspect(request_out rq, const char *name);
void rq_volume_create(request_out rq, json_t *body);
void rq_volume_remove(request_out rq, const char *name, bool force);

/* System. */
void rq_ping(request_out rq);
void rq_version(request_out rq);
void rq_info(request_out rq);
void rq_disk_usage(request_out rq);
/* The same of volumes alone ({"Volumes": [{"Name", "UsageData": {"Size"}}]}), from API 1.42 on;
 * older engines add up all. */
void rq_volume_usage(request_out rq);
/* Events of one stack's containers from `since` (Unix seconds with fraction, or NULL) on, only the
 * given actions (n 0: all). ENGINE_STREAM, quiet_ok. */
void rq_events(request_out rq, const char *stack, const char *since, const char *until,
               const char *const *actions, size_t n);

#endif
