/* Taking the snapshot: list calls with a label filter, all at once. */
#ifndef STATE_OBSERVE_H
#define STATE_OBSERVE_H

#include "engine/engine.h"
#include "state/state.h"

struct observe_options {
    const char *stack;             /* name; NULL: every stack of the engine */
    unsigned what;                 /* of enum observe_what */
    const char *const *image_refs; /* images are looked up by these references */
    size_t nimage_refs;
    bool any_network; /* also those of others: without the label filter */
    bool any_volume;
    bool running_only;
};

/* One call for each bit of `what`, side by side; fails with the first error when they have all
 * ended. Runs the loop. */
int state_observe(struct snapshot **out, struct engine *e, const struct observe_options *opt,
                  struct error *err);

#endif
