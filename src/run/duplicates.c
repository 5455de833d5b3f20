/* One network of each name. */
#include "run/duplicates.h"

#include "base/json.h"
#include "base/str.h"
#include "engine/requests.h"

static size_t count_named(const json_t *list, const char *name)
{
    size_t i, n = 0;
    json_t *entry;
    json_array_foreach (list, i, entry)
        n += str_eq(json_str(entry, "Name"), name);
    return n;
}

/* Takes the entry out of the list when the engine lets it go. */
static bool remove_one(struct engine *e, json_t *list, size_t at)
{
    const char *id = json_str(json_array_get(list, at), "Id");
    struct engine_request rq;
    rq_network_remove(&rq, id ? id : "");
    rq.missing_ok = true;
    if (!id || engine_do(NULL, e, &rq, NULL) < 0)
        return false;
    json_array_remove(list, at);
    return true;
}

int duplicates_remove(struct engine *e, const char *stack_name, struct error *err)
{
    auto_json json_t *list = NULL;
    struct engine_request rq;
    rq_networks(&rq, stack_name);
    if (engine_do(&list, e, &rq, err) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(list);) {
        const char *name = json_str_or(json_array_get(list, i), "Name", "");
        if (count_named(list, name) < 2 || !remove_one(e, list, i))
            i++;
    }
    return 0;
}
