/* The parts of the engine made of JSON, for fake*.c alone. */
#ifndef SUPPORT_FAKE_PRIVATE_H
#define SUPPORT_FAKE_PRIVATE_H

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "fake.h"

/* What an answer goes on as, after its beginning. */
enum stream {
    STREAM_NONE,
    STREAM_EVENTS, /* JSON values as they happen */
    STREAM_WAIT,   /* one JSON value when the container ends */
    STREAM_LOGS,   /* frames until the container ends */
    STREAM_EXEC,   /* frames until the command ends */
};

struct connection {
    struct connection *prev, *next;
    struct fake *f;
    int fd;
    struct str in, out;
    bool silent;  /* says nothing any more */
    bool closing; /* once `out` is sent */
    enum stream stream;
    bool chunked; /* the stream is */
    bool multiplexed;
    char *id;        /* of the container or exec that the stream is about */
    json_t *filters; /* EVENTS */
};

/* A request on its way to its answer. */
struct exchange {
    struct fake *f;
    struct connection *c;
    struct fake_request *rq; /* also in the list of requests */
    const char *raw;         /* the body as it came */
    size_t raw_len;
    char *name; /* what stood for '*' in the route */
    bool upgrade;

    int status;
    json_t *json;    /* the body, or */
    struct str text; /* this one */
    const char *type;
    char *header; /* one more, without its end */
    enum stream stream;
};

struct timer {
    struct timer *prev, *next;
    int64_t at_ms;
    enum { TIMER_MAIN, TIMER_HEALTH, TIMER_EXEC } what;
    char *id;
    char *script; /* the rest of it */
};

struct fake {
    int fd;
    char *host;
    struct fake_kind kind;
    struct connection *connections;
    struct timer *timers;
    /* {containers, networks, volumes, images, remote, execs: id -> object; events: [], serial}
     */
    json_t *state;
    int age;
    char *path_stat; /* of whatever is copied out of a container, and the tar */
    struct str archive;
    struct {
        VEC(struct fake_request);
    } requests;
    enum fake_fault fault;
    int fault_arg;
    size_t fault_at;
    bool spoiled;
    pid_t client;
};

/* fake.c */
const char *fake_query_text(const struct exchange *x, const char *key); /* the last one, or NULL */
bool fake_query_flag(const struct exchange *x, const char *key);
void fake_answer_error(struct exchange *x, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The answer goes on as a stream about that container or exec; what is written so far comes behind
 * its head. */
void fake_stream_begin(struct exchange *x, enum stream stream, const char *id);
void fake_stream_write(struct connection *c, const char *data, size_t len);
void fake_stream_end(struct connection *c);
json_t *fake_part(const struct fake *f, const char *part);
int64_t fake_serial(struct fake *f);
char *fake_new_id(struct fake *f);
void fake_set_text(json_t *object, const char *key, const char *text);
/* Whether an object with these labels and name fits the request's `filters`. */
bool fake_fits_filters(const json_t *filters, const json_t *labels, const char *name);
json_t *fake_query_filters(const struct exchange *x);
bool fake_fits_pattern(const char *pattern, const char *text);

/* fake_containers.c */
json_t *fake_find_container(struct fake *f, const char *ref);
void fake_container_list(struct exchange *x);
void fake_container_create(struct exchange *x);
void fake_container_inspect(struct exchange *x);
void fake_container_start(struct exchange *x);
void fake_container_stop(struct exchange *x);
void fake_container_restart(struct exchange *x);
void fake_container_kill(struct exchange *x);
void fake_container_pause(struct exchange *x);
void fake_container_unpause(struct exchange *x);
void fake_container_rename(struct exchange *x);
void fake_container_remove(struct exchange *x);
void fake_container_ended(struct fake *f, json_t *container, int code);

/* fake_archive.c */
void fake_container_archive_put(struct exchange *x);
void fake_container_archive_stat(struct exchange *x);
void fake_container_archive_get(struct exchange *x);
void fake_container_export(struct exchange *x);
void fake_container_commit(struct exchange *x);

/* fake_objects.c */
json_t *fake_find_network(struct fake *f, const char *ref);
bool fake_network_in_use(struct fake *f, const json_t *network);
json_t *fake_make_volume(struct fake *f, const char *name, const char *driver, json_t *labels);
void fake_network_defaults(struct fake *f);
void fake_network_list(struct exchange *x);
void fake_network_inspect(struct exchange *x);
void fake_network_create(struct exchange *x);
void fake_network_remove(struct exchange *x);
void fake_network_connect(struct exchange *x);
void fake_network_disconnect(struct exchange *x);
void fake_volume_list(struct exchange *x);
void fake_volume_inspect(struct exchange *x);
void fake_volume_create(struct exchange *x);
void fake_volume_remove(struct exchange *x);

/* fake_images.c */
json_t *fake_find_image(struct fake *f, const char *ref);
void fake_image_list(struct exchange *x);
void fake_image_inspect(struct exchange *x);
void fake_image_pull(struct exchange *x);
void fake_image_tag(struct exchange *x);
void fake_image_push(struct exchange *x);
void fake_image_remove(struct exchange *x);
void fake_image_build(struct exchange *x);

/* fake_streams.c */
void fake_emit(struct fake *f, const char *action, const json_t *container, const char *exit_code);
void fake_events(struct exchange *x);
void fake_container_wait(struct exchange *x);
void fake_container_logs(struct exchange *x);
void fake_container_stats(struct exchange *x);
void fake_exec_create(struct exchange *x);
void fake_exec_start(struct exchange *x);
void fake_exec_inspect(struct exchange *x);
/* Runs a script until it sleeps or ends: its exit code, or -1 while it goes on. `say` gets what it
 * prints, *sleep_ms and *rest where it goes on (-1: for ever). */
int fake_script_run(const char *script, void (*say)(void *ctx, const char *text), void *ctx,
                    int64_t *sleep_ms, char **rest);
/* What a command in the form of the API (a list of words) does. */
char *fake_script_of(const json_t *words, bool lasts);
void fake_timer_add(struct fake *f, int what, const char *id, const char *script, int64_t ms);
void fake_timers_run(struct fake *f);
void fake_timers_drop(struct fake *f, const char *id); /* NULL: all */
void fake_main_run(struct fake *f, json_t *container, const char *script);

#endif
