/* Whether an image must be built or pulled: shared by plan_up() and plan_images(). */
#ifndef PLAN_IMAGES_H
#define PLAN_IMAGES_H

#include "plan/private.h"

enum image_need {
    IMAGE_STAYS,
    IMAGE_MAY_CHANGE, /* work was asked for; it may give the image that is there */
    IMAGE_CHANGES,
};

/* The operations on images of one plan. */
struct image_ops {
    struct planner *p;
    const struct plan_image *surveys;
    size_t nsurveys;
    bool always;         /* build whatever the fingerprints say */
    bool exact;          /* what is fetched has the very content */
    struct op **builds;  /* by position in stack->images */
    struct op **fetches; /* the same */
    struct strmap pulls; /* "ref platform" (pushes: "ref") -> struct op * */
    struct op *pushed;   /* the last one that takes layers up */
    struct strv unbuilt; /* services of which a pull brings no image: it is missing, and built */
};

void image_ops_init(struct image_ops *ops, struct planner *p, const struct plan_image *surveys,
                    size_t nsurveys);
void image_ops_clear(struct image_ops *ops);

/* Adds the build of an image, and of those it is FROM, where there is need; *reason is set for
 * IMAGE_CHANGES, *op for all but IMAGE_STAYS. */
enum image_need image_build(struct op **op, const char **reason, struct image_ops *ops,
                            const struct image *image, bool always);
/* Whether the survey could not say what goes into it (or was not asked). */
bool image_is_unknown(const struct image_ops *ops, const struct image *image);
/* Adds the pull of a service's image; one for all services with the same image. */
struct op *image_pull(struct image_ops *ops, const struct service *s, const char *reason);
/* Whether image_pull() was called for this image. */
bool image_is_pulled(const struct image_ops *ops, const struct service *s);
/* The policy that holds: --pull over the service's own. */
enum pull_policy image_policy(const struct planner *p, const struct service *s);
/* Why the policy asks for a pull although the image is there, or NULL. */
const char *image_pull_reason(const struct planner *p, const struct service *s,
                              const struct seen_image *seen);

#endif
