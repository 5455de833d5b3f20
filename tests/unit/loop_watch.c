/* Watching files. Events come in order: when that of a last file is there, so are all before it. */
#include "unit.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/path.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "loop/watch.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

struct seen {
    struct loop *l;
    struct loop_watch *w;
    const char *dir, *skipped;
    struct strmap told; /* relative paths; -> &a_new_one when the first time said so */
    int times;
    char last[32];
    int flushes;
    bool done, cancel;
    struct error trouble;
};

static char a_new_one;

static bool is_skipped(void *ctx, const char *path)
{
    const struct seen *s = ctx;
    return s->skipped && strcmp(path_base(path), s->skipped) == 0;
}

static void on_changed(void *ctx, const char *path, bool fresh)
{
    struct seen *s = ctx;
    assert_true(path_below(s->dir, path));
    const char *name = path + strlen(s->dir) + (path[strlen(s->dir)] == '/');
    if (!strmap_has(&s->told, name))
        strmap_set(&s->told, name, fresh ? &a_new_one : (char *)s);
    s->times++;
    s->done |= strcmp(name, s->last) == 0 || s->cancel;
    if (s->cancel)
        loop_watch_cancel(&s->w);
}

static void on_trouble(void *ctx, const struct error *err)
{
    struct seen *s = ctx;
    error_copy(&s->trouble, err);
    s->done = true;
}

static void start(struct seen *s, const char *dir, const char *const *names)
{
    auto_error struct error err = ERROR_INIT;
    auto_strv struct strv roots = STRV_INIT;
    struct loop_watch_handlers hd = {
        .skip = is_skipped, .changed = on_changed, .trouble = on_trouble, .ctx = s
    };
    for (; *names; names++)
        strv_take(&roots, path_join(dir, *names));
    s->l = loop_new();
    s->dir = dir;
    assert_int_equal(loop_watch_start(&s->w, s->l, (const char *const *)roots.items, &hd, &err), 0);
}

static void start_here(struct seen *s, const char *dir)
{
    start(s, dir, (const char *const[]){ ".", NULL });
}

static void put(const char *path, const char *text)
{
    auto_error struct error err = ERROR_INIT;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void make_dirs(const char *path)
{
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(file_mkdirs(path, 0755, &err), 0);
}

/* Takes in all events up to now, by way of a file in the folder `where`. */
static void flush(struct seen *s, const char *where)
{
    char path[PATH_MAX];
    snprintf(s->last, sizeof(s->last), "%s%slast.%d", where, *where ? "/" : "", ++s->flushes);
    snprintf(path, sizeof(path), "%s/%s", s->dir, s->last);
    put(path, "");
    s->done = false;
    assert_true(loop_wait(s->l, &s->done));
}

static bool told_new(struct seen *s, const char *name)
{
    return strmap_remove(&s->told, name) == &a_new_one;
}

static bool told(struct seen *s, const char *name)
{
    return strmap_remove(&s->told, name) != NULL;
}

static void forget_all(struct seen *s)
{
    strmap_clear(&s->told, NULL);
    s->times = 0;
}

static void end(struct seen *s)
{
    loop_watch_cancel(&s->w);
    loop_free(s->l);
    strmap_clear(&s->told, NULL);
    error_clear(&s->trouble);
}

static void what_is_there_is_not_told_what_changes_is(void **state)
{
    struct seen s = { 0 };
    make_dirs("a/b");
    put("a/b/old", "1");
    put("gone", "1");
    put("still", "1");
    start_here(&s, *state);
    assert_int_equal(loop_watch_dirs(s.w), 4); /* with the one above */
    put("a/b/old", "2");
    put("a/new", "");
    unlink("gone");
    assert_int_equal(symlink("/etc/passwd", "a/link"), 0);
    chmod("a/b", 0700);
    flush(&s, "");
    assert_true(strmap_has(&s.told, "a/b/old") && !told_new(&s, "a/b/old"));
    assert_true(told_new(&s, "a/new"));
    assert_true(told(&s, "gone"));
    assert_true(told(&s, "a/link"));
    assert_true(told(&s, "a/b"));
    assert_false(told(&s, "still"));
    assert_false(told(&s, "a"));
    end(&s);
}

static void a_directory_made_in_a_hurry_is_told_whole(void **state)
{
    struct seen s = { 0 };
    start_here(&s, *state);
    /* All of it is there before the first event is read. */
    make_dirs("x/y/z");
    put("x/1", "");
    put("x/y/2", "");
    put("x/y/z/3", "");
    flush(&s, "");
    assert_true(told(&s, "x") && told(&s, "x/y") && told(&s, "x/y/z"));
    assert_true(told(&s, "x/1") && told(&s, "x/y/2") && told(&s, "x/y/z/3"));
    forget_all(&s);
    put("x/y/z/3", "again");
    flush(&s, "");
    assert_true(told(&s, "x/y/z/3"));
    end(&s);
}

static void a_moved_directory_is_told_at_both_places_and_stays_watched(void **state)
{
    struct seen s = { 0 };
    make_dirs("from/deep");
    make_dirs("to");
    put("from/deep/f", "");
    start_here(&s, *state);
    assert_int_equal(rename("from", "to/here"), 0);
    flush(&s, "");
    assert_true(told(&s, "from") && told(&s, "from/deep") && told(&s, "from/deep/f"));
    assert_true(told(&s, "to/here") && told(&s, "to/here/deep") && told(&s, "to/here/deep/f"));
    forget_all(&s);
    put("to/here/deep/f", "2");
    flush(&s, "");
    assert_true(told(&s, "to/here/deep/f"));
    assert_false(told(&s, "from/deep/f"));
    /* Moved out of what is watched: it is gone. */
    forget_all(&s);
    char out[PATH_MAX];
    snprintf(out, sizeof(out), "%s.out", (char *)*state);
    assert_int_equal(rename("to/here", out), 0);
    flush(&s, "");
    assert_true(told(&s, "to/here/deep/f"));
    assert_int_equal(loop_watch_dirs(s.w), 3);
    assert_int_equal(rename(out, "back"), 0);
    flush(&s, "");
    assert_true(told(&s, "back/deep/f"));
    end(&s);
}

/* The new parent is read before the event of the move has come. */
static void a_directory_moved_into_a_new_one_stays_watched(void **state)
{
    struct seen s = { 0 };
    make_dirs("old/child");
    start_here(&s, *state);
    make_dirs("fresh");
    assert_int_equal(rename("old", "fresh/old"), 0);
    flush(&s, "");
    assert_true(told(&s, "fresh/old/child"));
    put("fresh/old/child/f", "");
    flush(&s, "");
    assert_true(told(&s, "fresh/old/child/f"));
    end(&s);
}

static void a_directory_replaced_by_another_is_told_whole(void **state)
{
    struct seen s = { 0 };
    make_dirs("src");
    make_dirs("next");
    put("src/same", "1");
    put("src/less", "");
    put("next/same", "2");
    put("next/more", "");
    start_here(&s, *state);
    assert_int_equal(rename("src", "before"), 0);
    assert_int_equal(rename("next", "src"), 0);
    flush(&s, "");
    assert_true(told(&s, "src/same") && told(&s, "src/less") && told(&s, "src/more"));
    put("src/same", "3");
    forget_all(&s);
    flush(&s, "");
    put("src/same", "4");
    flush(&s, "");
    assert_true(told(&s, "src/same"));
    /* A file takes the place of a directory, and the other way round. */
    forget_all(&s);
    unlink("src/same");
    make_dirs("src/same/d");
    unlink("src/more");
    assert_int_equal(rename("before", "src/more"), 0);
    flush(&s, "");
    assert_true(told(&s, "src/same/d") && told(&s, "src/more/less"));
    end(&s);
}

static void what_is_skipped_is_not_looked_into(void **state)
{
    struct seen s = { .skipped = "node_modules" };
    make_dirs("a/node_modules/deep");
    start_here(&s, *state);
    assert_int_equal(loop_watch_dirs(s.w), 3);
    put("a/node_modules/deep/f", "");
    make_dirs("b/node_modules/x");
    flush(&s, "");
    assert_true(told(&s, "b"));
    assert_false(told(&s, "a/node_modules/deep/f"));
    assert_false(told(&s, "b/node_modules"));
    assert_int_equal(loop_watch_dirs(s.w), 4);
    end(&s);
}

static void a_root_may_be_a_file_or_come_later(void **state)
{
    struct seen s = { 0 };
    put("conf", "");
    put("beside", "");
    make_dirs("deep");
    start(&s, *state, (const char *const[]){ "conf", "deep/later/src", "deep", NULL });
    put("beside", "2");
    put("conf.tmp", "2");
    assert_int_equal(rename("conf.tmp", "conf"), 0); /* as editors save */
    make_dirs("deep/later/src/x");
    put("deep/later/src/x/f", "");
    flush(&s, "deep");
    assert_true(told(&s, "conf") && told(&s, "deep/later/src/x/f"));
    assert_false(told(&s, "beside"));
    assert_false(told(&s, "conf.tmp"));
    end(&s);
}

static void a_root_that_goes_with_all_above_it_comes_again(void **state)
{
    struct seen s = { 0 };
    make_dirs("p/q/src");
    put("p/q/src/f", "");
    char root[] = "p/q/src";
    start(&s, *state, (const char *const[]){ root, NULL });
    assert_int_equal(unlink("p/q/src/f") | rmdir("p/q/src") | rmdir("p/q") | rmdir("p"), 0);
    snprintf(s.last, sizeof(s.last), "%s", "p/q/src");
    assert_true(loop_wait(s.l, &s.done));
    make_dirs("p/q/src/new");
    put("p/q/src/new/f", "");
    flush(&s, root);
    assert_true(told(&s, "p/q/src/f") && told(&s, "p/q/src/new/f"));
    end(&s);
}

/* How many events the system keeps. */
static int queue_length(void)
{
    int n = 0;
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    assert_true(f && fscanf(f, "%d", &n) == 1);
    fclose(f);
    return n;
}

static void lost_events_make_everything_be_looked_at(void **state)
{
    struct seen s = { 0 };
    make_dirs("d");
    make_dirs("e");
    put("d/a", "");
    put("d/b", "");
    put("e/gone", "");
    start_here(&s, *state);
    flush(&s, "");
    int n = queue_length();
    for (int i = 0; i < n / 2 + 10; i++)
        assert_int_equal(chmod("d/a", i & 1 ? 0600 : 0644) | chmod("d/b", 0644), 0);
    unlink("e/gone");
    put("e/new", "");
    make_dirs("f/g");
    put("f/g/h", "");
    snprintf(s.last, sizeof(s.last), "%s", "f/g/h");
    s.done = false;
    assert_true(loop_wait(s.l, &s.done));
    assert_true(s.times >= n && s.times < n + 20); /* what came after was lost */
    assert_true(told(&s, "e/gone") && told(&s, "e/new") && told(&s, "d/a"));
    flush(&s, "");
    forget_all(&s);
    put("f/g/h", "2");
    flush(&s, "");
    assert_true(told(&s, "f/g/h"));
    end(&s);
}

static void it_can_be_cancelled_from_inside(void **state)
{
    struct seen s = { .cancel = true };
    start_here(&s, *state);
    put("a", "");
    put("b", "");
    assert_true(loop_wait(s.l, &s.done));
    assert_int_equal(s.times, 1);
    assert_null(s.w);
    end(&s);
}

static void what_is_too_deep_is_left_out(void **state)
{
    struct seen s = { 0 };
    int here = open(".", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < WATCH_MAX_DEPTH + 20; i++)
        assert_int_equal(mkdir("d", 0755) | chdir("d"), 0);
    assert_int_equal(fchdir(here), 0);
    close(here);
    start_here(&s, *state);
    assert_true(loop_watch_dirs(s.w) <= WATCH_MAX_DEPTH + 1);
    flush(&s, "");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(what_is_there_is_not_told_what_changes_is),
        with_dir(a_directory_made_in_a_hurry_is_told_whole),
        with_dir(a_moved_directory_is_told_at_both_places_and_stays_watched),
        with_dir(a_directory_moved_into_a_new_one_stays_watched),
        with_dir(a_directory_replaced_by_another_is_told_whole),
        with_dir(what_is_skipped_is_not_looked_into),
        with_dir(a_root_may_be_a_file_or_come_later),
        with_dir(a_root_that_goes_with_all_above_it_comes_again),
        with_dir(lost_events_make_everything_be_looked_at),
        with_dir(it_can_be_cancelled_from_inside),
        with_dir(what_is_too_deep_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
