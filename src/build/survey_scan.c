/*
 * The contexts of a survey: read on the worker pool, each folder once, by several threads.
 */
#include "build/survey.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/vec.h"

#define SCAN_PARTS 4 /* as many as the worker pool has threads */

/* One folder under one set of rules, for the images that share it. */
struct scan_job {
    struct scan_all *all;
    const struct context_place *place;
    const struct image *image; /* the first that needs it, for messages */
    struct scan *scan;
    struct scan_share {
        struct scan_job *job;
        size_t number;
    } shares[SCAN_PARTS];
    size_t running;
    char digest[DIGEST_HEX_LEN + 1];
    struct error err;
};

struct scan_all {
    struct {
        VEC(struct scan_job);
    } jobs;
    struct loop *loop;
    const char *cache_dir;
    size_t running;
    bool done;
};

static void job_done(void *ctx)
{
    struct scan_job *job = ctx;
    job->all->done = --job->all->running == 0;
}

static void end_work(void *ctx)
{
    struct scan_job *job = ctx;
    scan_end(NULL, job->digest, job->scan, &job->err);
}

static void share_work(void *ctx)
{
    struct scan_share *share = ctx;
    scan_part(share->job->scan, share->number);
}

static void share_done(void *ctx)
{
    struct scan_share *share = ctx;
    if (--share->job->running == 0)
        loop_work(share->job->all->loop, end_work, job_done, share->job);
}

static void begin_work(void *ctx)
{
    struct scan_job *job = ctx;
    scan_begin(&job->scan, job->place, job->all->cache_dir, SCAN_PARTS, &job->err);
}

static void begin_done(void *ctx)
{
    struct scan_job *job = ctx;
    if (job->err.kind) {
        job_done(job);
        return;
    }
    job->running = SCAN_PARTS;
    for (size_t i = 0; i < SCAN_PARTS; i++) {
        job->shares[i] = (struct scan_share){ job, i };
        loop_work(job->all->loop, share_work, share_done, &job->shares[i]);
    }
}

static struct scan_job *find_job(struct scan_all *all, const struct context_place *place)
{
    vec_each (job, &all->jobs)
        if (strcmp(job->place->root, place->root) == 0 && str_eq(job->place->ignore, place->ignore))
            return job;
    return NULL;
}

static int first_error(struct scan_all *all, struct error *err)
{
    int result = 0;
    vec_each (job, &all->jobs) {
        if (job->err.kind && result == 0) {
            error_move(err, &job->err);
            result = recipe_error(err, job->image);
        }
        error_clear(&job->err);
    }
    return result;
}

static void add_job(struct scan_all *all, const struct context_place *place,
                    const struct image *image)
{
    if (place->root && !find_job(all, place))
        *vec_push(&all->jobs) = (struct scan_job){ .place = place, .image = image };
}

static void set_core(struct survey_image *si, struct scan_all *all)
{
    const struct recipe *r = si->recipe;
    const char **folders = xcalloc(r->nfolders + 1, sizeof(*folders));
    for (size_t i = 0; i < r->nfolders; i++)
        folders[i] = find_job(all, &r->folders[i].place)->digest;
    recipe_digest(si->core, r, r->place.root ? find_job(all, &r->place)->digest : NULL, folders);
    free(folders);
}

int survey_scan(struct survey_detail *d, struct loop *l, struct error *err)
{
    auto_free char *cache_dir = survey_cache_dir();
    struct scan_all all = { .loop = l, .cache_dir = cache_dir };
    for (size_t i = 0; i < d->stack->nimages; i++) {
        const struct recipe *r = d->images[i].recipe;
        if (!r)
            continue;
        add_job(&all, &r->place, r->image);
        for (size_t k = 0; k < r->nfolders; k++)
            add_job(&all, &r->folders[k].place, r->image);
    }
    all.done = all.jobs.len == 0;
    all.running = all.jobs.len;
    vec_each (job, &all.jobs) {
        job->all = &all;
        loop_work(l, begin_work, begin_done, job);
    }
    loop_wait(l, &all.done);
    int result = first_error(&all, err);
    for (size_t i = 0; i < d->stack->nimages && result == 0; i++)
        if (d->images[i].recipe)
            set_core(&d->images[i], &all);
    vec_free(&all.jobs);
    return result;
}

char *survey_cache_dir(void)
{
    auto_error struct error err = ERROR_INIT;
    auto_free char *cache = path_cache_dir(&err);
    auto_free char *dir = cache ? path_join(cache, "contexts") : NULL;
    if (dir && file_mkdirs(dir, 0700, &err) == 0)
        return take(dir);
    log_debug("no stat cache: %s", err.msg);
    return NULL;
}
