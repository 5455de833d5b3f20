/* --locked: the images that the lock file names instead of those of the stack file. */
#include <string.h>

#include "model/loader.h"
#include "text/imageref.h"

static void lock_service(struct loader *ld, struct node *s, const char *name)
{
    struct node *image = node_get(s, "image");
    const char *text = node_text(image);
    if (!text || !*text || node_get(s, "build"))
        return;
    const struct lock_image *lock = lockfile_image(&ld->lock, name);
    struct imageref ref;
    if (!lock || strcmp(lock->image, text) != 0) {
        diag_error(ld->d, image->span, "service '%s': the lock file %s", name,
                   lock ? "has another image" : "has no image for it");
        diag_hint(ld->d, "write it anew with 'stack lock'");
    } else if (lock->digest && imageref_parse(&ref, ld->a, text, NULL) == 0) {
        node_set_string(ld->a, s, "image", arena_printf(ld->a, "%s@%s", ref.name, lock->digest));
    }
}

void locked_images(struct loader *ld, struct node *doc)
{
    struct node *services = node_get(doc, "services");
    node_each (i, services)
        lock_service(ld, services->items[i], services->keys[i]);
}

const char *locked_ref(const struct loader *ld, const char *image)
{
    const struct lock_image *lock = lockfile_image(&ld->lock, image);
    return lock && lock->digest ? arena_printf(ld->a, "%s@%s", lock->image, lock->digest) : NULL;
}
