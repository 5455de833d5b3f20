/* The survey: what is FROM what, in which order, and what a fingerprint depends on. */
#include "model_stack.h"

#include "base/json.h"
#include "base/mem.h"
#include "build/build.h"
#include "build/request.h"
#include "build/survey.h"
#include "model/labels.h"

struct surveyed {
    struct loaded loaded;
    struct loop *loop;
    struct build_survey *survey; /* NULL: it failed */
    struct error err;
};

static void surveyed_clear(struct surveyed *s)
{
    build_survey_free(s->survey);
    loop_free(s->loop);
    loaded_clear(&s->loaded);
    error_clear(&s->err);
}
#define auto_surveyed __attribute__((unused, cleanup(surveyed_clear)))

/* Of the stack in the current folder. */
static struct surveyed survey_wanted(const bool *wanted)
{
    struct surveyed s = { .loaded = load_here(), .loop = loop_new() };
    if (!s.loaded.stack)
        fail_msg("%s", s.loaded.said);
    assert_int_equal(setenv("XDG_CACHE_HOME", "/nonexistent/cache", 1), 0);
    build_survey(&s.survey, s.loop, s.loaded.stack, wanted, &s.err);
    return s;
}

static struct surveyed survey(void)
{
    struct surveyed s = survey_wanted(NULL);
    if (!s.survey)
        fail_msg("%s", s.err.msg);
    return s;
}

static size_t index_of(const struct surveyed *s, const char *name)
{
    for (size_t i = 0; i < s->survey->nimages; i++)
        if (strcmp(s->survey->images[i].image->name, name) == 0)
            return i;
    fail_msg("no image '%s'", name);
    return 0;
}

static const char *fingerprint(const struct surveyed *s, const char *name)
{
    return s->survey->images[index_of(s, name)].fingerprint;
}

/* "a b": what the image is FROM. */
static void assert_from(const struct surveyed *s, const char *name, const char *expected)
{
    const struct plan_image *image = &s->survey->images[index_of(s, name)];
    auto_str struct str text = STR_INIT;
    for (size_t i = 0; i < image->nbases; i++)
        str_addf(&text, "%s%s", i ? " " : "", s->survey->images[image->bases[i]].image->name);
    assert_string_equal(text.buf, expected);
}

static void assert_bases(const struct surveyed *s, const char *expected)
{
    auto_str struct str text = STR_INIT;
    for (size_t i = 0; i < s->survey->nbases; i++)
        if (!strchr(s->survey->bases[i], '*'))
            str_addf(&text, "%s%s", text.len ? " " : "", s->survey->bases[i]);
    assert_string_equal(text.buf, expected);
}

/* The Dockerfile as the engine gets it. */
static void assert_sent(const struct surveyed *s, const char *name, const char *expected)
{
    size_t len;
    auto_free char *text =
        recipe_dockerfile(&len, s->survey->detail->images[index_of(s, name)].recipe);
    assert_string_equal(text, expected);
}

#define WEB_AND_BASE            \
    "name: demo\n"              \
    "services:\n"               \
    "  web: { build: ./web }\n" \
    "  base: { build: ./base, image: 'demo/base:1' }\n"

static void from_by_reference_and_by_name(void **state)
{
    (void)state;
    put("compose.yaml", WEB_AND_BASE);
    put("base/Dockerfile", "FROM busybox\n");
    put("web/Dockerfile", "FROM docker.io/demo/base:1\nCOPY --from=base:latest /a /b\n"
                          "RUN --mount=type=bind,from=alpine:3,target=/m true\n");
    auto_surveyed struct surveyed s = survey();
    assert_from(&s, "web", "base");
    assert_from(&s, "base", "");
    assert_bases(&s, "alpine:3 busybox:latest");
    assert_string_equal(s.survey->bases[1], "alpine@*");
    assert_sent(&s, "web",
                "FROM demo/base:1\nCOPY --from=demo/base:1 /a /b\n"
                "RUN --mount=type=bind,from=alpine:3,target=/m true\n");
    assert_int_equal(strlen(fingerprint(&s, "web")), DIGEST_HEX_LEN);
}

static void an_image_from_its_own_name_is_from_elsewhere(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices: { nginx: { build: . } }\n");
    put("Dockerfile", "FROM nginx\n");
    auto_surveyed struct surveyed s = survey();
    assert_from(&s, "nginx", "");
    assert_bases(&s, "nginx:latest");
    assert_sent(&s, "nginx", "FROM nginx\n");
}

static void only_what_the_target_needs(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web: { build: { context: ./web, target: small } }\n"
                        "  base: { build: ./base }\n");
    put("base/Dockerfile", "FROM scratch\n");
    put("web/Dockerfile", "FROM busybox AS small\nFROM huge AS test\nCOPY --from=base / /\n");
    auto_surveyed struct surveyed s = survey();
    assert_bases(&s, "busybox:latest");
    assert_from(&s, "web", "base"); /* the classic builder would run that stage too */
}

static void triggers_order_the_builds_of_those_from_it(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web: { build: ./web }\n"
                        "  base: { build: ./base }\n"
                        "  tools: { build: ./tools }\n");
    put("base/Dockerfile", "FROM busybox\nONBUILD COPY --from=tools /t /t\n");
    put("tools/Dockerfile", "FROM alpine\n");
    put("web/Dockerfile", "FROM base\n");
    auto_surveyed struct surveyed s = survey();
    assert_from(&s, "base", "");
    assert_from(&s, "web", "base tools");
    assert_sent(&s, "base", "FROM busybox\nONBUILD COPY --from=demo-tools /t /t\n");
}

static void additional_contexts_that_are_images(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web:\n"
                        "    build:\n"
                        "      context: ./web\n"
                        "      additional_contexts:\n"
                        "        one: service:base\n"
                        "        two: docker-image://alpine:3\n"
                        "        three: ./web\n"
                        "  base: { build: ./base }\n");
    put("base/Dockerfile", "FROM scratch\n");
    put("web/Dockerfile", "FROM one\nCOPY --from=two / /\n");
    auto_surveyed struct surveyed s = survey();
    assert_from(&s, "web", "base");
    assert_bases(&s, "alpine:3");
    assert_sent(&s, "web", "FROM demo-base\nCOPY --from=alpine:3 / /\n");
}

static void cycles_are_printed(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  a: { build: ./a }\n  b: { build: ./b }\n  c: { build: ./c }\n");
    put("a/Dockerfile", "FROM b\n");
    put("b/Dockerfile", "FROM scratch\nCOPY --from=c / /\n");
    put("c/Dockerfile", "FROM b\n");
    auto_surveyed struct surveyed s = survey_wanted(NULL);
    assert_null(s.survey);
    assert_int_equal(s.err.kind, ERR_INPUT);
    assert_non_null(strstr(s.err.msg, "images are FROM each other: b -> c -> b"));
}

static void only_the_wanted_and_what_they_are_from(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  a: { build: ./a }\n  b: { build: ./b }\n  c: { build: ./missing }\n");
    put("a/Dockerfile", "FROM b\n");
    put("b/Dockerfile", "FROM scratch\n");
    const bool wanted[] = { true, false, false };
    auto_surveyed struct surveyed s = survey_wanted(wanted);
    assert_non_null(s.survey);
    assert_non_null(fingerprint(&s, "a"));
    assert_non_null(fingerprint(&s, "b"));
    assert_null(fingerprint(&s, "c"));
}

static void mistakes_name_the_image_and_its_place(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n  web: { build: ./missing }\n");
    auto_surveyed struct surveyed s = survey_wanted(NULL);
    assert_null(s.survey);
    assert_int_equal(s.err.kind, ERR_INPUT);
    assert_non_null(strstr(s.err.msg, "compose.yaml:3:"));
    assert_non_null(strstr(s.err.msg, "image 'web': "));
    assert_non_null(strstr(s.err.msg, "missing' does not exist"));
}

/* Fingerprints. */

static char *print_of(const char *name)
{
    auto_surveyed struct surveyed s = survey();
    return xstrdup(fingerprint(&s, name));
}

static void assert_print(const char *name, char **print, bool same)
{
    char *now = print_of(name);
    if ((strcmp(now, *print) == 0) != same)
        fail_msg("the fingerprint of '%s' %s", name, same ? "changed" : "did not change");
    free(*print);
    *print = now;
}

static void what_changes_a_fingerprint(void **state)
{
    (void)state;
    put("compose.yaml", WEB_AND_BASE);
    put("base/Dockerfile", "FROM busybox\n");
    put("base/.dockerignore", "ignored\n");
    put("web/Dockerfile", "FROM base\n");
    auto_free char *web = print_of("web");
    auto_free char *base = print_of("base");

    put("base/ignored", "x");
    assert_print("web", &web, true);
    put("base/file", "x");
    assert_print("base", &base, false);
    assert_print("web", &web, false);
    put("web/file", "x");
    assert_print("base", &base, true);
    assert_print("web", &web, false);
    put("web/Dockerfile", "FROM base\n# other\n");
    assert_print("web", &web, false);
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web: { build: { context: ./web, args: { A: '1' } } }\n"
                        "  base: { build: ./base, image: 'demo/base:1' }\n");
    assert_print("web", &web, false);
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web: { build: { context: ./web, args: { A: '2' } } }\n"
                        "  base: { build: ./base, image: 'demo/base:1' }\n");
    assert_print("web", &web, false);
    /* The name of the stack, its other keys and the tags are no part of what an image is. */
    put("compose.yaml", "name: other\nservices:\n"
                        "  web:\n    hostname: x\n"
                        "    build: { context: ./web, args: { A: '2' }, tags: ['x:1'] }\n"
                        "  base: { build: ./base, image: 'other/base:2' }\n");
    assert_print("web", &web, true);
}

static struct snapshot *seen(const char *json)
{
    struct snapshot *now = snapshot_new();
    auto_json json_t *list = json_parse(json, strlen(json), "images", NULL);
    assert_int_equal(snapshot_read_images(now, list, NULL), 0);
    return now;
}

static char *observed_print(const char *json)
{
    auto_surveyed struct surveyed s = survey();
    auto_(snapshot_freep) struct snapshot *now = seen(json);
    build_survey_observed(s.survey, now);
    return xstrdup(fingerprint(&s, "web"));
}

static void bases_from_elsewhere_count_by_digest(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices: { web: { build: ./web } }\n");
    put("web/Dockerfile", "FROM busybox\n");
    auto_free char *unseen = print_of("web");
    auto_free char *absent = observed_print("[]");
    assert_string_equal(unseen, absent);
    auto_free char *by_id =
        observed_print("[{\"Id\":\"sha256:1\",\"RepoTags\":[\"busybox:latest\"]}]");
    auto_free char *other_id =
        observed_print("[{\"Id\":\"sha256:2\",\"RepoTags\":[\"busybox:latest\"]}]");
    assert_string_not_equal(by_id, absent);
    assert_string_not_equal(by_id, other_id);
    /* The same digest under another id, as on an engine with another image store. */
    auto_free char *digest_1 =
        observed_print("[{\"Id\":\"sha256:1\",\"RepoTags\":[\"busybox:latest\"],"
                       "\"RepoDigests\":[\"busybox@sha256:aa\"]}]");
    auto_free char *digest_2 =
        observed_print("[{\"Id\":\"sha256:2\",\"RepoTags\":[\"busybox:latest\"],"
                       "\"RepoDigests\":[\"x/busybox@sha256:bb\",\"busybox@sha256:aa\"]}]");
    assert_string_equal(digest_1, digest_2);
    assert_string_not_equal(digest_1, by_id);
}

static void a_chosen_platform_is_not_looked_up(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web: { build: ./web, platform: linux/arm64 }\n"
                        "  two: { build: ./two }\n");
    put("web/Dockerfile", "FROM busybox\n");
    put("two/Dockerfile", "FROM --platform=linux/arm64 alpine\n");
    auto_surveyed struct surveyed s = survey();
    assert_bases(&s, "");
}

static void a_context_that_the_engine_fetches(void **state)
{
    (void)state;
    put("compose.yaml",
        "name: demo\nservices: { web: { build: 'https://example.org/x.git#main' } }\n");
    auto_free char *print = print_of("web");
    assert_print("web", &print, true);
    put("compose.yaml",
        "name: demo\nservices: { web: { build: 'https://example.org/x.git#other' } }\n");
    assert_print("web", &print, false);
}

/* What is in them counts, not where they are; what no needed stage names does not. */
static void additional_folders(void **state)
{
    (void)state;
    static const char form[] = "name: demo\nservices:\n  web:\n    build:\n      context: ./web\n"
                               "      additional_contexts: { more: ./%s, other: ./nowhere }\n";
    auto_free char *one = xasprintf(form, "one");
    auto_free char *two = xasprintf(form, "two");
    put("web/Dockerfile", "FROM busybox AS a\nCOPY --from=other / /\nFROM busybox\n"
                          "COPY --from=more / /\n");
    put("one/file", "text");
    put("two/file", "text");
    put("two/left-out", "x");
    put("two/.dockerignore", "left-out\n.dockerignore\n");
    put("compose.yaml", one);
    char *print = print_of("web");
    put("compose.yaml", two);
    assert_print("web", &print, true);
    put("two/left-out", "y");
    assert_print("web", &print, true);
    put("two/file", "other");
    assert_print("web", &print, false);
    free(print);

    put("web/Dockerfile", "FROM other\n");
    auto_loaded struct loaded l = load_here();
    auto_(loop_freep) struct loop *loop = loop_new();
    auto_error struct error err = ERROR_INIT;
    struct build_survey *survey;
    assert_int_equal(build_survey(&survey, loop, l.stack, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "build.additional_contexts: 'other': the build context '"));
}

/* The request. */

static char *request_of(const struct surveyed *s, const char *name, const struct build_options *opt,
                        bool buildkit, struct error *err)
{
    struct build_request in = { .recipe = s->survey->detail->images[index_of(s, name)].recipe,
                                .options = opt,
                                .fingerprint = "f00",
                                .buildkit = buildkit };
    struct engine_request rq = { 0 };
    if (build_request(&rq, &in, err) < 0)
        return NULL;
    assert_string_equal(rq.method, "POST");
    assert_true(rq.quiet_ok);
    char *path = xstrdup(rq.path);
    engine_request_clear(&rq);
    return path;
}

static void assert_has(const char *path, const char *part)
{
    if (!strstr(path, part))
        fail_msg("no %s in %s", part, path);
}

static void every_key_that_the_engine_takes(void **state)
{
    (void)state;
    put("compose.yaml", "name: demo\nservices:\n"
                        "  web:\n"
                        "    platform: linux/amd64\n"
                        "    build:\n"
                        "      context: ./web\n"
                        "      target: final\n"
                        "      args: { A: '1', B: two }\n"
                        "      labels: { l: v }\n"
                        "      network: host\n"
                        "      extra_hosts: ['db=10.0.0.1']\n"
                        "      shm_size: 64m\n"
                        "      ulimits: { nofile: { soft: 10, hard: 20 }, nproc: 5 }\n"
                        "      cache_from: ['demo/cache:1', 'type=registry,ref=r/c:2,x=y']\n"
                        "      cache_to: ['type=inline']\n"
                        "      no_cache: true\n"
                        "      tags: ['demo/web:x']\n");
    put("web/Dockerfile", "FROM busybox AS final\n");
    auto_surveyed struct surveyed s = survey();
    struct build_options opt = { 0 };
    auto_free char *path = request_of(&s, "web", &opt, true, NULL);
    static const char *const parts[] = {
        "/build?version=2&",
        "&dockerfile=Dockerfile",
        "&t=demo-web&",
        "&t=demo%2Fweb%3Ax&",
        "&target=final",
        "&platform=linux%2Famd64",
        "&networkmode=host",
        "&shmsize=67108864",
        "&nocache=1",
        "&rm=1&forcerm=1",
        "&extrahosts=db%3A10.0.0.1",
        "&buildargs=%7B%22A%22%3A%221%22%2C%22B%22%3A%22two%22%2C%22BUILDKIT_INLINE_CACHE%22%3A%221%22%7D",
        "%22dev.stack.fingerprint%22%3A%22f00%22%2C%22l%22%3A%22v%22",
        "&cachefrom=%5B%22demo%2Fcache%3A1%22%2C%22r%2Fc%3A2%22%5D",
        "%22Hard%22%3A20%2C%22Name%22%3A%22nofile%22%2C%22Soft%22%3A10",
        "%22Hard%22%3A5%2C%22Name%22%3A%22nproc%22%2C%22Soft%22%3A5",
    };
    for (size_t i = 0; i < countof(parts); i++)
        assert_has(path, parts[i]);
    assert_null(strstr(path, "com.docker.compose"));
    auto_free char *classic = request_of(&s, "web", &opt, false, NULL);
    assert_null(strstr(classic, "version=2"));
}

static void what_the_engine_cannot_do(void **state)
{
    (void)state;
    put("key", "x");
    put("web/Dockerfile", "FROM busybox\nRUN <<E\nx\nE\nCOPY --from=more / /\n");
    put("sec/Dockerfile", "FROM busybox\nRUN --mount=type=secret,id=s true\n");
    put("ssh/Dockerfile", "FROM busybox\n");
    put("compose.yaml",
        "name: demo\nservices:\n"
        "  web: { build: { context: ./web, additional_contexts: { more: 'https://x.example/y.tgz' } } }\n"
        "  sec: { build: { context: ./sec } }\n"
        "  ssh: { build: { context: ./ssh, ssh: [default] } }\n"
        "  key: { build: { context: ./ssh, secrets: [s] } }\n"
        "  doc: { build: { context: ./web } }\n"
        "  out: { build: { context: ./ssh, cache_to: ['type=local,dest=x'] } }\n"
        "secrets: { s: { file: ./key } }\n");
    auto_surveyed struct surveyed s = survey();
    static const struct {
        const char *image;
        bool buildkit;
        const char *said;
    } cases[] = {
        { "web", true, "build.additional_contexts: 'more'" },
        { "sec", false, "mounts a secret" },
        { "ssh", false, "build.ssh: " },
        { "key", false, "build.secrets: " },
        { "doc", false, "here-documents" },
        { "out", true, "build.cache_to: " },
    };
    struct build_options opt = { 0 };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_error struct error err = ERROR_INIT;
        auto_free char *path = request_of(&s, cases[i].image, &opt, cases[i].buildkit, &err);
        assert_null(path);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_has(err.msg, cases[i].said);
    }
    auto_free char *fine = request_of(&s, "doc", &opt, true, NULL);
    assert_non_null(fine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(from_by_reference_and_by_name),
        stack_test(an_image_from_its_own_name_is_from_elsewhere),
        stack_test(only_what_the_target_needs),
        stack_test(triggers_order_the_builds_of_those_from_it),
        stack_test(additional_contexts_that_are_images),
        stack_test(additional_folders),
        stack_test(cycles_are_printed),
        stack_test(only_the_wanted_and_what_they_are_from),
        stack_test(mistakes_name_the_image_and_its_place),
        stack_test(what_changes_a_fingerprint),
        stack_test(bases_from_elsewhere_count_by_digest),
        stack_test(a_chosen_platform_is_not_looked_up),
        stack_test(a_context_that_the_engine_fetches),
        stack_test(every_key_that_the_engine_takes),
        stack_test(what_the_engine_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
