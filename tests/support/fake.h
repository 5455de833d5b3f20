/*
 * A Docker engine made of JSON: the Engine API on a unix socket, as measured on real engines, with
 * containers that run nothing. In the test's own process, on no thread: it answers only inside
 * fake_serve(), so that between two calls its state stands still, and the test may fork.
 *
 * What a container does is written in its command: "echo TEXT", "sleep SECONDS" and "exit CODE",
 * separated by ';', in the last word. Anything else runs until it is stopped. Commands of exec and
 * of health checks are the same language; what has no exit in it ends with 0 ("false": 1).
 *
 * Ids and addresses come from a counter, so that two runs of the same requests give the same
 * state.
 */
#ifndef SUPPORT_FAKE_H
#define SUPPORT_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

struct fake;

/* Listens at `path`. API 1.41, as Engine 20.10, until told otherwise. */
struct fake *fake_new(const char *path);
void fake_free(struct fake *f);
/* "unix://" and the path; owned by the engine. */
const char *fake_host(const struct fake *f);

/* The newest and the oldest minor version that it speaks. Podman: its codes for errors. */
struct fake_kind {
    int api, api_min;
    bool podman;
};
void fake_become(struct fake *f, struct fake_kind kind);

/* Answers what comes, for at most timeout_ms or until something has happened. */
void fake_serve(struct fake *f, int timeout_ms);
/* Closes every connection. */
void fake_hang_up(struct fake *f);

/* --- what is there --- */

/* An image of the engine, or of the registry that pulls find; a changed one gets a new id. Its
 * config may be NULL: {"Cmd", "Env", "ExposedPorts", "Volumes", "Healthcheck", "Labels"}. */
void fake_image(struct fake *f, const char *ref, json_t *config);
void fake_remote(struct fake *f, const char *ref, json_t *config);
/* What copies out of any container get: the stat of every path, as JSON (NULL: nothing is there),
 * and a tar. Also what its export is. */
void fake_archive(struct fake *f, const char *stat, const char *tar, size_t len);
/* A container that no stack made. */
void fake_stranger(struct fake *f, const char *name);

/* All of it; owned by the caller. Restoring empties the list of requests too. */
json_t *fake_save(const struct fake *f);
void fake_restore(struct fake *f, const json_t *saved);
/* Volumes that are made from now on are of this age: a summary tells old from new. */
void fake_set_age(struct fake *f, int age);
/* Containers, networks, volumes, images and files in containers as text, one a line, without ids
 * and times: two states that mean the same give the same text. Owned by the caller. */
char *fake_summary(const struct fake *f);
/* The names of the containers, or of the volumes, one a line. */
char *fake_names(const struct fake *f, const char *kind);

/* The id of a container or network of that name; also of t-NAME-1 and t_NAME, as a stack `t` would
 * call them. Owned by the caller; NULL: there is none. */
char *fake_id_of(const struct fake *f, const char *name);
/* {path, mode, uid, gid, content} of a file that was put into a container, or NULL. */
const json_t *fake_file_in(const struct fake *f, const char *container, const char *path);

/* --- what was asked --- */

struct fake_request {
    char *method;
    char *path;    /* decoded, without version prefix and query: "/containers/create" */
    json_t *query; /* key -> list of decoded values */
    int api;       /* of the prefix; 0: none */
    json_t *body;  /* or NULL */
    char *registry_auth;
    char *head; /* the request line and headers, as they came */
    int status; /* of the answer; 0: none was given */
};
size_t fake_count(const struct fake *f);
const struct fake_request *fake_request(const struct fake *f, size_t k);
/* The n-th request (from 0) of "METHOD /path", where a final '*' stands for anything; or NULL. */
const struct fake_request *fake_find(const struct fake *f, const char *what, size_t n);
void fake_forget(struct fake *f);

/* --- faults --- */

enum fake_fault {
    FAULT_NONE,
    FAULT_STATUS,      /* `arg` is the status; nothing is done */
    FAULT_ANSI,        /* 500 with a message that drives a terminal */
    FAULT_LONG,        /* 500 with a message of 2 MiB on one line */
    FAULT_DROP_BEFORE, /* the connection ends, nothing is done */
    FAULT_DROP_AFTER,  /* it is done, and the connection ends */
    FAULT_CUT,         /* it is done, and the answer ends in the middle */
    FAULT_BAD_HTTP,    /* it is done, and the answer is no HTTP */
    FAULT_NOT_JSON,    /* it is done, and the body is no JSON */
    FAULT_ODD_JSON,    /* it is done, and the body is JSON of another shape */
    FAULT_SILENT,      /* nothing is done, and nothing is ever said */
    FAULT_MUTE,        /* it is done, and nothing is ever said */
    FAULT_KILL_BEFORE, /* the client gets the signal `arg`, and nothing is done if it is KILL */
    FAULT_KILL_AFTER,  /* the client gets it when it is done, before the answer */
};
/* Does it to the k-th request from now on, from 1. `client` is who gets signals. */
void fake_spoil(struct fake *f, enum fake_fault fault, int arg, size_t k);
void fake_set_client(struct fake *f, pid_t client);
/* Whether that request came. */
bool fake_spoiled(const struct fake *f);

#endif
