/* Builds on a real engine, by both builders. */
#include "../unit/model_stack.h"

#include <fcntl.h>

#include "base/json.h"
#include "base/mem.h"
#include "build/build.h"
#include "engine/requests.h"
#include "model/labels.h"

struct fixture {
    char *dir;
    char *name; /* of the stack */
    struct loop *l;
    struct engine *e;
    struct strv images; /* made */
};

static int setup(void **state)
{
    struct fixture *f = xnew(struct fixture);
    auto_error struct error err = ERROR_INIT;
    void *dir;
    f->name = xasprintf("stack-test-build-%d", (int)getpid());
    f->l = loop_new();
    *state = f;
    if (engine_open(&f->e, f->l, NULL, &err) || unit_dir_make(&dir)) {
        fprintf(stderr, "%s\n", err.msg);
        return -1;
    }
    f->dir = dir;
    setenv("XDG_CACHE_HOME", f->dir, 1);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = f->images.len; i-- > 0;) {
        struct engine_request rq;
        rq_image_remove(&rq, f->images.items[i], true);
        rq.missing_ok = true;
        engine_do(NULL, f->e, &rq, NULL);
    }
    strv_clear(&f->images);
    engine_close(f->e);
    loop_free(f->l);
    free(f->name);
    void *dir = f->dir;
    free(f);
    return unit_dir_remove(&dir);
}

/* A Dockerfile from busybox whose steps no earlier run has left in the builder's cache. */
static void put_dockerfile(const char *path, const char *steps)
{
    char once[17];
    random_hex(once, 8);
    auto_free char *text = xasprintf("FROM busybox\nENV ONCE=%s\n%s", once, steps);
    put(path, text);
}

/* A stack of the test's folder: its name, then what the test says. */
static struct loaded load(struct fixture *f, const char *services)
{
    auto_free char *text = xasprintf("name: %s\nservices:\n%s", f->name, services);
    struct loaded loaded = load_text(text);
    if (!loaded.stack)
        fail_msg("%s", loaded.said);
    return loaded;
}

/* Surveyed, and made final by what the engine has. */
static struct build_survey *surveyed(struct fixture *f, const struct stack *st)
{
    struct build_survey *s;
    auto_error struct error err = ERROR_INIT;
    if (build_survey(&s, f->l, st, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    struct engine_request rq;
    auto_json json_t *list = NULL;
    rq_images(&rq, s->bases, s->nbases);
    assert_int_equal(engine_do(&list, f->e, &rq, NULL), 0);
    auto_(snapshot_freep) struct snapshot *now = snapshot_new();
    assert_int_equal(snapshot_read_images(now, list, NULL), 0);
    build_survey_observed(s, now);
    return s;
}

struct result {
    struct fixture *f;
    struct build *build;
    bool done;
    char *id;
    struct error err;
    char *output;
    struct str log; /* "step: text" of every piece of output */
    const char *awaited;
    bool seen; /* `awaited` stood in the log */
    unsigned started;
};

static void on_step(void *ctx, const struct build_step *step)
{
    struct result *r = ctx;
    r->started += step->what == STEP_STARTED;
    if (step->what == STEP_LOG)
        str_addf(&r->log, "%.*s\n", (int)step->len, step->text);
    r->seen = r->seen || (r->awaited && strstr(r->log.buf, r->awaited));
}

static void on_done(void *ctx, const char *id, const struct error *err)
{
    struct result *r = ctx;
    assert_false(r->done);
    r->done = true;
    r->id = xstrdup(id);
    if (err)
        error_copy(&r->err, err);
    r->output = xstrdup(build_output(r->build));
}

static void result_clear(struct result *r)
{
    free(r->id);
    free(r->output);
    error_clear(&r->err);
    str_clear(&r->log);
}
#define auto_result __attribute__((unused, cleanup(result_clear)))

static const struct image *image_named(const struct stack *st, const char *name)
{
    for (size_t i = 0; i < st->nimages; i++)
        if (strcmp(st->images[i].name, name) == 0)
            return &st->images[i];
    fail_msg("no image '%s'", name);
    return NULL;
}

static void start(struct result *r, struct fixture *f, const struct stack *st,
                  const struct build_survey *s, const char *name, bool classic)
{
    const struct image *image = image_named(st, name);
    const struct build_options opt = { .classic = classic };
    const struct build_handlers hd = { on_step, on_done, r };
    *r = (struct result){ .f = f, .log = STR_INIT };
    strv_add(&f->images, image->ref);
    r->build = build_start(f->e, st, s, image, &opt, &hd);
    assert_false(r->done);
}

static struct result built(struct fixture *f, const struct stack *st, const struct build_survey *s,
                           const char *name, bool classic)
{
    struct result r;
    start(&r, f, st, s, name, classic);
    loop_wait(f->l, &r.done);
    return r;
}

static void assert_built(const struct result *r)
{
    if (r->err.kind)
        fail_msg("%s\n%s", r->err.msg, r->output ? r->output : "");
    assert_non_null(r->id);
}

static void assert_label(struct fixture *f, const char *ref, const char *key, const char *value)
{
    struct engine_request rq;
    auto_json json_t *image = NULL;
    rq_image_inspect(&rq, ref);
    assert_int_equal(engine_do(&image, f->e, &rq, NULL), 0);
    const json_t *labels = json_at(image, "Config.Labels");
    assert_string_equal(json_string_value(json_object_get(labels, key)), value);
    const char *found;
    json_t *ignored;
    json_object_foreach ((json_t *)(uintptr_t)labels, found, ignored)
        assert_false(str_starts(found, "com.docker.compose."));
}

/* Both builders: the test gets `classic`. */
#define BOTH(fn)                          \
    static void fn##_buildkit(void **st_) \
    {                                     \
        fn(*st_, false);                  \
    }                                     \
    static void fn##_classic(void **st_)  \
    {                                     \
        fn(*st_, true);                   \
    }

static void an_image_and_its_labels(struct fixture *f, bool classic)
{
    put_dockerfile("web/Dockerfile",
                   "ARG A=none\nCOPY . /ctx\nRUN echo \"A is $A\" && cat /ctx/a\n");
    put("web/a", "content\n");
    auto_loaded struct loaded l =
        load(f, "  web: { build: { context: ./web, args: { A: one }, labels: { own: 'x y' } } }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_free char *print = xstrdup(s->images[0].fingerprint);
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_built(&r);
    assert_true(r.started > 2);
    if (!strstr(r.log.buf, "A is one\ncontent\n"))
        fail_msg("got: %s", r.log.buf);
    const char *ref = l.stack->images[0].ref;
    assert_label(f, ref, LABEL_FINGERPRINT, print);
    assert_label(f, ref, "own", "x y");

    /* The next run finds the same fingerprint, although the base is only known now. */
    auto_(build_survey_freep) struct build_survey *again = surveyed(f, l.stack);
    assert_string_equal(again->images[0].fingerprint, print);
}
BOTH(an_image_and_its_labels)

static void images_from_each_other(struct fixture *f, bool classic)
{
    put_dockerfile("base/Dockerfile", "RUN echo from-base >/base\n");
    put_dockerfile("tools/Dockerfile", "RUN echo from-tools >/tool\n");
    put("web/Dockerfile", "ARG B=base\nFROM ${B} AS one\nFROM one\n"
                          "COPY --from=tools /tool /tool\nRUN cat /base /tool\n");
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n  base: { build: ./base }\n"
                                          "  tools: { build: ./tools }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result base = built(f, l.stack, s, "base", classic);
    assert_built(&base);
    auto_result struct result tools = built(f, l.stack, s, "tools", classic);
    assert_built(&tools);
    auto_result struct result web = built(f, l.stack, s, "web", classic);
    assert_built(&web);
    assert_non_null(strstr(web.log.buf, "from-base\nfrom-tools\n"));
}
BOTH(images_from_each_other)

/* Of the folder `more` what its .dockerignore leaves, beside a Dockerfile of ours that is not. */
static void folders_beside_the_context(struct fixture *f, bool classic)
{
    put_dockerfile("web/Dockerfile", "COPY --from=more /sub /sub\nCOPY --from=more . /all\n"
                                     "COPY --from=none . /none\n"
                                     "RUN find /sub /all /none | sort && cat /all/run\n");
    put("more/sub/file", "x");
    put("more/run", "echo ran\n");
    put("more/left-out", "x");
    put("more/.dockerignore", "left-out\n.dockerignore\n");
    assert_int_equal(mkdir("none", 0755), 0);
    auto_loaded struct loaded l = load(
        f,
        "  web: { build: { context: ./web, additional_contexts: { more: ./more, none: ./none } } }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_built(&r);
    if (!strstr(r.log.buf, "/all\n/all/run\n/all/sub\n/all/sub/file\n/none\n/sub\n/sub/file\n"
                           "echo ran\n"))
        fail_msg("got: %s", r.log.buf);
    assert_label(f, l.stack->images[0].ref, LABEL_FINGERPRINT, s->images[0].fingerprint);
}
BOTH(folders_beside_the_context)

static void a_step_that_fails(struct fixture *f, bool classic)
{
    put_dockerfile("web/Dockerfile", "RUN echo fine\nRUN echo the-reason && exit 7\n");
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_null(r.id);
    assert_int_equal(r.err.kind, ERR_BUILD);
    assert_non_null(strstr(r.err.msg, "] RUN echo the-reason && exit 7: "));
    assert_non_null(strstr(r.err.msg, "code: 7"));
    assert_string_equal(r.output, "the-reason\n");
}
BOTH(a_step_that_fails)

static void a_dockerfile_that_is_wrong(struct fixture *f, bool classic)
{
    put("web/Dockerfile", "FROM busybox\nNONSENSE\n");
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_int_equal(r.err.kind, ERR_BUILD);
    assert_non_null(strstr(r.err.msg, "NONSENSE"));
}
BOTH(a_dockerfile_that_is_wrong)

static void a_base_that_is_nowhere(struct fixture *f, bool classic)
{
    put("web/Dockerfile", "FROM localhost:1/stack-test-nowhere:1\n");
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_int_equal(r.err.kind, ERR_PULL);
    assert_non_null(strstr(r.err.msg, "pull the base 'localhost:1/stack-test-nowhere:1': "));
}
BOTH(a_base_that_is_nowhere)

/* What arrives is what is there: names, modes, links as links; what is left out is left out. */
static void a_hostile_tree(struct fixture *f, bool classic)
{
    char long_path[5 + 255];
    memset(long_path, 'n', sizeof(long_path));
    memcpy(long_path, "web/", 4);
    long_path[4 + 255] = '\0';
    put_dockerfile(
        "web/Dockerfile",
        "COPY . /ctx\nWORKDIR /ctx\n"
        "RUN ls -A | grep -c . | sed 's/^/files /'; ls nnn* | wc -c; cat \"$(printf 'new\\nline')\" "
        "\"$(printf '\\303\\251')\" \"$(printf '\\377')\"; readlink passwd; readlink up; stat -c %a suid run; "
        "cat deep/keep; test ! -e ignored && test ! -e deep/drop && echo left-out\n");
    put("web/.dockerignore", "ignored\ndeep\n!deep/keep\nDockerfile\n.dockerignore\n");
    put("web/ignored", "x");
    put("web/deep/drop", "x");
    put("web/deep/keep", "kept\n");
    int fd = open(long_path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    close(fd);
    put("web/new\nline", "2\n");
    put("web/\xc3\xa9", "3\n");
    put("web/\xff", "4\n");
    put("web/suid", "");
    put("web/run", "");
    assert_int_equal(chmod("web/suid", 04755), 0);
    assert_int_equal(chmod("web/run", 0711), 0);
    assert_int_equal(symlink("/etc/passwd", "web/passwd"), 0);
    assert_int_equal(symlink("..", "web/up"), 0);
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_built(&r);
    /* The classic builder gives files to root once more, and so takes the bit from them. */
    auto_free char *expected = xasprintf("256\n2\n3\n4\n/etc/passwd\n..\n%s\n711\nkept\nleft-out\n",
                                         classic ? "755" : "4755");
    if (!strstr(r.log.buf, expected))
        fail_msg("got: %s", r.log.buf);
}
BOTH(a_hostile_tree)

static void dockerfiles_that_are_elsewhere(struct fixture *f, bool classic)
{
    put("else/where", "FROM busybox\nCOPY a /a\nRUN cat /a\n");
    put("web/a", "inside\n");
    put("web/docker/prod", "FROM busybox\nCOPY a /a\nRUN cat /a\n");
    assert_int_equal(symlink("docker/prod", "web/Dockerfile"), 0);
    auto_loaded struct loaded l = load(
        f,
        "  one: { build: { context: ./web, dockerfile: ../else/where } }\n"
        "  two: { build: { context: ./web, dockerfile_inline: \"FROM busybox\\nCOPY a /a\\nRUN cat /a\\n\" } }\n"
        "  three: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    static const char *const names[] = { "one", "two", "three" };
    for (size_t i = 0; i < countof(names); i++) {
        auto_result struct result r = built(f, l.stack, s, names[i], classic);
        assert_built(&r);
    }
}
BOTH(dockerfiles_that_are_elsewhere)

/* The label says what was sent, not what was surveyed long before. */
static void a_change_after_the_survey(struct fixture *f, bool classic)
{
    put("web/Dockerfile", "FROM busybox\nCOPY a /a\nRUN cat /a\n");
    put("web/a", "before\n");
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_free char *before = xstrdup(s->images[0].fingerprint);
    put("web/a", "after!\n");
    auto_result struct result r = built(f, l.stack, s, "web", classic);
    assert_built(&r);
    auto_(build_survey_freep) struct build_survey *again = surveyed(f, l.stack);
    assert_string_not_equal(again->images[0].fingerprint, before);
    assert_label(f, l.stack->images[0].ref, LABEL_FINGERPRINT, again->images[0].fingerprint);
}
BOTH(a_change_after_the_survey)

static void a_build_that_is_cancelled(struct fixture *f, bool classic)
{
    put_dockerfile("web/Dockerfile", "RUN echo under way && sleep 600\n");
    put("web/big", "");
    assert_int_equal(truncate("web/big", 20000000), 0);
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r;
    /* At once, then while it sends or runs. */
    start(&r, f, l.stack, s, "web", classic);
    build_cancel(r.build);
    start(&r, f, l.stack, s, "web", classic);
    r.awaited = "under way";
    loop_wait(f->l, &r.seen);
    build_cancel(r.build);
    assert_false(r.done);
}
BOTH(a_build_that_is_cancelled)

static void large_contexts_stream(void **state)
{
    struct fixture *f = *state;
    put_dockerfile("web/Dockerfile",
                   "COPY . /c\nRUN stat -c %s /c/big; find /c -name 'f*' | wc -l\n");
    put("web/big", "");
    assert_int_equal(truncate("web/big", 50000000), 0);
    for (int i = 0; i < 2000; i++) {
        auto_free char *path = xasprintf("web/d%d/f%d", i % 40, i);
        put(path, "x");
    }
    auto_loaded struct loaded l = load(f, "  web: { build: ./web }\n");
    auto_(build_survey_freep) struct build_survey *s = surveyed(f, l.stack);
    auto_result struct result r = built(f, l.stack, s, "web", false);
    assert_built(&r);
    assert_non_null(strstr(r.log.buf, "50000000\n2000\n"));
}

#define ON_ENGINE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BY_BOTH(test) ON_ENGINE(test##_buildkit), ON_ENGINE(test##_classic)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BY_BOTH(an_image_and_its_labels),
        BY_BOTH(images_from_each_other),
        BY_BOTH(folders_beside_the_context),
        BY_BOTH(a_step_that_fails),
        BY_BOTH(a_dockerfile_that_is_wrong),
        BY_BOTH(a_base_that_is_nowhere),
        BY_BOTH(a_hostile_tree),
        BY_BOTH(dockerfiles_that_are_elsewhere),
        BY_BOTH(a_change_after_the_survey),
        BY_BOTH(a_build_that_is_cancelled),
        ON_ENGINE(large_contexts_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
