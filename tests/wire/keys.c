/*
 * Every key reaches the engine: the cases of keys.txt, each an `up` on the engine made of JSON and
 * a look at what was asked of it; and no key of the schema table that runs is without one.
 */
#include "../support/trial.h"
#include "../unit/unit.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/strv.h"
#include "model/schema.h"

struct key_case {
    struct strv lines;
    struct strv keys;
    int line; /* in the file */
};

static struct {
    VEC(struct key_case);
} cases;

/* The rest of the line behind its first word, which is `word`; or NULL. */
static const char *after(const char *line, const char *word)
{
    size_t len = strlen(word);
    return str_starts(line, word) && line[len] == ' ' ? line + len + 1 : NULL;
}

static int read_cases(void **state)
{
    (void)state;
    auto_free char *path = xasprintf("%s/tests/wire/keys.txt", getenv("TOP"));
    auto_fclose FILE *file = fopen(path, "r");
    char line[4096];
    struct key_case *c = NULL;
    if (!file)
        return -1;
    for (int n = 1; fgets(line, sizeof(line), file); n++) {
        line[strcspn(line, "\n")] = '\0';
        if (!line[0]) {
            c = NULL;
        } else if (line[0] != '#') {
            if (!c) {
                c = vec_push(&cases);
                c->line = n;
            }
            if (after(line, "key"))
                strv_split(&c->keys, after(line, "key"), " ");
            else
                strv_add(&c->lines, line);
        }
    }
    return 0;
}

static int drop_cases(void **state)
{
    (void)state;
    vec_each (c, &cases) {
        strv_clear(&c->lines);
        strv_clear(&c->keys);
    }
    vec_free(&cases);
    return 0;
}

/* A long text as comments of the test's report, which cuts what it prints itself. */
static void say(const struct str *text)
{
    auto_strv struct strv lines = STRV_INIT;
    strv_split(&lines, text->buf, "\n");
    strv_each (line, &lines)
        printf("# %s\n", *line);
}

/* --- one case --- */

static void put_file(const char *name, const char *text)
{
    auto_free char *dir = xstrndup(name, strcspn(name, "/"));
    if (strchr(name, '/'))
        mkdir(dir, 0755);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    for (const char *p = text; *p; p++) {
        bool newline = p[0] == '\\' && p[1] == 'n';
        fputc(newline ? '\n' : *p, file);
        p += newline;
    }
    fclose(file);
}

/* The stack file of a case, and the files beside it. */
static void write_files(const struct key_case *c)
{
    auto_str struct str text = STR_INIT;
    bool has_image = false;
    strv_each (line, &c->lines)
        has_image |= str_starts(*line, "a image:") || str_starts(*line, "a build:") ||
                     str_starts(*line, "a extends:");
    str_addf(&text, "services:\n  a:\n%s", has_image ? "" : "    image: base\n");
    strv_each (line, &c->lines)
        if (after(*line, "a"))
            str_addf(&text, "    %s\n", after(*line, "a"));
    strv_each (line, &c->lines)
        if (after(*line, "services"))
            str_addf(&text, "  %s\n", after(*line, "services"));
    strv_each (line, &c->lines)
        if (after(*line, "top"))
            str_addf(&text, "%s\n", after(*line, "top"));
    FILE *file = fopen("compose.yaml", "w");
    assert_non_null(file);
    fputs(text.buf, file);
    fclose(file);
    strv_each (line, &c->lines) {
        const char *rest = after(*line, "file");
        if (!rest)
            continue;
        auto_free char *name = xstrndup(rest, strcspn(rest, " "));
        put_file(name, rest + strlen(name) + 1);
    }
}

/* "<b>" in an expected text: the id of the container t-b-1 or the network t_b or b; "<dir>": where
 * the stack file is. */
static char *meant(const struct fake *f, const char *text, const char *dir)
{
    struct str out = STR_INIT;
    for (const char *p = text; *p; p++) {
        const char *end = *p == '<' ? strchr(p, '>') : NULL;
        if (!end) {
            str_addc(&out, *p);
            continue;
        }
        auto_free char *name = xstrndup(p + 1, (size_t)(end - p - 1));
        auto_free char *id = fake_id_of(f, name);
        str_add(&out, str_eq(name, "dir") ? dir : id ? id : "?");
        p = end;
    }
    return str_detach(&out);
}

static const struct fake_request *request_of(const struct fake *f, const char *word)
{
    static const char *const names[][2] = {
        { "connect", "POST /networks/n*" },   { "network", "POST /networks/create" },
        { "volume", "POST /volumes/create" }, { "pull", "POST /images/create" },
        { "build", "POST /build" },
    };
    const char *container = str_starts(word, "create:") ? word + strlen("create:") : "t-a-1";
    const struct fake_request *rq;
    if (str_starts(word, "create")) {
        for (size_t n = 0; (rq = fake_find(f, "POST /containers/create", n)); n++) {
            const json_t *name = json_array_get(json_object_get(rq->query, "name"), 0);
            if (str_eq(json_string_value(name), container))
                return rq;
        }
        return NULL;
    }
    bool exec = str_eq(word, "exec"), connect = str_eq(word, "connect");
    for (size_t k = 0; (rq = fake_request(f, k)); k++)
        if ((exec && str_starts(rq->path, "/containers/") && str_ends(rq->path, "/exec")) ||
            (connect && str_ends(rq->path, "/connect")))
            return rq;
    for (size_t i = 0; i < countof(names); i++)
        if (str_eq(names[i][0], word))
            return fake_find(f, names[i][1], 0);
    return NULL;
}

/* Goes down into `at` by one word. */
static json_t *step(const json_t *at, const char *word)
{
    int64_t index;
    if (json_is_array(at))
        return num_int(&index, word) == 0 ? json_array_get(at, (size_t)index) : NULL;
    void *any = json_object_iter((json_t *)(uintptr_t)at);
    return str_eq(word, "*") ? json_object_iter_value(any) : json_object_get(at, word);
}

static json_t *found(const struct fake *f, const struct strv *path)
{
    const json_t *at = NULL;
    size_t i = 1;
    if (str_eq(path->items[0], "put")) {
        at = fake_file_in(f, "t-a-1", path->items[1]);
        i = 2;
    } else {
        const struct fake_request *rq = request_of(f, path->items[0]);
        const char *key = path->len > 1 && path->items[1][0] == '?' ? path->items[1] + 1 : NULL;
        if (!rq)
            return NULL;
        if (key) {
            json_t *values = json_object_get(rq->query, key);
            return json_array_size(values) == 1 ? json_array_get(values, 0) : values;
        }
        at = rq->body ? rq->body : rq->query;
    }
    for (; at && i < path->len; i++)
        at = step(at, path->items[i]);
    return (json_t *)(uintptr_t)at;
}

/* "PATH... = JSON": NULL when it is so, else what is wrong. */
static char *check_line(const struct fake *f, const char *line, const char *dir)
{
    const char *equals = strstr(line, " = ");
    auto_free char *left = xstrndup(line, (size_t)(equals - line));
    auto_free char *where = meant(f, left, dir);
    auto_free char *right = meant(f, equals + 3, dir);
    auto_strv struct strv path = STRV_INIT;
    strv_split(&path, where, " ");
    const json_t *got = found(f, &path);
    if (str_eq(right, "absent"))
        return got ? xasprintf("%s: is there", line) : NULL;
    auto_json json_t *want = json_loads(right, JSON_DECODE_ANY, NULL);
    assert_non_null(want);
    if (got && json_equal(got, want))
        return NULL;
    auto_free char *text = got ? json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    return xasprintf("%s: it is %s", line, text ? text : "not there");
}

/* What was wrong with a case under one API version; empty: nothing. */
static void run_case(struct str *wrong, struct fake *f, const struct key_case *c, const char *dir,
                     int api)
{
    const char *args = "up -d", *fails = NULL;
    auto_trial struct trial t = { 0 };
    fake_become(f, (struct fake_kind){ .api = api, .api_min = 24 });
    strv_each (line, &c->lines) {
        args = after(*line, "command") ? after(*line, "command") : args;
        fails = after(*line, "fails") ? after(*line, "fails") : fails;
    }
    if (str_starts(args, "down")) {
        auto_trial struct trial before = { 0 };
        trial_run(&before, f, "-p t up -d");
        fake_forget(f);
    }
    auto_free char *all = xasprintf("-f compose.yaml -p t %s", args);
    trial_run(&t, f, all);
    bool failed = t.code != 0;
    if (failed != (fails != NULL))
        str_addf(wrong, "  API 1.%d: exit code %d: %s\n", api, t.code, t.err);
    if (fails && !strstr(t.err, fails))
        str_addf(wrong, "  API 1.%d: no '%s' in: %s\n", api, fails, t.err);
    strv_each (line, &c->lines) {
        auto_free char *text = strstr(*line, " = ") && !strchr("af", **line) && !failed &&
                                       !after(*line, "top") && !after(*line, "services")
                                   ? check_line(f, *line, dir)
                                   : NULL;
        if (text)
            str_addf(wrong, "  API 1.%d: %s\n", api, text);
    }
}

static void versions_of(struct strv *out, const struct key_case *c)
{
    strv_each (line, &c->lines)
        if (after(*line, "api"))
            strv_split(out, after(*line, "api"), " ");
    if (!out->len)
        strv_split(out, "41 51", " ");
}

static void every_key_is_sent_as_the_engine_wants_it(void **state)
{
    const char *dir = *state;
    auto_free char *socket = xasprintf("%s/engine", dir);
    struct fake *f = fake_new(socket);
    auto_str struct str wrong = STR_INIT;
    fake_image(f, "base", NULL);
    fake_image(f, "other:2", json_pack("{s:[s]}", "Cmd", "other"));
    fake_remote(f, "far:1", NULL);
    fake_stranger(f, "far");
    json_t *fresh = fake_save(f);
    vec_each (c, &cases) {
        auto_strv struct strv versions = STRV_INIT;
        auto_str struct str own = STR_INIT;
        bool elsewhere = c->lines.len && after(c->lines.items[0], "elsewhere");
        auto_free char *folder = xasprintf("%s/line-%d", dir, c->line);
        if (elsewhere)
            continue;
        assert_int_equal(mkdir(folder, 0755), 0);
        assert_int_equal(chdir(folder), 0);
        write_files(c);
        versions_of(&versions, c);
        strv_each (version, &versions) {
            int64_t api = 0;
            assert_int_equal(num_int(&api, *version), 0);
            fake_restore(f, fresh);
            run_case(&own, f, c, folder, (int)api);
        }
        if (own.len)
            str_addf(&wrong, "tests/wire/keys.txt:%d: %s\n%s", c->line, c->keys.items[0], own.buf);
    }
    json_decref(fresh);
    fake_free(f);
    say(&wrong);
    assert_int_equal(wrong.len, 0);
}

/* --- completeness --- */

static bool is_covered(const char *key)
{
    vec_each (c, &cases)
        strv_each (k, &c->keys) {
            size_t len = strlen(*k);
            if (str_eq(*k, key) || (str_starts(key, *k) && key[len] == '.' && !strchr(*k, '.')))
                return true;
        }
    return false;
}

static void list_missing(struct str *missing, const char *prefix, const struct schema_keys *keys)
{
    for (size_t i = 0; i < keys->len; i++) {
        const struct schema_key *k = &keys->items[i];
        auto_free char *path = xasprintf("%s%s%s", prefix, *prefix ? "." : "", k->name);
        if (k->effect != EFFECT_RUNS || is_covered(path))
            continue;
        if (k->keys)
            list_missing(missing, path, k->keys);
        else
            str_addf(missing, "no case in tests/wire/keys.txt for %s\n", path);
    }
}

static void no_key_that_runs_is_without_a_case(void **state)
{
    (void)state;
    auto_str struct str missing = STR_INIT;
    list_missing(&missing, "", &schema_top);
    say(&missing);
    assert_int_equal(missing.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_key_is_sent_as_the_engine_wants_it, unit_dir_make,
                                        unit_dir_remove),
        cmocka_unit_test(no_key_that_runs_is_without_a_case),
    };
    return cmocka_run_group_tests(tests, read_cases, drop_cases);
}
