/* Taking the snapshot: list calls with a label filter, all at once. */
#ifndef STATE_OBSERVE_H
#define STATE_OBSERVE_H

#include "engine/engine.h"
#include "state/state.h"

enum observe_what {
    OBSERVE_CONTAINERS = 1 << 0,
    OBSERVE_NETWORKS = 1 << 1,
    OBSERVE_VOLUMES = 1 << 2,
    OBSERVE_IMAGES = 1 << 3,
    OBSERVE_ALL = 15,
};

struct observe_options {
    const char *stack; /* name; NULL: every stack of the engine */
    unsigned what;
    const char *const *image_refs; /* images are looked up by these references */
    size_t nimage_refs;
    bool any_network; /* external ones are needed too: list without the label filter */
    bool any_volume;
    bool running_only;
};

/* One call for each bit of `what`, side by side. */
int state_observe(struct snapshot **out, struct engine *e, const struct observe_options *opt,
                  struct error *err);

#endif
