/* Parts that add up to one progress. */
#include "build/layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* Sums of hostile numbers must not overflow: no part counts for more than this. */
#define PART_MAX ((int64_t)1 << 45)

struct part {
    int64_t current, total;
    bool done;
};

static int64_t bounded(int64_t n)
{
    return n < 0 ? 0 : n > PART_MAX ? PART_MAX : n;
}

bool layers_set(struct layers *l, const char *id, int64_t current, int64_t total)
{
    total = bounded(total);
    current = bounded(current);
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
    part->current = current;
    part->total = total;
    return true;
}

static bool is_one_of(const char *status, const char *const *words)
{
    while (*words && strcmp(status, *words) != 0)
        words++;
    return *words;
}

bool layers_transfer(struct layers *l, const json_t *value)
{
    static const char *const moves[] = { "Downloading", "Pushing", NULL };
    static const char *const ends[] = { "Pull complete", "Already exists", "Pushed",
                                        "Layer already exists", NULL };
    const char *id = json_str(value, "id");
    const char *status = json_str_or(value, "status", "");
    if (!id || !json_at(value, "progressDetail"))
        return false;
    struct part *part = strmap_get(&l->parts, id);
    bool fresh = !part && strmap_len(&l->parts) < LAYERS_MAX;
    if (fresh) {
        part = xnew(struct part);
        strmap_set(&l->parts, id, part);
    }
    if (!part)
        return false;
    int64_t total = json_int(value, "progressDetail.total", 0);
    bool ended = is_one_of(status, ends) || str_starts(status, "Mounted from"), moved = false;
    if (is_one_of(status, moves))
        moved = layers_set(l, id, json_int(value, "progressDetail.current", 0),
                           total > 0 ? total : part->total);
    else if (ended || strcmp(status, "Download complete") == 0)
        moved = layers_set(l, id, part->total, part->total);
    bool done = ended && !part->done;
    part->done |= ended;
    l->done += done;
    return fresh || moved || done;
}

void layers_clear(struct layers *l)
{
    strmap_clear(&l->parts, free);
    *l = LAYERS_INIT;
}
