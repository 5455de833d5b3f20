/*
 * The snapshot: what the engine has of one stack, as plain data.
 *
 * Taken by observe.h in as few calls as there are kinds of object; read by the planner and by
 * everything that lists. Also built from JSON in tests. Texts are as the engine gave them: show
 * them only through base/safe.h. No text in it is NULL unless it says so.
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum container_state {
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_RESTARTING,
    CONTAINER_REMOVING,
    CONTAINER_EXITED,
    CONTAINER_DEAD,
};
extern const char *const container_state_names[]; /* as the engine spells them */

enum health_state { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct label {
    const char *key;
    const char *value;
};

struct seen_network_use {
    const char *name;
    const char *id; /* "" where the engine does not say; on some: while never started */
};

struct seen_mount {
    const char *type; /* "volume", "bind", ... */
    const char *name; /* volumes */
    const char *source;
    const char *target;
};

struct seen_port {
    const char *host_ip; /* "" when not published */
    int published;       /* 0: not published */
    int target;
    const char *protocol;
};

struct seen_container {
    const char *id;
    const char *name;    /* without the slash */
    const char *service; /* label; "" when it has none */
    int number;
    bool oneoff;
    const char *image; /* reference as given at create */
    const char *image_id;
    const char *command;
    const char *network_mode; /* "bridge", "demo_default", "container:<id>" */
    int64_t created;          /* Unix seconds */
    enum container_state state;
    const char *status; /* "Up 2 seconds (healthy)" */
    enum health_state health;
    int exit_code;              /* when exited; else -1 */
    const struct label *labels; /* sorted by key */
    size_t nlabels;
    const struct seen_network_use *networks;
    size_t nnetworks;
    const struct seen_mount *mounts;
    size_t nmounts;
    const struct seen_port *ports;
    size_t nports;
};

struct seen_network {
    const char *id;
    const char *name;
    const char *driver;
    const struct label *labels;
    size_t nlabels;
};

struct seen_volume {
    const char *name;
    const char *driver;
    const char *mountpoint; /* on the engine's machine */
    const char *scope;      /* "local", "global" */
    const struct label *labels;
    size_t nlabels;
};

struct seen_image {
    const char *id;
    const char *const *refs; /* "busybox:latest", "name@sha256:..." */
    size_t nrefs;
    int64_t created;
    int64_t size;
    const struct label *labels;
    size_t nlabels;
};

/* What was not asked for is unknown, not absent. */
enum observe_what {
    OBSERVE_CONTAINERS = 1 << 0,
    OBSERVE_NETWORKS = 1 << 1,
    OBSERVE_VOLUMES = 1 << 2,
    OBSERVE_IMAGES = 1 << 3,
    OBSERVE_ALL = 15,
};

struct snapshot_ref;

struct snapshot {
    struct arena *arena;
    unsigned seen;                           /* of enum observe_what: the lists that were read */
    const struct seen_container *containers; /* sorted by service, number, name */
    size_t ncontainers;
    const struct seen_network *networks; /* sorted by name */
    size_t nnetworks;
    const struct seen_volume *volumes; /* sorted by name */
    size_t nvolumes;
    const struct seen_image *images; /* newest first */
    size_t nimages;
    int api; /* minor version that the engine and we speak */

    const struct snapshot_ref *refs; /* private: references and ids of images, sorted */
    size_t nrefs;
};

struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *s);
DEFINE_FREEP(struct snapshot, snapshot_free)

/* The answers of the four list calls. Each replaces what was there. Missing or odd fields are
 * tolerated, something that is not a list of objects is ERR_PROTOCOL. */
int snapshot_read_containers(struct snapshot *s, const json_t *list, struct error *err);
int snapshot_read_networks(struct snapshot *s, const json_t *list, struct error *err);
int snapshot_read_volumes(struct snapshot *s, const json_t *answer, struct error *err);
int snapshot_read_images(struct snapshot *s, const json_t *list, struct error *err);

/* "" when absent. */
const char *label_get(const struct label *labels, size_t n, const char *key);
/* The containers of one service, one-off ones too: *n of them, by number and name. */
const struct seen_container *snapshot_service(size_t *n, const struct snapshot *s,
                                              const char *service);
/* By name, or NULL. */
const struct seen_network *snapshot_network(const struct snapshot *s, const char *name);
const struct seen_volume *snapshot_volume(const struct snapshot *s, const char *name);
/* By reference ("busybox", "docker.io/library/busybox:latest", "x@sha256:..."), or by whole id. */
const struct seen_image *snapshot_image(const struct snapshot *s, const char *ref);
/* The form in which references are compared: without the default registry, with tag or digest.
 * Engines differ in how they list them: Podman writes docker.io/library/ and localhost/ out. Owned
 * by the caller. */
char *ref_normal(const char *ref);

#endif
