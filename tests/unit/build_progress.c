/* What engines say while they build, as steps, and how it ended. The streams are recorded ones. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "build/layers.h"
#include "build/progress.h"

static void on_step(void *ctx, const struct build_step *s)
{
    static const char *const words[] = { "start", "done", "cached", "failed", "log", "bytes" };
    str_addf(ctx, "%s %s", words[s->what], s->name);
    if (s->what == STEP_LOG || s->what == STEP_FAILED)
        str_addf(ctx, ": %.*s", (int)s->len, s->text);
    if (s->what == STEP_PROGRESS)
        str_addf(ctx, " %lld/%lld", (long long)s->current, (long long)s->total);
    if (!str_ends(((struct str *)ctx)->buf, "\n"))
        str_addc(ctx, '\n');
}

struct build_seen {
    struct str said;
    struct progress *p;
    struct error err;
    const char *id;
    int result;
};

static void seen_clear(struct build_seen *s)
{
    str_clear(&s->said);
    progress_free(s->p);
    error_clear(&s->err);
}
#define auto_seen __attribute__((unused, cleanup(seen_clear)))

static void play(struct build_seen *s, const char *const *values, size_t n)
{
    *s = (struct build_seen){ .said = STR_INIT };
    s->p = progress_new(on_step, &s->said);
    for (size_t i = 0; i < n; i++) {
        auto_json json_t *value = json_parse(values[i], strlen(values[i]), "value", NULL);
        assert_non_null(value);
        progress_value(s->p, value);
    }
    s->result = progress_end(&s->id, s->p, &s->err);
}
#define PLAY(s, ...)                                      \
    do {                                                  \
        static const char *const values_[] = __VA_ARGS__; \
        play((s), values_, countof(values_));             \
    } while (0)

static void classic(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s,
         { "{\"stream\":\"Step 1/3 : FROM busybox\"}", "{\"stream\":\"\\n\"}",
           "{\"stream\":\" ---\\u003e c5c83dedcd42\\n\"}", "{\"stream\":\"Step 2/3 : RUN make\"}",
           "{\"stream\":\"\\n\"}", "{\"stream\":\" ---\\u003e Running in 45d6a34ef7aa\\n\"}",
           "{\"stream\":\"out\\n\"}", "{\"stream\":\"\\u001b[91merr\\n\\u001b[0m\"}",
           "{\"stream\":\"Step 9/9 : of a test\\n\"}",
           "{\"stream\":\"Removing intermediate container 45d6a34ef7aa\\n\"}",
           "{\"aux\":{\"ID\":\"sha256:stage\"}}", "{\"stream\":\"Step 3/3 : CMD x\"}",
           "{\"stream\":\" ---\\u003e Using cache\\n\"}", "{\"aux\":{\"ID\":\"sha256:last\"}}",
           "{\"stream\":\"Successfully built aaaa\\n\"}",
           "{\"stream\":\"Successfully tagged a:latest\\n\"}" });
    assert_int_equal(s.result, 0);
    assert_string_equal(s.id, "sha256:last");
    assert_string_equal(s.said.buf, "start [1/3] FROM busybox\n"
                                    "done [1/3] FROM busybox\n"
                                    "start [2/3] RUN make\n"
                                    "log [2/3] RUN make: out\n"
                                    "log [2/3] RUN make: err\n"
                                    "log [2/3] RUN make: Step 9/9 : of a test\n"
                                    "done [2/3] RUN make\n"
                                    "start [3/3] CMD x\n"
                                    "cached [3/3] CMD x\n");
}

static void classic_failure(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s, { "{\"stream\":\"Step 1/2 : FROM a\"}", "{\"stream\":\"Step 2/2 : RUN false\"}",
               "{\"stream\":\"why\\n\"}",
               "{\"errorDetail\":{\"code\":3,\"message\":\"The command '/bin/sh -c false' returned "
               "a non-zero code: 3\"},\"error\":\"The command\"}" });
    assert_int_equal(s.result, -1);
    assert_int_equal(s.err.kind, ERR_BUILD);
    assert_string_equal(s.err.msg, "[2/2] RUN false: returned a non-zero code: 3");
    assert_string_equal(progress_output(s.p), "why\n");
}

/* What comes is cut anywhere, ends lines as terminals do, and draws over them. */
static void output_comes_in_lines(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s, { "{\"stream\":\"Step 1/1 : RUN get\"}", "{\"stream\":\"on\"}",
               "{\"stream\":\"e\\r\\ntw\"}", "{\"stream\":\"o\\n 10%\\r 99%\\r100%\\nlast\"}",
               "{\"aux\":{\"ID\":\"sha256:x\"}}" });
    assert_string_equal(s.said.buf, "start [1/1] RUN get\n"
                                    "log [1/1] RUN get: one\n"
                                    "log [1/1] RUN get: two\n"
                                    "log [1/1] RUN get: 100%\n"
                                    "log [1/1] RUN get: last\n"
                                    "done [1/1] RUN get\n");
}

/* Vertices of a build whose first stage fails while another runs; `a` is the one that broke. */
static void buildkit_failure(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(
        &s,
        { /* b started, a started */
          "{\"id\":\"moby.buildkit.trace\",\"aux\":\"CgsKAWIaBFtiXSAqAAoLCgFhGgRbYV0gKgA=\"}",
          /* log of a: "oh\n" */
          "{\"id\":\"moby.buildkit.trace\",\"aux\":\"GggKAWEiA29oCg==\"}",
          /* b completed with "context canceled" */
          "{\"id\":\"moby.buildkit.trace\",\"aux\":\"CiAKAWIaBFtiXSAqADIAOhFjb250ZXh0IGNhbmNlbGVkIQ==\"}",
          /* a completed with "exit code: 2" */
          "{\"id\":\"moby.buildkit.trace\",\"aux\":\"ChsKAWEaBFthXSAqADIAOgxleGl0IGNvZGU6IDI=\"}",
          "{\"errorDetail\":{\"message\":\"executor failed running [x]: exit code: 2\"},"
          "\"error\":\"executor failed running [x]: exit code: 2\"}" });
    assert_int_equal(s.result, -1);
    assert_int_equal(s.err.kind, ERR_BUILD);
    assert_string_equal(s.err.msg, "[a] : exit code: 2");
    assert_string_equal(progress_output(s.p), "oh\n");
    assert_string_equal(s.said.buf, "start [b] \n"
                                    "start [a] \n"
                                    "log [a] : oh\n"
                                    "failed [b] : context canceled!\n"
                                    "failed [a] : exit code: 2\n");
}

static void buildkit_result(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s, { "{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"sha256:x\"}}",
               "{\"stream\":\"Successfully tagged a:latest\\n\"}" });
    assert_int_equal(s.result, 0);
    assert_string_equal(s.id, "sha256:x");
    assert_string_equal(s.said.buf, "");
}

static void an_error_outside_of_any_step(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s, { "{\"error\":\"dockerfile parse error line 1\\u001b[2J\"}" });
    assert_int_equal(s.err.kind, ERR_BUILD);
    assert_string_equal(s.err.msg, "dockerfile parse error line 1\\x1b[2J");
    assert_null(progress_output(s.p));
}

static void zero_bytes_in_output(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s, { "{\"stream\":\"Step 1/1 : RUN x\"}", "{\"stream\":\"a\\u0000b\\n\"}",
               "{\"aux\":{\"ID\":\"sha256:x\"}}" });
    assert_int_equal(s.result, 0);
    assert_non_null(strstr(s.said.buf, "log [1/1] RUN x: a"));
}

static void neither_result_nor_error(void **state)
{
    (void)state;
    auto_seen struct build_seen s;
    PLAY(&s, { "{\"stream\":\"x\"}", "[]", "5", "{\"aux\":\"no base64!\"}", "{\"aux\":\"CgsK\"}",
               "{\"aux\":{\"ID\":5}}" });
    assert_int_equal(s.result, -1);
    assert_int_equal(s.err.kind, ERR_PROTOCOL);
}

/* A step that never stops talking keeps its end alone. */
static void output_is_bounded(void **state)
{
    (void)state;
    auto_(progress_freep) struct progress *p = progress_new(NULL, NULL);
    auto_json json_t *step = json_pack("{s:s}", "stream", "Step 1/1 : RUN yes");
    progress_value(p, step);
    char line[1001];
    memset(line, 'y', 1000);
    line[1000] = '\0';
    auto_json json_t *value = json_pack("{s:s}", "stream", line);
    for (int i = 0; i < 1000; i++)
        progress_value(p, value);
    auto_json json_t *last = json_pack("{s:s}", "stream", "the end");
    progress_value(p, last);
    auto_json json_t *error = json_pack("{s:s}", "error", "x");
    progress_value(p, error);
    const char *id;
    assert_int_equal(progress_end(&id, p, NULL), -1);
    assert_true(strlen(progress_output(p)) <= 3 * PROGRESS_OUTPUT_MAX);
    assert_true(str_ends(progress_output(p), "the end"));
}

static void layers_add_up(void **state)
{
    (void)state;
    struct layers l = LAYERS_INIT;
    assert_false(layers_set(&l, "a", 0, 0));
    assert_true(layers_set(&l, "a", 10, 100));
    assert_true(layers_set(&l, "b", 50, 20)); /* never more than the whole */
    assert_false(layers_set(&l, "b", 20, 20));
    assert_int_equal(l.current, 30);
    assert_int_equal(l.total, 120);
    assert_true(layers_set(&l, "a", INT64_MAX, INT64_MAX));
    assert_true(layers_set(&l, "c", INT64_MAX, INT64_MAX));
    assert_true(l.total > 0 && l.current == l.total);
    assert_true(layers_set(&l, "a", -5, -5));
    assert_true(l.total > 0);
    layers_clear(&l);

    auto_json json_t *down = json_pack("{s:s,s:s,s:{s:i,s:i}}", "status", "Downloading", "id", "x",
                                       "progressDetail", "current", 5, "total", 10);
    auto_json json_t *done =
        json_pack("{s:s,s:s,s:{}}", "status", "Download complete", "id", "x", "progressDetail");
    auto_json json_t *ready =
        json_pack("{s:s,s:s,s:{}}", "status", "Pull complete", "id", "x", "progressDetail");
    auto_json json_t *shared =
        json_pack("{s:s,s:s,s:{}}", "status", "Mounted from x", "id", "y", "progressDetail");
    auto_json json_t *unpack = json_pack("{s:s,s:s,s:{s:i,s:i}}", "status", "Extracting", "id", "x",
                                         "progressDetail", "current", 1, "total", 10);
    assert_true(layers_transfer(&l, down));
    assert_int_equal(l.current, 5);
    assert_true(layers_transfer(&l, done));
    assert_int_equal(l.current, 10);
    assert_false(layers_transfer(&l, unpack));
    assert_int_equal(l.done, 0);
    assert_true(layers_transfer(&l, ready));
    assert_false(layers_transfer(&l, ready));
    assert_true(layers_transfer(&l, shared));
    assert_int_equal(l.done, 2);
    assert_int_equal(strmap_len(&l.parts), 2);
    layers_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic),
        cmocka_unit_test(classic_failure),
        cmocka_unit_test(output_comes_in_lines),
        cmocka_unit_test(buildkit_failure),
        cmocka_unit_test(buildkit_result),
        cmocka_unit_test(an_error_outside_of_any_step),
        cmocka_unit_test(zero_bytes_in_output),
        cmocka_unit_test(neither_result_nor_error),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(layers_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
