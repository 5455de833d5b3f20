/* A burst of changes is one. */
#include "model_stack.h"

#include "base/clock.h"
#include "live/watch.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

struct seen {
    struct loop *l;
    struct loaded loaded;
    struct watch_rules *rules;
    struct live_watch *w;
    int times;
    bool due;
    struct loop_timer *timer;
    int writes;
};

static void on_due(void *ctx)
{
    struct seen *s = ctx;
    s->times++;
    s->due = true;
}

static void on_trouble(void *ctx, const struct error *err)
{
    (void)ctx;
    fail_msg("%s", err->msg);
}

static void start(struct seen *s)
{
    auto_error struct error err = ERROR_INIT;
    struct live_watch_handlers hd = { .due = on_due, .trouble = on_trouble, .ctx = s };
    bool selected[] = { true };
    s->l = loop_new();
    s->loaded = load_text("services:\n  web:\n    image: x\n    develop:\n      watch:\n"
                          "        - {path: ., target: /app, action: sync, ignore: [out/]}\n");
    assert_int_equal(watch_rules_make(&s->rules, s->loaded.stack, selected, &err), 0);
    assert_int_equal(live_watch_start(&s->w, s->l, s->rules, &hd, &err), 0);
}

static size_t next(struct seen *s)
{
    struct watch_batch b;
    s->due = false;
    assert_true(loop_wait(s->l, &s->due));
    live_watch_take(&b, s->w);
    size_t n = b.len ? b.items[0].files.len : 0;
    watch_batch_clear(&b);
    return n;
}

static void end(struct seen *s)
{
    loop_timer_cancel(&s->timer);
    live_watch_cancel(&s->w);
    watch_rules_free(s->rules);
    stack_free(s->loaded.stack);
    loop_free(s->l);
}

static void many_saves_are_one_batch(void **state)
{
    (void)state;
    struct seen s = { 0 };
    start(&s);
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "d%d/%d", i % 10, i);
        put(name, "x");
    }
    put("out/ignored", "x");
    assert_int_equal(next(&s), 1010);
    assert_int_equal(s.times, 1);
    put("one", "x");
    assert_int_equal(next(&s), 1);
    end(&s);
}

static void write_again(void *ctx)
{
    struct seen *s = ctx;
    put("busy", "x");
    s->writes++;
    loop_after(&s->timer, s->l, WATCH_QUIET_MS / 6, write_again, s);
}

/* It is never quiet. */
static void a_file_that_changes_all_the_time_is_taken_nevertheless(void **state)
{
    (void)state;
    struct seen s = { 0 };
    start(&s);
    int64_t begin = clock_ms();
    write_again(&s);
    assert_int_equal(next(&s), 1);
    assert_true(clock_ms() - begin >= WATCH_QUIET_MS);
    assert_true(s.writes > 1);
    end(&s);
}

static void what_changes_before_it_is_taken_is_in_it(void **state)
{
    (void)state;
    struct seen s = { 0 };
    start(&s);
    put("a", "x");
    assert_true(loop_wait(s.l, &s.due));
    put("b", "x");
    assert_int_equal(s.times, 1);
    struct watch_batch b;
    live_watch_take(&b, s.w); /* b is told in a later turn */
    assert_int_equal(b.items[0].files.len, 1);
    watch_batch_clear(&b);
    assert_int_equal(next(&s), 1);
    assert_int_equal(s.times, 2);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(many_saves_are_one_batch),
        with_dir(a_file_that_changes_all_the_time_is_taken_nevertheless),
        with_dir(what_changes_before_it_is_taken_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
