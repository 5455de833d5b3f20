/* The engine room against a real engine: what the scripted peers of the unit tests stand for. */
#include "../unit/unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/frames.h"
#include "engine/requests.h"
#include "model/labels.h"

#define IMAGE "busybox:latest"

struct fixture {
    struct loop *l;
    struct engine *e;
    char *name; /* of the container, and of the stack */
    char *id;
};

/* --- straight-line helpers: each fails the test on an error --- */

static json_t *ask(struct fixture *f, struct engine_request *rq)
{
    auto_error struct error err = ERROR_INIT;
    json_t *json = NULL;
    if (engine_do(&json, f->e, rq, &err))
        fail_msg("%s (%s)", err.msg, err.hint ? err.hint : "no hint");
    return json;
}

/* `call` fills the caller's rq. */
#define ASK(f, call)                \
    do {                            \
        call;                       \
        json_decref(ask((f), &rq)); \
    } while (0)

#define REFUSED(f, want, call)                                         \
    do {                                                               \
        auto_error struct error refused_ = ERROR_INIT;                 \
        call;                                                          \
        assert_int_equal(engine_do(NULL, (f)->e, &rq, &refused_), -1); \
        assert_int_equal(refused_.kind, ERR_ENGINE);                   \
        assert_int_equal(refused_.code, want);                         \
        assert_true(refused_.msg[0] != '\0');                          \
    } while (0)

static json_t *labels(struct fixture *f)
{
    return json_pack("{s:s}", LABEL_STACK, f->name);
}

/* Makes the container, which runs `script`. */
static void create(struct fixture *f, const char *script, bool with_stdin)
{
    json_t *body =
        json_pack("{s:s, s:[sss], s:b, s:b, s:b, s:b, s:b, s:o, s:{s:s}}", "Image", IMAGE, "Cmd",
                  "sh", "-c", script, "OpenStdin", with_stdin, "StdinOnce", with_stdin,
                  "AttachStdin", with_stdin, "AttachStdout", 1, "AttachStderr", 1, "Labels",
                  labels(f), "HostConfig", "NetworkMode", "none");
    struct engine_request rq;
    rq_container_create(&rq, f->name, NULL, body);
    auto_json json_t *made = ask(f, &rq);
    assert_non_null(json_str(made, "Id"));
    free(f->id);
    f->id = xstrdup(json_str(made, "Id"));
}

static void wait_for(struct fixture *f, const bool *done)
{
    assert_true(loop_wait(f->l, done));
}

static int setup(void **state)
{
    struct fixture *f = xnew(struct fixture);
    auto_error struct error err = ERROR_INIT;
    f->l = loop_new();
    f->name = xasprintf("stack-test-api-%d", (int)getpid());
    *state = f;
    if (engine_open(&f->e, f->l, NULL, &err) || engine_ready(f->e, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    rq_container_remove(&rq, f->name, true, true);
    int rc = engine_do(NULL, f->e, &rq, NULL);
    engine_close(f->e);
    loop_free(f->l);
    free(f->name);
    free(f->id);
    free(f);
    return rc;
}

/* --- streams --- */

struct stream {
    struct frames frames;
    struct str out, err;
    struct str values; /* JSON values, as text */
    int status;
    const char *awaited; /* sets `seen` once values hold it */
    bool open, done, seen;
    struct error error;
    bool raw;
};

static void on_frame(void *ctx, int stream, const char *data, size_t len)
{
    struct stream *s = ctx;
    str_addn(stream == 2 ? &s->err : &s->out, data, len);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct stream *s = ctx;
    if (s->raw)
        str_addn(&s->out, data, len);
    else
        assert_int_equal(frames_feed(&s->frames, data, len, on_frame, s, NULL), 0);
}

static void on_json(void *ctx, json_t *value)
{
    struct stream *s = ctx;
    auto_free char *text = json_dumps(value, JSON_COMPACT);
    str_addf(&s->values, "%s\n", text);
    s->seen = s->awaited && strstr(s->values.buf, s->awaited);
}

static void on_open(void *ctx)
{
    struct stream *s = ctx;
    s->open = true;
}

static void on_done(void *ctx, const struct engine_answer *a, const struct error *err)
{
    struct stream *s = ctx;
    s->done = true;
    s->status = a ? (int)json_int(a->json, "StatusCode", -1) : -1;
    if (err)
        error_copy(&s->error, err);
}

static void on_closed(void *ctx, const struct error *err)
{
    struct stream *s = ctx;
    s->done = true;
    if (err)
        error_copy(&s->error, err);
}

static struct engine_call *start(struct fixture *f, struct stream *s, struct engine_request *rq)
{
    struct engine_handlers hd = {
        .on_json = on_json, .on_data = on_data, .on_open = on_open, .done = on_done, .ctx = s
    };
    s->out = s->err = s->values = STR_INIT;
    return engine_start(f->e, rq, &hd);
}

static struct hijack *hijack(struct fixture *f, struct stream *s, const char *before,
                             const char *id, const char *after, json_t *body)
{
    struct hijack_handlers hd = { .open = on_open, .data = on_data, .closed = on_closed, .ctx = s };
    auto_free char *path = xasprintf("%s%s%s", before, id, after);
    auto_json json_t *owned = body;
    s->out = s->err = s->values = STR_INIT;
    return engine_hijack(f->e, path, "tcp", NULL, owned, &hd);
}

static void clear(struct stream *s)
{
    str_clear(&s->out);
    str_clear(&s->err);
    str_clear(&s->values);
    error_clear(&s->error);
}

/* --- tests --- */

static void the_version_is_known(void **state)
{
    struct fixture *f = *state;
    assert_in_range(engine_api(f->e), ENGINE_API_MIN, ENGINE_API_MAX);
    assert_non_null(engine_server(f->e));
    struct engine_request rq;
    rq_version(&rq);
    auto_json json_t *version = ask(f, &rq);
    assert_non_null(json_str(version, "ApiVersion"));
}

static void a_container_from_attach_to_exit(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    create(f, "read x; echo out-$x; echo err >&2; exit 4", true);

    const char *actions[] = { "start", "die" };
    struct stream events = { .awaited = "\"exitCode\":\"4\"" }, exit = { 0 }, attached = { 0 };
    rq_events(&rq, f->name, NULL, NULL, actions, 2);
    struct engine_call *listening = start(f, &events, &rq);
    rq_container_wait(&rq, f->name, "next-exit");
    start(f, &exit, &rq);
    struct hijack *j = hijack(f, &attached, "/containers/", f->name,
                              "/attach?stream=1&stdin=1&stdout=1&stderr=1", NULL);
    wait_for(f, &events.open);
    wait_for(f, &attached.open);
    wait_for(f, &exit.open);

    ASK(f, rq_container_start(&rq, f->name));
    ASK(f, rq_container_start(&rq, f->name)); /* it is so already: no error */
    hijack_write(j, "typed\n", 6);
    hijack_end_write(j);
    wait_for(f, &attached.done);
    wait_for(f, &exit.done);
    assert_null(attached.error.msg);
    assert_string_equal(attached.out.buf, "out-typed\n");
    assert_string_equal(attached.err.buf, "err\n");
    assert_int_equal(exit.status, 4);
    assert_non_null(strstr(events.values.buf, "\"Action\":\"start\""));
    wait_for(f, &events.seen);
    engine_cancel(listening);

    struct stream logs = { 0 };
    struct logs_options all = { .tail = -1 };
    rq_container_logs(&rq, f->name, &all);
    start(f, &logs, &rq);
    wait_for(f, &logs.done);
    assert_string_equal(logs.out.buf, "out-typed\n");
    assert_string_equal(logs.err.buf, "err\n");

    rq_containers(&rq, f->name, true);
    auto_json json_t *list = ask(f, &rq);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_str(json_array_get(list, 0), "Id"), f->id);
    clear(&events);
    clear(&exit);
    clear(&attached);
    clear(&logs);
}

static void exec_with_and_without_input(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    create(f, "trap exit TERM; while :; do sleep 60 & wait; done", false);
    ASK(f, rq_container_start(&rq, f->name));

    rq_exec_create(&rq, f->name,
                   json_pack("{s:b, s:b, s:b, s:[sss]}", "AttachStdin", 1, "AttachStdout", 1,
                             "AttachStderr", 1, "Cmd", "sh", "-c", "cat; echo done >&2; exit 3"));
    auto_json json_t *made = ask(f, &rq);
    struct stream s = { 0 };
    struct hijack *j = hijack(f, &s, "/exec/", json_str(made, "Id"), "/start",
                              json_pack("{s:b, s:b}", "Detach", 0, "Tty", 0));
    hijack_write(j, "through cat", 11);
    hijack_end_write(j);
    wait_for(f, &s.done);
    assert_null(s.error.msg);
    assert_string_equal(s.out.buf, "through cat");
    assert_string_equal(s.err.buf, "done\n");
    clear(&s);

    rq_exec_create(&rq, f->name,
                   json_pack("{s:b, s:b, s:[sss]}", "AttachStdout", 1, "AttachStderr", 1, "Cmd",
                             "sh", "-c", "echo out; echo err >&2"));
    auto_json json_t *second = ask(f, &rq);
    struct stream plain = { 0 };
    rq_exec_start(&rq, json_str(second, "Id"));
    start(f, &plain, &rq);
    wait_for(f, &plain.done);
    assert_null(plain.error.msg);
    assert_string_equal(plain.out.buf, "out\n");
    assert_string_equal(plain.err.buf, "err\n");
    clear(&plain);

    rq_exec_inspect(&rq, json_str(made, "Id"));
    auto_json json_t *state_of = ask(f, &rq);
    assert_int_equal(json_int(state_of, "ExitCode", -1), 3);
}

/* The headers of a stream come at once, long before there is anything to tell. */
static void silent_streams_open_at_once(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    create(f, "trap exit TERM; while :; do sleep 60 & wait; done", false);
    ASK(f, rq_container_start(&rq, f->name));
    struct stream logs = { 0 }, exit = { 0 };
    struct logs_options follow = { .follow = true, .tail = -1 };
    rq_container_logs(&rq, f->name, &follow);
    rq.silence_ms = 5000;
    start(f, &logs, &rq);
    rq_container_wait(&rq, f->name, "not-running");
    rq.silence_ms = 5000;
    start(f, &exit, &rq);
    wait_for(f, &logs.open);
    wait_for(f, &exit.open);
    assert_false(logs.done || exit.done);
    ASK(f, rq_container_stop(&rq, f->name, NULL, 5));
    wait_for(f, &logs.done);
    wait_for(f, &exit.done);
    assert_null(logs.error.msg);
    assert_null(exit.error.msg);
    clear(&logs);
    clear(&exit);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    create(f, "true", false);
    REFUSED(f, 404, rq_container_inspect(&rq, "stack-test-api-none"));
    REFUSED(f, 404, rq_container_start(&rq, "stack-test-api-none"));
    REFUSED(f, 409, rq_container_create(&rq, f->name, NULL, json_pack("{s:s}", "Image", IMAGE)));
    REFUSED(f, 404, rq_image_inspect(&rq, "stack-test-api/none:1"));
    ASK(f, rq_container_remove(&rq, f->name, true, true));
    ASK(f, rq_container_remove(&rq, f->name, true, true)); /* gone already */

    struct stream s = { 0 };
    hijack(f, &s, "/containers/", "stack-test-api-none", "/attach?stream=1&stdout=1", NULL);
    wait_for(f, &s.done);
    assert_int_equal(s.error.kind, ERR_ENGINE);
    assert_int_equal(s.error.code, 404);
    assert_non_null(strstr(s.error.msg, "stack-test-api-none"));
    clear(&s);
}

static void a_pull_that_fails_says_so(void **state)
{
    struct fixture *f = *state;
    struct stream s = { 0 };
    struct engine_request rq;
    rq_image_pull(&rq, "127.0.0.1:1/stack-test-api", "none", NULL, NULL);
    start(f, &s, &rq);
    wait_for(f, &s.done);
    /* Engines differ: an HTTP error, or an error inside a stream that begins well. */
    assert_true(s.error.kind == ERR_ENGINE || strstr(s.values.buf, "\"error\""));
    clear(&s);
}

static void networks_and_volumes(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    const char *names[] = { f->name };
    ASK(f, rq_network_create(&rq, json_pack("{s:s, s:b, s:o}", "Name", f->name, "Internal", 1,
                                            "Labels", labels(f))));
    ASK(f, rq_volume_create(&rq, json_pack("{s:s, s:o}", "Name", f->name, "Labels", labels(f))));
    rq_networks(&rq, f->name);
    auto_json json_t *by_label = ask(f, &rq);
    rq_networks_named(&rq, names, 1);
    auto_json json_t *by_name = ask(f, &rq);
    rq_volumes(&rq, f->name);
    auto_json json_t *volumes = ask(f, &rq);
    for (int i = 0; i < 2; i++) { /* the second time it is gone already */
        ASK(f, rq_network_remove(&rq, f->name));
        ASK(f, rq_volume_remove(&rq, f->name, false));
    }
    assert_int_equal(json_array_size(by_label), 1);
    assert_true(json_equal(by_label, by_name));
    assert_int_equal(json_array_size(json_at(volumes, "Volumes")), 1);
}

/* --- tar, by hand: one file --- */

static struct str tar_of(const char *name, const char *text)
{
    struct str tar = STR_INIT;
    char header[512] = { 0 };
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 24, "%07o", 0644);
    snprintf(header + 108, 8, "%07o", 0);
    snprintf(header + 116, 8, "%07o", 0);
    snprintf(header + 124, 12, "%011o", (unsigned)strlen(text));
    snprintf(header + 136, 12, "%011o", 1);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof(header); i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    str_addn(&tar, header, sizeof(header));
    str_add(&tar, text);
    static const char zeros[512 * 3];
    str_addn(&tar, zeros, 1024 + (512 - strlen(text) % 512) % 512);
    return tar;
}

struct source {
    struct str *tar;
    size_t at;
};

static long produce(void *ctx, char *buf, size_t max)
{
    struct source *s = ctx;
    size_t n = s->tar->len - s->at;
    n = n < max ? n : max;
    memcpy(buf, s->tar->buf + s->at, n);
    s->at += n;
    return (long)n;
}

static void files_go_in_and_come_out(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    create(f, "true", false);
    auto_str struct str tar = tar_of("hello", "from outside\n");
    struct source source = { .tar = &tar };
    struct http_upload upload = { .read = produce, .ctx = &source };
    ASK(f, rq_container_archive_put(&rq, f->name, "/tmp", &upload, false));
    ASK(f, rq_container_archive_stat(&rq, f->name, "/tmp/hello"));
    REFUSED(f, 404, rq_container_archive_stat(&rq, f->name, "/tmp/none"));

    struct stream s = { .raw = true };
    rq_container_archive_get(&rq, f->name, "/tmp/hello");
    start(f, &s, &rq);
    wait_for(f, &s.done);
    assert_null(s.error.msg);
    assert_true(s.out.len >= 1024);
    assert_memory_equal(s.out.buf + 512, "from outside\n", 13);
    clear(&s);
}

static void a_build_streams_what_it_does(void **state)
{
    struct fixture *f = *state;
    struct engine_request rq;
    auto_str struct str tar = tar_of("Dockerfile", "FROM " IMAGE "\nRUN echo built here\n");
    struct source source = { .tar = &tar };
    struct http_upload upload = { .read = produce, .ctx = &source };
    struct str path = STR_INIT;
    str_add(&path, "/build");
    engine_query(&path, "t", f->name);
    engine_query(&path, "forcerm", "1");
    rq = (struct engine_request){
        .method = "POST", .path = str_detach(&path), .upload = &upload, .answer = ENGINE_STREAM
    };
    struct stream s = { 0 };
    start(f, &s, &rq);
    wait_for(f, &s.done);
    assert_null(s.error.msg);
    assert_null(strstr(s.values.buf, "\"error\""));
    assert_non_null(strstr(s.values.buf, "Successfully tagged"));
    ASK(f, rq_image_remove(&rq, f->name, true));
    clear(&s);
}

#define ON_ENGINE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ENGINE(the_version_is_known),
        ON_ENGINE(a_container_from_attach_to_exit),
        ON_ENGINE(exec_with_and_without_input),
        ON_ENGINE(silent_streams_open_at_once),
        ON_ENGINE(refusals),
        ON_ENGINE(a_pull_that_fails_says_so),
        ON_ENGINE(networks_and_volumes),
        ON_ENGINE(files_go_in_and_come_out),
        ON_ENGINE(a_build_streams_what_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
