/* Files for the engine, which is played by a client in the same process. */
#include "model_stack.h"

#include <fcntl.h>
#include <sys/time.h>

#include "../support/caller.h"
#include "base/mem.h"
#include "base/pb.h"
#include "build/filesync.h"
#include "build/follow.h"

struct fixture {
    struct loop *l;
    struct context_place place;
    struct context *context;
    struct filesync *files;
    struct grpc *g;
    struct caller *c;
    bool gone;
};

static void rescan(struct fixture *f)
{
    context_free(f->context);
    f->context = NULL;
    assert_int_equal(context_scan(&f->context, &f->place, NULL, NULL, NULL), 0);
}

static void on_gone(void *ctx)
{
    ((struct fixture *)ctx)->gone = true;
}

/* The folder `ctx` as it stands. */
static void fixture_open(struct fixture *f, const char *dir)
{
    *f = (struct fixture){ .l = loop_new() };
    f->place.root = xasprintf("%s/ctx", dir);
    rescan(f);
    const struct filesync_input in = { f->place.root, f->context, "Dockerfile", "FROM x\n", 7 };
    f->files = filesync_new(f->l, &in);
    assert_int_equal(grpc_open(&f->g, NULL), 0);
    grpc_serve(f->g, &filesync_diff_copy, f->files);
    f->c = caller_new();
}

static void fixture_close(struct fixture *f)
{
    grpc_free(f->g);
    caller_free(f->c);
    filesync_free(f->files, on_gone, f);
    loop_wait(f->l, &f->gone);
    assert_true(f->gone);
    context_free(f->context);
    loop_free(f->l);
    free((void *)(uintptr_t)f->place.root);
}
#define auto_fixture __attribute__((unused, cleanup(fixture_close)))

/* What the engine got. */
struct packet {
    uint64_t type, id, mode, size;
    int64_t time;
    bool stat;
    char *path, *link;
    struct pb data;
};

static void packet_clear(struct packet *p)
{
    free(p->path);
    free(p->link);
}

static void read_stat(struct packet *p, struct pb in)
{
    struct pb_field f;
    p->stat = true;
    while (pb_more(&in)) {
        assert_true(pb_next(&in, &f));
        if (f.number == 1)
            p->path = pb_text(&f.bytes);
        else if (f.number == 2)
            p->mode = f.value;
        else if (f.number == 5)
            p->size = f.value;
        else if (f.number == 6)
            p->time = (int64_t)f.value;
        else if (f.number == 7)
            p->link = pb_text(&f.bytes);
        else
            assert_true(f.number == 8 || f.number == 9); /* owners are left out: root */
    }
}

static bool next_packet(struct packet *p, const struct call *call, size_t *at)
{
    size_t len;
    const char *message = caller_message(call, at, &len);
    *p = (struct packet){ 0 };
    if (!message)
        return false;
    struct pb in = pb_of(message, len);
    struct pb_field f;
    while (pb_more(&in)) {
        assert_true(pb_next(&in, &f));
        if (f.number == 1)
            p->type = f.value;
        else if (f.number == 2)
            read_stat(p, f.bytes);
        else if (f.number == 3)
            p->id = f.value;
        else if (f.number == 4)
            p->data = f.bytes;
    }
    return true;
}

static struct call *ask(struct fixture *f, const char *const *metadata)
{
    return caller_start(f->c, filesync_diff_copy.path, metadata);
}

static const char *const whole[] = { "dir-name", "context", NULL };

static void say(struct call *call, unsigned type, unsigned id)
{
    auto_str struct str packet = STR_INIT;
    pb_add_uint(&packet, 1, type);
    pb_add_uint(&packet, 3, id);
    caller_send(call, packet.buf, packet.len);
}

struct turn {
    struct fixture *f;
    const struct call *call;
    size_t bytes;
    bool done;
};

static void turn(void *ctx)
{
    struct turn *t = ctx;
    assert_int_equal(caller_exchange(t->f->c, t->f->g, 10000), 0);
    t->done = t->call->closed || t->call->status >= 0 || t->call->total >= t->bytes;
    if (!t->done)
        loop_defer(t->f->l, turn, t);
}

/* Until the call has ended, or so many bytes have come. */
static void exchange_until(struct fixture *f, const struct call *call, size_t bytes)
{
    struct turn t = { f, call, bytes, false };
    loop_defer(f->l, turn, &t);
    loop_wait(f->l, &t.done);
}

/* Everything up to the STAT that ends the list, as lines "path mode size [-> link]"; the mode as Go
 * has it. */
static char *listing(struct fixture *f, struct call *call, size_t *at)
{
    struct str out = STR_INIT;
    struct packet p;
    for (bool last = false; !last;) {
        while (!next_packet(&p, call, at)) {
            assert_false(call->closed);
            exchange_until(f, call, call->total + 1);
        }
        assert_int_equal(p.type, 0);
        last = !p.stat;
        if (p.stat)
            str_addf(&out, "%s %llx %llu%s%s\n", p.path, (unsigned long long)p.mode,
                     (unsigned long long)p.size, p.link ? " -> " : "", p.link ? p.link : "");
        packet_clear(&p);
    }
    return str_detach(&out);
}

static void assert_listing(struct fixture *f, const char *const *metadata, const char *expected)
{
    struct call *call = ask(f, metadata);
    size_t at = 0;
    auto_free char *text = listing(f, call, &at);
    assert_string_equal(text, expected);
    say(call, 3, 0);
    caller_end(call);
    exchange_until(f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_OK);
    struct packet p;
    assert_true(next_packet(&p, call, &at));
    assert_int_equal(p.type, 3);
    assert_false(next_packet(&p, call, &at));
}

static void a_tree(void)
{
    put("ctx/a/x", "x");
    put("ctx/a-b", "dash");
    put("ctx/a.c", "dot");
    put("ctx/run", "#!");
    put("ctx/empty", "");
    assert_int_equal(mkdir("ctx/none", 01777), 0);
    assert_int_equal(chmod("ctx/none", 01777), 0);
    assert_int_equal(chmod("ctx/run", 04711), 0);
    assert_int_equal(symlink("../../etc", "ctx/link"), 0);
    assert_int_equal(mkfifo("ctx/pipe", 0600), 0);
}

static void what_is_there_in_order_with_modes(void **state)
{
    a_tree();
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    assert_listing(&f, whole,
                   "a 800001ed 0\na/x 1a4 1\na-b 1a4 4\na.c 1a4 3\nempty 1a4 0\n"
                   "link 80001ff 9 -> ../../etc\nnone 801001ed 0\npipe 2000180 0\nrun 8001c9 2\n");
}

static void files_when_they_are_asked_for(void **state)
{
    a_tree();
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    struct call *call = ask(&f, whole);
    size_t at = 0;
    free(listing(&f, call, &at));
    say(call, 1, 2);
    say(call, 1, 4);
    say(call, 1, 1);
    say(call, 3, 0);
    exchange_until(&f, call, SIZE_MAX);
    static const struct {
        unsigned type, id;
        const char *data;
    } expected[] = { { 2, 2, "dash" }, { 2, 2, "" }, { 2, 4, "" },
                     { 2, 1, "x" },    { 2, 1, "" }, { 3, 0, "" } };
    struct packet p;
    for (size_t i = 0; i < countof(expected); i++) {
        assert_true(next_packet(&p, call, &at));
        assert_int_equal(p.type, expected[i].type);
        assert_int_equal(p.id, expected[i].id);
        assert_int_equal(pb_len(&p.data), strlen(expected[i].data));
        assert_memory_equal(p.data.p, expected[i].data, strlen(expected[i].data));
    }
    assert_false(next_packet(&p, call, &at));
    assert_int_equal(call->status, GRPC_OK);
    assert_null(filesync_error(f.files));
}

static void the_dockerfile_is_what_the_build_says(void **state)
{
    static const char *const metadata[] = { "dir-name", "dockerfile", "followpaths", "Dockerfile",
                                            NULL };
    put("ctx/Dockerfile", "FROM elsewhere\n");
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    struct call *call = ask(&f, metadata);
    size_t at = 0;
    auto_free char *text = listing(&f, call, &at);
    assert_string_equal(text, "Dockerfile 1a4 7\n");
    say(call, 1, 0);
    say(call, 3, 0);
    exchange_until(&f, call, SIZE_MAX);
    struct packet p;
    assert_true(next_packet(&p, call, &at));
    assert_memory_equal(p.data.p, "FROM x\n", 7);
    assert_int_equal(call->status, GRPC_OK);
}

static void only_what_is_followed(void **state)
{
    put("ctx/a/deep/one", "1");
    put("ctx/a/deep/two", "2");
    put("ctx/a/other", "3");
    put("ctx/b/x.c", "4");
    put("ctx/b/x.h", "5");
    put("ctx/b y", "6");
    assert_int_equal(symlink("a/deep", "ctx/link"), 0);
    assert_int_equal(symlink("/b/x.h", "ctx/absolute"), 0);
    assert_int_equal(symlink("../../../b", "ctx/a/out"), 0);
    assert_int_equal(symlink("loop", "ctx/loop"), 0);
    static const struct {
        const char *path;
        const char *wanted; /* names of the entries, without the folders that hold them */
    } cases[] = {
        { "a/deep/one", "a a/deep a/deep/one " },
        { "/a/deep/", "a a/deep a/deep/one a/deep/two " },
        { "./a/../a/other", "a a/other " },
        { "link/two", "a a/deep a/deep/two link " },
        { "link", "a a/deep a/deep/one a/deep/two link " },
        { "absolute", "absolute b b/x.h " },
        { "a/out/x.c", "a a/out b b/x.c " },
        { "b/*.h", "b b/x.h " },
        { "*/x.?", "absolute b b/x.c b/x.h link loop " },
        { "[b]/x.c", "absolute b b/x.c link loop " },
        { "nothing/here", "" },
        { "../../b/x.c", "b b/x.c " },
        { "loop", "loop " },
        { "", "*" },
        { ".", "*" },
    };
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    for (size_t i = 0; i < countof(cases); i++) {
        auto_strv struct strv paths = STRV_INIT;
        auto_str struct str got = STR_INIT;
        strv_add(&paths, cases[i].path);
        auto_free bool *wanted = follow_paths(f.context, &paths);
        bool all = true;
        for (size_t k = 0; k < f.context->len; k++) {
            all = all && wanted[k];
            if (wanted[k])
                str_addf(&got, "%s ", f.context->entries[k].path);
        }
        if (strcmp(cases[i].wanted, "*") == 0 ? !all : strcmp(cases[i].wanted, got.buf) != 0)
            fail_msg("'%s': %s", cases[i].path, got.buf);
    }
    static const char *const encoded[] = { "dir-name",    "context",     "followpaths-encoded",
                                           "1",           "followpaths", "b+y",
                                           "followpaths", "a%2fother",   NULL };
    assert_listing(&f, encoded, "a 800001ed 0\na/other 1a4 1\nb y 1a4 1\n");
}

/* The engine compares size and time: a change under an old time must change what it is told. */
static void a_change_under_an_old_time(void **state)
{
    const struct timeval old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
    int64_t times[3];
    for (int i = 0; i < 3; i++) {
        put("ctx/file", i == 1 ? "two" : "one");
        assert_int_equal(utimes("ctx/file", old), 0);
        auto_fixture struct fixture f;
        fixture_open(&f, *state);
        struct call *call = ask(&f, whole);
        struct packet p;
        size_t at = 0;
        exchange_until(&f, call, 1);
        assert_true(next_packet(&p, call, &at));
        times[i] = p.time;
        packet_clear(&p);
        assert_int_equal(times[i] / 1000000000, 1000000000);
    }
    assert_true(times[0] != times[1]);
    assert_true(times[0] == times[2]);
}

static void a_file_that_changed_ends_it(void **state)
{
    put("ctx/file", "one");
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    struct call *call = ask(&f, whole);
    size_t at = 0;
    free(listing(&f, call, &at));
    put("ctx/file", "other");
    say(call, 1, 0);
    exchange_until(&f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_INTERNAL);
    const struct error *err = filesync_error(f.files);
    assert_non_null(err);
    assert_int_equal(err->kind, ERR_INPUT);
    assert_non_null(strstr(err->msg, "ctx/file' changed while it was sent"));
}

static void questions_without_sense(void **state)
{
    static const struct {
        unsigned type[2], id[2];
        size_t n;
    } cases[] = { { { 1 }, { 7 }, 1 },       /* no such number */
                  { { 1 }, { 0 }, 1 },       /* a folder */
                  { { 1, 1 }, { 1, 1 }, 2 }, /* twice */
                  { { 4 }, { 0 }, 1 } };     /* the engine gives up */
    put("ctx/a/file", "one");
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    for (size_t i = 0; i < countof(cases); i++) {
        struct call *call = ask(&f, whole);
        for (size_t k = 0; k < cases[i].n; k++)
            say(call, cases[i].type[k], cases[i].id[k]);
        exchange_until(&f, call, SIZE_MAX);
        assert_int_equal(call->status, GRPC_INVALID_ARGUMENT);
    }
    struct call *call = ask(&f, whole);
    caller_send(call, "\x08", 1);
    exchange_until(&f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_INVALID_ARGUMENT);
    static const char *const other[] = { "dir-name", "home", NULL };
    call = ask(&f, other);
    exchange_until(&f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_NOT_FOUND);
    call = ask(&f, NULL);
    exchange_until(&f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_NOT_FOUND);
}

/* A reader that stops makes the reading of the file stop; a call may go at any time. */
static void a_large_file_in_little_memory(void **state)
{
    enum { SIZE = 100 << 20 };
    put("ctx/big", "");
    assert_int_equal(truncate("ctx/big", SIZE), 0);
    auto_fixture struct fixture f;
    fixture_open(&f, *state);
    struct call *call = ask(&f, whole);
    size_t at = 0;
    free(listing(&f, call, &at));
    caller_stop_reading(f.c);
    say(call, 1, 0);
    exchange_until(&f, call, 60000);
    assert_true(call->total < 70000);
    caller_go_on_reading(f.c);
    str_truncate(&call->in, 0);
    while (call->total < SIZE) {
        size_t goal = call->total + (1 << 20);
        exchange_until(&f, call, goal < SIZE ? goal : SIZE);
        str_truncate(&call->in, 0);
    }
    say(call, 3, 0);
    exchange_until(&f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_OK);

    struct call *other = ask(&f, whole);
    say(other, 1, 0);
    exchange_until(&f, other, 1 << 20);
    caller_reset(other);
    exchange_until(&f, other, SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
        IN_FOLDER(what_is_there_in_order_with_modes),
        IN_FOLDER(files_when_they_are_asked_for),
        IN_FOLDER(the_dockerfile_is_what_the_build_says),
        IN_FOLDER(only_what_is_followed),
        IN_FOLDER(a_change_under_an_old_time),
        IN_FOLDER(a_file_that_changed_ends_it),
        IN_FOLDER(questions_without_sense),
        IN_FOLDER(a_large_file_in_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
