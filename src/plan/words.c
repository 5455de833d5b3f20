/* The words for each kind of operation. */
#include "plan/op.h"

const struct op_words op_words[] = {
    [OP_NETWORK_CREATE] = { "create", "creating", "created", "network", "network_create" },
    [OP_NETWORK_REMOVE] = { "remove", "removing", "removed", "network", "network_remove" },
    [OP_VOLUME_CREATE] = { "create", "creating", "created", "volume", "volume_create" },
    [OP_VOLUME_REMOVE] = { "remove", "removing", "removed", "volume", "volume_remove" },
    [OP_IMAGE_PULL] = { "pull", "pulling", "pulled", "image", "image_pull" },
    [OP_IMAGE_FETCH] = { "fetch", "fetching", "fetched", "image", "image_fetch" },
    [OP_IMAGE_BUILD] = { "build", "building", "built", "image", "image_build" },
    [OP_IMAGE_PUSH] = { "push", "pushing", "pushed", "image", "image_push" },
    [OP_IMAGE_REMOVE] = { "remove", "removing", "removed", "image", "image_remove" },
    [OP_PROJECT_SYNC] = { "sync", "syncing", "synced", "project", "project_sync" },
    [OP_CREATE] = { "create", "creating", "created", "container", "create" },
    [OP_CONNECT] = { "connect", "connecting", "connected", "container", "connect" },
    [OP_FILES] = { "fill", "filling", "filled", "container", "files" },
    [OP_START] = { "start", "starting", "started", "container", "start" },
    [OP_STOP] = { "stop", "stopping", "stopped", "container", "stop" },
    [OP_KILL] = { "kill", "killing", "killed", "container", "kill" },
    [OP_REMOVE] = { "remove", "removing", "removed", "container", "remove" },
    [OP_RENAME] = { "rename", "renaming", "renamed", "container", "rename" },
    [OP_RESTART] = { "restart", "restarting", "restarted", "container", "restart" },
    [OP_PAUSE] = { "pause", "pausing", "paused", "container", "pause" },
    [OP_UNPAUSE] = { "unpause", "unpausing", "unpaused", "container", "unpause" },
    [OP_WAIT] = { "wait for", "waiting for", "ready", "service", "wait" },
    [OP_HOOK] = { "run a hook in", "running a hook in", "ran a hook in", "container", "hook" },
};
