/* Paths that changed, until it is quiet. */
#include "live/watch.h"

#include "base/clock.h"
#include "base/mem.h"

struct live_watch {
    struct loop *loop;
    struct watch_rules *rules;
    struct live_watch_handlers hd;
    struct loop_watch *files;
    struct strmap paths;
    size_t npaths;
    int64_t first_ms, last_ms; /* of the changes that are gathered */
    struct loop_timer *timer;
};

static char fresh_path;

static void look_later(struct live_watch *w);

static int64_t quiet_from(const struct live_watch *w)
{
    int64_t quiet = w->npaths < WATCH_BURST ? WATCH_QUIET_MS : WATCH_BURST_QUIET_MS;
    int64_t latest = w->first_ms + WATCH_LONGEST_MS;
    return w->last_ms + quiet < latest ? w->last_ms + quiet : latest;
}

static void on_time(void *ctx)
{
    struct live_watch *w = ctx;
    if (clock_ms() < quiet_from(w))
        look_later(w);
    else
        w->hd.due(w->hd.ctx);
}

/* One timer for many changes: it looks how it is when it runs. */
static void look_later(struct live_watch *w)
{
    loop_after(&w->timer, w->loop, quiet_from(w) - clock_ms(), on_time, w);
}

static bool skip(void *ctx, const char *dir)
{
    struct live_watch *w = ctx;
    return watch_rules_skip(w->rules, dir);
}

static void on_changed(void *ctx, const char *path, bool fresh)
{
    struct live_watch *w = ctx;
    bool matters = false;
    for (size_t i = 0; i < w->rules->len && !matters; i++)
        matters = watch_rule_matches(&w->rules->items[i], path);
    if (!matters)
        return;
    w->last_ms = clock_ms();
    if (strmap_has(&w->paths, path))
        return;
    strmap_set(&w->paths, path, fresh ? &fresh_path : NULL);
    if (w->npaths++ == 0) {
        w->first_ms = w->last_ms;
        look_later(w);
    }
}

static void on_trouble(void *ctx, const struct error *err)
{
    struct live_watch *w = ctx;
    w->hd.trouble(w->hd.ctx, err);
}

int live_watch_start(struct live_watch **out, struct loop *l, struct watch_rules *rules,
                     const struct live_watch_handlers *hd, struct error *err)
{
    struct live_watch *w = xnew(struct live_watch);
    struct loop_watch_handlers files = {
        .skip = skip, .changed = on_changed, .trouble = on_trouble, .ctx = w
    };
    auto_strv struct strv roots = STRV_INIT;
    w->loop = l;
    w->rules = rules;
    w->hd = *hd;
    vec_each (rule, rules)
        if (!strv_has(&roots, rule->path))
            strv_add(&roots, rule->path);
    if (loop_watch_start(&w->files, l, (const char *const *)roots.items, &files, err) < 0) {
        free(w);
        return -1;
    }
    *out = w;
    return 0;
}

void live_watch_take(struct watch_batch *out, struct live_watch *w)
{
    loop_timer_cancel(&w->timer);
    watch_rules_batch(out, w->rules, &w->paths);
    strmap_clear(&w->paths, NULL);
    w->npaths = 0;
}

void live_watch_cancel(struct live_watch **slot)
{
    struct live_watch *w = take(*slot);
    if (!w)
        return;
    loop_watch_cancel(&w->files);
    loop_timer_cancel(&w->timer);
    strmap_clear(&w->paths, NULL);
    free(w);
}
