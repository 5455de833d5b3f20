/* Builds against a scripted engine: what is asked of it, and every way in which it can end. */
#include "model_stack.h"

#include "../support/peer.h"

#include "base/mem.h"
#include "base/vec.h"
#include "build/build.h"
#include "engine/engine.h"

struct fixture {
    struct loaded loaded;
    struct loop *l;
    struct peer *peer;
    struct engine *e;
    struct build_survey *survey;
    struct build *build;
    bool done;
    char *id;
    char *output;
    struct error err;
    unsigned steps;
};

#define OK_BUILD "{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"sha256:made\"}}\n"
#define BASE "{\"Id\":\"sha256:base\",\"RepoDigests\":[]}"

/* A stack of one image in the current folder, and an engine that says nothing yet. */
static void fixture_open(struct fixture *f, const char *dir, const char *dockerfile)
{
    *f = (struct fixture){ 0 };
    put("web/Dockerfile", dockerfile);
    put("web/file", "content");
    f->loaded = load_text("name: demo\nservices: { web: { build: ./web } }\n");
    assert_non_null(f->loaded.stack);
    setenv("XDG_CACHE_HOME", "/nonexistent/cache", 1);
    setenv("DOCKER_CONFIG", dir, 1);
    auto_free char *socket = xasprintf("%s/engine.sock", dir);
    auto_free char *host = xasprintf("unix://%s", socket);
    const struct engine_options opt = { .host = host };
    f->l = loop_new();
    f->peer = peer_new(f->l, socket);
    assert_int_equal(engine_open(&f->e, f->l, &opt, NULL), 0);
    assert_int_equal(build_survey(&f->survey, f->l, f->loaded.stack, NULL, NULL), 0);
    /* The version is asked for before anything that changes something. */
    peer_answer(f->peer, 200, "OK");
    assert_int_equal(engine_ready(f->e, NULL), 0);
}

static void fixture_close(struct fixture *f)
{
    build_survey_free(f->survey);
    engine_close(f->e);
    peer_free(f->peer);
    loop_free(f->l);
    loaded_clear(&f->loaded);
    error_clear(&f->err);
    free(f->id);
    free(f->output);
}
#define auto_fixture __attribute__((unused, cleanup(fixture_close)))

static void on_step(void *ctx, const struct build_step *step)
{
    (void)step;
    ((struct fixture *)ctx)->steps++;
}

static void on_done(void *ctx, const char *id, const struct error *err)
{
    struct fixture *f = ctx;
    assert_false(f->done);
    assert_true(id ? !err : err != NULL);
    f->done = true;
    f->id = xstrdup(id);
    if (err)
        error_copy(&f->err, err);
    f->output = xstrdup(build_output(f->build));
}

static void start_with(struct fixture *f, const struct build_options *opt)
{
    const struct build_handlers hd = { on_step, on_done, f };
    f->build = build_start(f->e, f->loaded.stack, f->survey, &f->loaded.stack->images[0], opt, &hd);
    assert_false(f->done);
}

static void build_with(struct fixture *f, const struct build_options *opt)
{
    start_with(f, opt);
    loop_wait(f->l, &f->done);
}

static void build(struct fixture *f)
{
    build_with(f, &(const struct build_options){ 0 });
}

static void assert_failed(const struct fixture *f, enum error_kind kind, const char *part)
{
    assert_null(f->id);
    if (f->err.kind != kind || !strstr(f->err.msg, part))
        fail_msg("kind %d: %s", f->err.kind, f->err.msg ? f->err.msg : "(none)");
}

/* Request k after the ping. */
#define SAW(f, k, text)                                         \
    do {                                                        \
        if (!peer_saw((f)->peer, (k) + 1, (text)))              \
            fail_msg("request %d is not %s", (int)(k), (text)); \
    } while (0)

static void a_base_that_is_there(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM busybox\n");
    peer_answer(f.peer, 200, BASE);
    peer_answer(f.peer, 200, OK_BUILD);
    build(&f);
    assert_string_equal(f.id, "sha256:made");
    SAW(&f, 0, "GET /v1.41/images/busybox:latest/json");
    SAW(&f, 1, "POST /v1.41/build?version=2&dockerfile=Dockerfile&t=demo-web&");
    const char *request = peer_requests(f.peer)->items[2];
    assert_non_null(strstr(request, "application/x-tar"));
    assert_null(strstr(request, "X-Registry"));
    assert_int_equal(peer_requests(f.peer)->len, 3);
}

static void no_base_is_no_question(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM scratch\nCOPY . /\n");
    peer_answer(f.peer, 200, OK_BUILD);
    build(&f);
    assert_string_equal(f.id, "sha256:made");
    assert_int_equal(peer_requests(f.peer)->len, 2);
}

#define ALICE "{\"auths\":{\"r.example\":{\"auth\":\"YWxpY2U6cGE6c3M=\"}}}"

static void an_absent_base_is_pulled_with_credentials(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM r.example/x:1\n");
    put("config.json", ALICE);
    peer_answer(f.peer, 404, "{\"message\":\"No such image\"}");
    peer_answer(
        f.peer, 200,
        "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":1,\"total\":2}}\n"
        "{\"status\":\"Pull complete\",\"id\":\"a\",\"progressDetail\":{}}\n");
    peer_answer(f.peer, 200, BASE);
    peer_answer(f.peer, 200, OK_BUILD);
    build(&f);
    assert_string_equal(f.id, "sha256:made");
    SAW(&f, 1, "POST /v1.41/images/create?fromImage=r.example%2Fx&tag=1");
    assert_non_null(strstr(peer_requests(f.peer)->items[2], "X-Registry-Auth: "));
    SAW(&f, 2, "GET /v1.41/images/r.example/x:1/json");
    SAW(&f, 3, "POST /v1.41/build?");
    assert_null(strstr(peer_requests(f.peer)->items[4], "X-Registry"));
    assert_true(f.steps >= 4);
}

static void a_pull_that_fails(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_kind kind;
        const char *part;
    } cases[] = {
        { 200, "{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\n", ERR_PULL,
          "no space" },
        { 404, "{\"message\":\"manifest unknown\"}", ERR_PULL, "manifest unknown" },
        { 200, "{\"status\":", ERR_PROTOCOL, "pull the base 'busybox:latest'" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_fixture struct fixture f;
        fixture_open(&f, *state, "FROM busybox\n");
        peer_answer(f.peer, 404, "{}");
        peer_answer(f.peer, cases[i].status, cases[i].body);
        build(&f);
        assert_failed(&f, cases[i].kind, cases[i].part);
        unlink("engine.sock");
    }
}

/* A pull that says it went well, and brought nothing. */
static void a_pull_that_lies(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM busybox\n");
    peer_answer(f.peer, 404, "{}");
    peer_answer(f.peer, 200, "{\"status\":\"Status: Downloaded newer image\"}\n");
    peer_answer(f.peer, 404, "{\"message\":\"No such image\"}");
    build(&f);
    assert_failed(&f, ERR_ENGINE, "No such image");
}

static void pull_asks_the_registry_once(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM busybox\n");
    const struct build_options opt = { .pull = true, .no_cache = true };
    peer_answer(f.peer, 200, "{\"status\":\"Status: Image is up to date\"}\n");
    peer_answer(f.peer, 200, BASE);
    peer_answer(f.peer, 200, OK_BUILD);
    build_with(&f, &opt);
    assert_string_equal(f.id, "sha256:made");
    SAW(&f, 0, "POST /v1.41/images/create?");
    assert_non_null(strstr(peer_requests(f.peer)->items[3], "nocache=1"));
    assert_null(strstr(peer_requests(f.peer)->items[3], "pull="));
    /* Another image from the same base, in the same run. */
    free(take(f.id));
    f.done = false;
    peer_answer(f.peer, 200, OK_BUILD);
    build_with(&f, &opt);
    assert_string_equal(f.id, "sha256:made");
    assert_int_equal(peer_requests(f.peer)->len, 5);
}

static void the_classic_builder_gets_the_credentials(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM r.example/unneeded AS a\nFROM scratch\n");
    put("config.json", ALICE);
    peer_answer(f.peer, 200, "{\"aux\":{\"ID\":\"sha256:made\"}}\n");
    build_with(&f, &(const struct build_options){ .classic = true });
    assert_string_equal(f.id, "sha256:made");
    SAW(&f, 0, "POST /v1.41/build?dockerfile=Dockerfile&");
    assert_non_null(strstr(peer_requests(f.peer)->items[1], "X-Registry-Config: "));
}

static void every_bad_end(void **state)
{
    static const struct {
        const char *reply; /* whole */
        enum error_kind kind;
        const char *part;
    } cases[] = {
        { "HTTP/1.1 400 Bad Request\r\nApi-Version: 1.41\r\nContent-Length: 23\r\n\r\n"
          "{\"message\":\"bad syntax\"}",
          ERR_BUILD, "bad syntax" },
        { "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n", ERR_PROTOCOL,
          "without an image and without an error" },
        { "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 20\r\n\r\n"
          "{\"error\":\"too bad\"}\r\n",
          ERR_BUILD, "too bad" },
        { "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n"
          "14\r\n{\"error\":\"too bad\"}\r\n\r\n",
          ERR_BUILD, "too bad" }, /* and then cut */
        { "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n"
          "10\r\n{\"stream\":\"x\\n\"}\r\n",
          ERR_NETWORK, "" },
        { "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 8\r\n\r\nnonsense", ERR_PROTOCOL,
          "nonsense" },
        { "garbage\r\n\r\n", ERR_PROTOCOL, "" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_fixture struct fixture f;
        fixture_open(&f, *state, "FROM scratch\n");
        peer_reply(f.peer, cases[i].reply, PEER_CLOSE);
        build(&f);
        assert_failed(&f, cases[i].kind, cases[i].part);
        assert_int_equal(peer_requests(f.peer)->len, 2); /* never sent again */
        unlink("engine.sock");
    }
}

static void a_frontend_that_cannot_be_fetched(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "# syntax=docker/dockerfile:1\nFROM scratch\n");
    peer_answer(f.peer, 404, "{\"message\":\"page not found\"}"); /* the session, not needed */
    peer_answer(f.peer, 200, "{\"error\":\"docker.io/docker/dockerfile:1: no such host\"}\n");
    build(&f);
    SAW(&f, 0, "POST /v1.41/session ");
    SAW(&f, 1, "POST /v1.41/build?version=2&dockerfile=");
    assert_failed(&f, ERR_BUILD, "no such host");
    assert_non_null(strstr(f.err.hint, "'# syntax=docker/dockerfile:1'"));
}

static void mistakes_before_anything_is_sent(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM scratch\n");
    put("web/Dockerfile", "FROM scratch\nRUN --mount=type=secret,id=x true\n");
    build_with(&f, &(const struct build_options){ .classic = true });
    assert_failed(&f, ERR_INPUT, "mounts a secret or an SSH agent");
    f.done = false;
    error_clear(&f.err);
    assert_int_equal(unlink("web/Dockerfile"), 0);
    build(&f);
    assert_failed(&f, ERR_INPUT, "there is no Dockerfile");
    assert_int_equal(peer_requests(f.peer)->len, 1);
}

static void an_engine_without_sessions(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM scratch\nRUN --mount=type=secret,id=x true\n");
    peer_answer(f.peer, 404, "{\"message\":\"page not found\"}");
    build(&f);
    assert_failed(&f, ERR_INPUT, "page not found");
    assert_non_null(strstr(f.err.hint, "an engine with BuildKit"));
    assert_int_equal(peer_requests(f.peer)->len, 2);
}

static void a_session_that_breaks_off(void **state)
{
    auto_fixture struct fixture f;
    fixture_open(&f, *state, "FROM scratch\nRUN --mount=type=secret,id=x true\n");
    peer_reply(f.peer,
               "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
               "what is no HTTP/2 at all",
               PEER_KEEP);
    peer_answer(f.peer, 200, "{\"error\":\"no active session for x\"}\n");
    build(&f);
    assert_failed(&f, ERR_BUILD, "no active session");
    assert_non_null(strstr(f.err.hint, "the session of the build broke off: "));
    SAW(&f, 1, "POST /v1.41/build?version=2&session=");
}

/* With an additional context `more`, which is a folder. */
static void fixture_open_folder(struct fixture *f, const char *dir)
{
    fixture_open(f, dir, "FROM scratch\n");
    put("web/Dockerfile", "FROM scratch\nCOPY --from=more / /\nRUN --mount=from=more true\n");
    put("more/file", "more");
    build_survey_free(f->survey);
    loaded_clear(&f->loaded);
    f->loaded = load_text("name: demo\nservices:\n  web:\n    build:\n      context: ./web\n"
                          "      additional_contexts: { more: ./more }\n");
    assert_non_null(f->loaded.stack);
    assert_int_equal(build_survey(&f->survey, f->l, f->loaded.stack, NULL, NULL), 0);
}

static void a_folder_becomes_an_image_for_a_while(void **state)
{
    auto_fixture struct fixture f;
    fixture_open_folder(&f, *state);
    peer_answer(f.peer, 200, OK_BUILD);
    peer_answer(f.peer, 200, OK_BUILD);
    peer_answer(f.peer, 404, "{\"message\":\"No such image\"}"); /* no harm */
    build(&f);
    assert_string_equal(f.id, "sha256:made");
    SAW(&f, 0, "POST /v1.41/build?version=2&dockerfile=.stack.Dockerfile&t=stack-context%3A");
    SAW(&f, 1, "POST /v1.41/build?version=2&dockerfile=Dockerfile&t=demo-web&");
    SAW(&f, 2, "DELETE /v1.41/images/stack-context:");
    assert_int_equal(peer_requests(f.peer)->len, 4);
    const char *name = strstr(peer_requests(f.peer)->items[3], "stack-context:");
    auto_free char *ref = xstrndup(name, strlen("stack-context:") + 24);
    assert_int_equal(strlen(ref), strlen("stack-context:") + 24);
}

static void a_folder_that_cannot_be_sent(void **state)
{
    auto_fixture struct fixture f;
    fixture_open_folder(&f, *state);
    peer_answer(f.peer, 200, "{\"error\":\"no space\"}\n");
    peer_answer(f.peer, 200, "[]");
    build(&f);
    assert_failed(&f, ERR_BUILD, "build.additional_contexts: 'more': no space");
    SAW(&f, 1, "DELETE /v1.41/images/stack-context:");
    assert_int_equal(peer_requests(f.peer)->len, 3);
}

/* Cancelled after k turns of the loop, for every k until it is done by itself. */
struct stopper {
    struct fixture *f;
    int turns;
    bool stopped;
};

static void count_down(void *ctx)
{
    struct stopper *s = ctx;
    if (s->f->done) {
        s->stopped = true;
    } else if (s->turns-- == 0) {
        build_cancel(s->f->build);
        s->stopped = true;
    } else {
        loop_defer(s->f->l, count_down, s);
    }
}

static bool stopped_after(struct fixture *f, int turns)
{
    struct stopper s = { f, turns, false };
    start_with(f, &(const struct build_options){ 0 });
    loop_defer(f->l, count_down, &s);
    loop_wait(f->l, &s.stopped);
    unlink("engine.sock");
    return f->done;
}

static void cancelled_at_every_turn(void **state)
{
    bool finished = false;
    for (int turns = 0; !finished && turns < 400; turns += turns < 40 ? 1 : 20) {
        auto_fixture struct fixture f;
        fixture_open(&f, *state, "FROM busybox\n");
        peer_answer(f.peer, 404, "{}");
        peer_answer(f.peer, 200, "{\"status\":\"x\"}\n");
        peer_answer(f.peer, 200, BASE);
        peer_answer(f.peer, 200, OK_BUILD);
        finished = stopped_after(&f, turns);
    }
}

static void cancelled_at_every_turn_with_a_folder(void **state)
{
    bool finished = false;
    for (int turns = 0; !finished && turns < 400; turns += turns < 40 ? 1 : 20) {
        auto_fixture struct fixture f;
        fixture_open_folder(&f, *state);
        peer_answer(f.peer, 200, OK_BUILD);
        peer_answer(f.peer, 200, OK_BUILD);
        peer_answer(f.peer, 200, "[]");
        finished = stopped_after(&f, turns);
    }
}

/* A session that opens, and then nothing. */
static void cancelled_at_every_turn_with_a_session(void **state)
{
    bool finished = false;
    for (int turns = 0; !finished && turns < 400; turns += turns < 40 ? 1 : 20) {
        auto_fixture struct fixture f;
        fixture_open(&f, *state, "FROM scratch\nRUN --mount=type=secret,id=x true\n");
        peer_reply(f.peer, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
                   PEER_KEEP);
        peer_answer(f.peer, 200, OK_BUILD);
        finished = stopped_after(&f, turns);
    }
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(a_base_that_is_there),
        stack_test(no_base_is_no_question),
        stack_test(an_absent_base_is_pulled_with_credentials),
        stack_test(a_pull_that_fails),
        stack_test(a_pull_that_lies),
        stack_test(pull_asks_the_registry_once),
        stack_test(the_classic_builder_gets_the_credentials),
        stack_test(every_bad_end),
        stack_test(a_frontend_that_cannot_be_fetched),
        stack_test(mistakes_before_anything_is_sent),
        stack_test(an_engine_without_sessions),
        stack_test(a_session_that_breaks_off),
        stack_test(a_folder_becomes_an_image_for_a_while),
        stack_test(a_folder_that_cannot_be_sent),
        stack_test(cancelled_at_every_turn),
        stack_test(cancelled_at_every_turn_with_a_folder),
        stack_test(cancelled_at_every_turn_with_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
