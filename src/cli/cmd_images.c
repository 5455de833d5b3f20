/* `stack images`: what the containers of the stack were made from. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/strmap.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "engine/requests.h"
#include "text/imageref.h"

struct images_options {
    bool quiet;
    const char *format;
};
#define OPTIONS images_options

static const char *const formats[] = { "table", "json", NULL };
static const struct option rows[] = {
    ROW_CHOICE(0, "format", format, formats, "Form of the output"),
    ROW_FLAG('q', "quiet", quiet, "Only ids"),
};

static const struct listing_column columns[] = {
    { "CONTAINER", "ContainerName" }, { "REPOSITORY", "Repository" }, { "TAG", "Tag" },
    { "PLATFORM", "Platform" },       { "IMAGE ID", "ID" },           { "SIZE", "Size" },
    { "CREATED", "Created" },
};

/* Inspections under way, side by side: answers by image id. */
struct inspections {
    struct strmap answers; /* id -> json_t *, NULL while it is asked or when it is gone */
    size_t pending;
    bool done;
    struct error err;
};

struct inspection {
    struct inspections *all;
    char *id;
};

static void on_inspected(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct inspection *one = ctx;
    struct inspections *all = one->all;
    if (!err) {
        strmap_set(&all->answers, one->id, json_incref(answer->json));
    } else if (!(err->kind == ERR_ENGINE && err->code == 404) && !all->err.kind) {
        error_copy(&all->err, err);
        error_wrap(&all->err, "look at image %.19s", one->id);
    }
    all->done = --all->pending == 0;
    free(one->id);
    free(one);
}

static void free_answer(void *answer)
{
    json_decref(answer);
}

static int inspect_all(struct inspections *all, struct cli *cli, const struct snapshot *now,
                       struct error *err)
{
    for (size_t i = 0; i < now->ncontainers; i++) {
        const char *id = now->containers[i].image_id;
        if (!*id || strmap_has(&all->answers, id))
            continue;
        struct inspection *one = xnew(struct inspection);
        struct engine_request rq;
        one->all = all;
        one->id = xstrdup(id);
        strmap_set(&all->answers, id, NULL);
        all->pending++;
        rq_image_inspect(&rq, id);
        engine_start(cli->engine, &rq,
                     &(struct engine_handlers){ .done = on_inspected, .ctx = one });
    }
    if (all->pending)
        loop_wait(cli_loop(cli), &all->done);
    return all->err.kind ? error_move(err, &all->err) : 0;
}

static void add_row(struct listing *l, struct cli *cli, const struct seen_container *c,
                    const json_t *image)
{
    char size[NUM_TEXT_MAX], age[NUM_TEXT_MAX];
    struct imageref ref = { 0 };
    if (imageref_parse(&ref, cli->arena, c->image, NULL) < 0 || str_starts(c->image, "sha256:"))
        ref = (struct imageref){ .name = "<none>" };
    const char *tag = ref.tag ? ref.tag : "<none>";
    const char *variant = json_str_or(image, "Variant", "");
    auto_free char *platform =
        image ? xasprintf("%s/%s%s%s", json_str_or(image, "Os", ""),
                          json_str_or(image, "Architecture", ""), *variant ? "/" : "", variant)
              : xstrdup("");
    int64_t bytes = json_int(image, "Size", 0), created_ns = 0;
    bool dated = clock_parse_rfc3339(&created_ns, json_str_or(image, "Created", "")) == 0;
    int64_t seconds = (clock_unix_ns() - created_ns) / 1000000000;
    auto_free char *created = dated ? xasprintf("%s ago", listing_age(age, seconds)) : xstrdup("");
    const char *hex = str_starts(c->image_id, "sha256:") ? c->image_id + 7 : c->image_id;
    auto_free char *id = xstrndup(hex, 12);
    const char *const cells[] = { c->name,  ref.name, tag,
                                  platform, id,       image ? num_size_text(size, bytes) : "gone",
                                  created };
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "ID", c->image_id, "ContainerName",
                            c->name, "Repository", ref.name, "Tag", tag, "Platform", platform,
                            "Size", (json_int_t)bytes);
    json_object_set_new(row, "Created", json_string(json_str_or(image, "Created", "")));
    json_object_set_new(row, "LastTagTime",
                        json_string(json_str_or(image, "Metadata.LastTagTime", "")));
    listing_add(l, row, cells);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct images_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    struct inspections all = { 0 };
    int code = inspect_all(&all, cli, now, err);
    auto_(listing_freep) struct listing *l = listing_new(columns, countof(columns));
    auto_strv struct strv ids = STRV_INIT;
    for (size_t i = 0; code == 0 && i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (args->len && !strv_has(args, c->service))
            continue;
        add_row(l, cli, c, strmap_get(&all.answers, c->image_id));
        if (!strv_has(&ids, c->image_id))
            strv_add(&ids, c->image_id);
    }
    strmap_clear(&all.answers, free_answer);
    if (code == 0 && !o->quiet)
        code = listing_print(l, o->format, false, false, stdout, err);
    for (size_t i = 0; code == 0 && o->quiet && i < ids.len; i++)
        listing_line(stdout, str_starts(ids.items[i], "sha256:") ? ids.items[i] + 7 : ids.items[i]);
    return code;
}

extern const struct command cmd_images;
const struct command cmd_images = {
    .name = "images",
    .group = "Images",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "List the images that the containers of the stack were made from",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct images_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
