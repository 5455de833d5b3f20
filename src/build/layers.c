/* Parts that add up to one progress. */
#include "build/layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* Sums of hostile numbers must not overflow: no part counts for more than this. */
#define PART_MAX ((int64_t)1 << 45)

struct part {
    int64_t current, total;
};

int64_t layers_bounded(int64_t n)
{
    return n < 0 ? 0 : n > PART_MAX ? PART_MAX : n;
}

bool layers_set(struct layers *l, const char *id, int64_t current, int64_t total)
{
    total = layers_bounded(total);
    current = layers_bounded(current);
    if (current > total)
        current = total;
    struct part *part = strmap_get(&l->parts, id);
    if (!part) {
        if (total == 0 || strmap_len(&l->parts) >= LAYERS_MAX)
            return false;
        part = xnew(struct part);
        strmap_set(&l->parts, id, part);
    }
    if (part->current == current && part->total == total)
        return false;
    l->current += current - part->current;
    l->total += total - part->total;
    *part = (struct part){ current, total };
    return true;
}

bool layers_pull(struct layers *l, const json_t *value)
{
    const char *id = json_str(value, "id");
    const char *status = json_str_or(value, "status", "");
    if (!id)
        return false;
    const struct part *part = strmap_get(&l->parts, id);
    if (strcmp(status, "Downloading") == 0)
        return layers_set(l, id, json_int(value, "progressDetail.current", 0),
                          json_int(value, "progressDetail.total", 0));
    if (part && (strcmp(status, "Download complete") == 0 || strcmp(status, "Pull complete") == 0))
        return layers_set(l, id, part->total, part->total);
    return false;
}

void layers_clear(struct layers *l)
{
    strmap_clear(&l->parts, free);
    *l = LAYERS_INIT;
}
