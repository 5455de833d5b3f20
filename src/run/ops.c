/* Each kind of operation: how it is started, and the pool that limits it. */
#include "run/private.h"

const struct handler run_handlers[] = {
    [OP_NETWORK_CREATE] = { start_network_create, POOL_FREE },
    [OP_NETWORK_REMOVE] = { start_network_remove, POOL_FREE },
    [OP_VOLUME_CREATE] = { start_volume_create, POOL_CREATE },
    [OP_VOLUME_REMOVE] = { start_volume_remove, POOL_STOP },
    [OP_IMAGE_PULL] = { start_transfer, POOL_PULL },
    [OP_IMAGE_FETCH] = { start_fetch, POOL_PULL },
    [OP_IMAGE_BUILD] = { start_build, POOL_BUILD },
    [OP_IMAGE_PUSH] = { start_transfer, POOL_PULL },
    [OP_IMAGE_REMOVE] = { start_image_remove, POOL_FREE },
    [OP_CREATE] = { start_create, POOL_CREATE },
    [OP_CONNECT] = { start_connect, POOL_CREATE },
    [OP_FILES] = { start_files, POOL_CREATE },
    [OP_START] = { start_container_verb, POOL_START },
    [OP_STOP] = { start_container_verb, POOL_STOP },
    [OP_KILL] = { start_container_verb, POOL_STOP },
    [OP_REMOVE] = { start_container_verb, POOL_STOP },
    [OP_RENAME] = { start_container_verb, POOL_FREE },
    [OP_RESTART] = { start_container_verb, POOL_START },
    [OP_PAUSE] = { start_container_verb, POOL_FREE },
    [OP_UNPAUSE] = { start_container_verb, POOL_FREE },
    [OP_WAIT] = { start_wait, POOL_FREE },
    [OP_HOOK] = { start_hook, POOL_START },
};
