/*
 * What cp, export and commit ask of an engine, and what they make of one that lies: a tar that
 * leads outside, a stat that is none, an answer that ends in the middle.
 */
#include "fake_engine.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

#define FILE_STAT "{\"name\":\"f\",\"size\":5,\"mode\":420,\"linkTarget\":\"\"}"
#define LINK_STAT "{\"name\":\"f\",\"size\":5,\"mode\":134218239,\"linkTarget\":\"/real/place\"}"
#define FOLDER_STAT "{\"name\":\"f\",\"size\":0,\"mode\":2147484141,\"linkTarget\":\"\"}"

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void run(struct trial *t, struct fake *f, const char *args, int code)
{
    fake_forget(f);
    trial_run(t, f, args);
    if (t->code != code)
        fail_msg("stack %s: exit code %d: %s", args, t->code, t->err);
    assert_true(text_is_safe(t->err));
}

/* A stack of one service with two containers. */
static int setup(void **state)
{
    struct fixture *x;
    auto_trial struct trial t = { 0 };
    if (fixture_open(&x) < 0)
        return -1;
    fake_image(x->f, "base", NULL);
    put("compose.yaml", "name: t\nservices: {a: {image: base, scale: 2}}\n");
    run(&t, x->f, "up -d", 0);
    *state = x;
    return mkdir("to", 0755);
}

static void tar_entry(struct str *tar, char type, const char *name, const char *link,
                      const char *data)
{
    char header[512] = { 0 };
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 8, "%07o", 0644);
    snprintf(header + 108, 8, "%07o", 0);
    snprintf(header + 116, 8, "%07o", 0);
    snprintf(header + 124, 12, "%011o", (unsigned)strlen(data));
    snprintf(header + 136, 12, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = type;
    snprintf(header + 157, 100, "%s", link);
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    header[155] = ' ';
    str_addn(tar, header, sizeof(header));
    str_add(tar, data);
    while (tar->len % 512)
        str_addc(tar, '\0');
}

static void serve(struct fake *f, const char *stat, struct str *tar)
{
    for (int i = 0; i < 1024; i++)
        str_addc(tar, '\0');
    fake_archive(f, stat, tar->buf, tar->len);
    str_clear(tar);
}

/* "METHOD path?query" of the n-th request, ids cut out; the caller's. */
static char *asked(struct fake *f, size_t n)
{
    assert_true(n < fake_count(f));
    const struct fake_request *rq = fake_request(f, n);
    auto_free char *query = json_dumps(rq->query, JSON_COMPACT | JSON_SORT_KEYS);
    const char *slash = strrchr(rq->path, '/');
    return xasprintf("%s %s %s", rq->method, slash, query);
}

static void assert_asked(struct fake *f, size_t n, const char *wanted)
{
    auto_free char *got = asked(f, n);
    assert_string_equal(got, wanted);
}

static void assert_file(const char *path, const char *wanted)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("there is no '%s'", path);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    assert_int_equal(n, strlen(wanted));
    assert_string_equal(text, wanted);
}

static void out_of_a_container(void **state)
{
    struct fixture *x = *state;
    auto_str struct str tar = STR_INIT;
    auto_trial struct trial t = { 0 }, followed = { 0 }, dry = { 0 }, standard = { 0 };
    tar_entry(&tar, '0', "f", "", "hello");
    serve(x->f, FILE_STAT, &tar);
    run(&t, x->f, "cp a:/d/../x/f to", 0);
    assert_int_equal(fake_count(x->f), 3);
    assert_asked(x->f, 1, "HEAD /archive {\"path\":[\"/x/f\"]}");
    assert_asked(x->f, 2, "GET /archive {\"path\":[\"/x/f\"]}");
    assert_file("to/f", "hello");
    assert_string_equal(t.err, "copied t-a-1:/d/../x/f to to/f: 5 B\n");
    run(&dry, x->f, "--dry-run cp a:x to/other", 0);
    assert_int_equal(fake_count(x->f), 2);
    assert_int_equal(access("to/other", F_OK), -1);
    run(&standard, x->f, "cp a:x/ -", 0);
    assert_asked(x->f, 1, "HEAD /archive {\"path\":[\"/x/\"]}");
    assert_memory_equal(standard.out, "f\0", 2);

    tar_entry(&tar, '0', "place", "", "there");
    serve(x->f, LINK_STAT, &tar);
    run(&followed, x->f, "cp -L --index 2 a:/f to/new", 0);
    assert_int_equal(fake_count(x->f), 4);
    assert_asked(x->f, 2, "HEAD /archive {\"path\":[\"/real/place\"]}");
    assert_asked(x->f, 3, "GET /archive {\"path\":[\"/real/place\"]}");
    assert_file("to/new", "there");
}

static void into_containers(void **state)
{
    struct fixture *x = *state;
    auto_trial struct trial t = { 0 }, one = { 0 }, nothing = { 0 };
    put("f", "hello");
    fake_archive(x->f, FOLDER_STAT, "", 0);
    run(&t, x->f, "cp f a:/etc", 0);
    assert_int_equal(fake_count(x->f), 1 + 2 * 2);
    assert_asked(x->f, 1, "HEAD /archive {\"path\":[\"/etc\"]}");
    assert_asked(x->f, 2, "PUT /archive {\"noOverwriteDirNonDir\":[\"1\"],\"path\":[\"/etc\"]}");
    assert_asked(x->f, 4, "PUT /archive {\"noOverwriteDirNonDir\":[\"1\"],\"path\":[\"/etc\"]}");
    assert_string_equal(
        json_string_value(json_object_get(fake_file_in(x->f, "t-a-2", "/etc/f"), "content")),
        "hello");
    fake_archive(x->f, NULL, "", 0);
    run(&one, x->f, "cp -a --index 2 f a:/etc/new", 0);
    assert_int_equal(fake_count(x->f), 3);
    assert_asked(x->f, 2,
                 "PUT /archive {\"copyUIDGID\":[\"1\"],\"noOverwriteDirNonDir\":[\"1\"],"
                 "\"path\":[\"/etc\"]}");
    assert_non_null(fake_file_in(x->f, "t-a-2", "/etc/new"));
    run(&nothing, x->f, "cp f a:/etc/new/", 1);
    assert_int_equal(fake_count(x->f), 2);
}

static void engines_that_lie(void **state)
{
    struct fixture *x = *state;
    struct fake *f = x->f;
    auto_str struct str tar = STR_INIT;
    auto_trial struct trial outside = { 0 }, link = { 0 }, other = { 0 }, stat = { 0 },
                            none = { 0 }, no_tar = { 0 }, terminal = { 0 };
    tar_entry(&tar, '5', "d", "", "");
    tar_entry(&tar, '0', "d/../../evil", "", "x");
    serve(f, FOLDER_STAT, &tar);
    run(&outside, f, "cp a:/d to", 1);
    assert_non_null(strstr(outside.err, "leads outside"));
    tar_entry(&tar, '5', "d", "", "");
    tar_entry(&tar, '2', "d/l", x->dir, "");
    tar_entry(&tar, '0', "d/l/evil", "", "x");
    serve(f, FOLDER_STAT, &tar);
    run(&link, f, "cp a:/d to", 1);
    assert_non_null(strstr(link.err, "nothing is written through links"));
    tar_entry(&tar, '0', "f", "", "hello");
    tar_entry(&tar, '0', "evil", "", "x");
    serve(f, FILE_STAT, &tar);
    run(&other, f, "cp a:/f to", 1);
    assert_non_null(strstr(other.err, "beside 'f'"));
    assert_int_equal(access("evil", F_OK), -1);
    assert_int_equal(access("to/evil", F_OK), -1);
    fake_archive(f, "{}", "", 0);
    run(&stat, f, "cp a:/f to", 1);
    assert_non_null(strstr(stat.err, "has no mode"));
    fake_archive(f, FILE_STAT, "", 0);
    run(&none, f, "cp a:/f to", 1);
    assert_non_null(strstr(none.err, "the tar with the files is"));
    fake_archive(f, FILE_STAT, "no tar: \x1b]0;x\a and nothing else", 30);
    run(&no_tar, f, "cp a:/f to", 1);
    tar_entry(&tar, '0', "f", "", "");
    tar_entry(&tar, '0',
              "\x1b[2J\x9b"
              "1m/../x",
              "", "x");
    serve(f, FILE_STAT, &tar);
    run(&terminal, f, "cp a:/f to", 1);
}

static void answers_that_end_early(void **state)
{
    struct fixture *x = *state;
    auto_str struct str tar = STR_INIT;
    auto_free char *much = xcalloc(1, 300001);
    auto_trial struct trial cut = { 0 }, file = { 0 }, gone = { 0 };
    memset(much, 'x', 300000);
    tar_entry(&tar, '0', "f", "", much);
    serve(x->f, FILE_STAT, &tar);
    put("all.tar", "before");
    fake_forget(x->f);
    fake_spoil(x->f, FAULT_CUT, 0, 3);
    trial_run(&cut, x->f, "cp a:/f to");
    assert_true(fake_spoiled(x->f));
    assert_int_equal(cut.code, 4);
    assert_int_equal(access("to/f", F_OK), -1); /* rather than half of it */
    fake_forget(x->f);
    fake_spoil(x->f, FAULT_CUT, 0, 2);
    trial_run(&file, x->f, "export -o all.tar a");
    assert_int_equal(file.code, 4);
    assert_file("all.tar", "before");
    fake_forget(x->f);
    fake_spoil(x->f, FAULT_DROP_AFTER, 0, 3);
    put("f", "hello");
    trial_run(&gone, x->f, "cp --index 1 f a:/etc");
    assert_int_equal(gone.code, 4);
}

static void exports_and_commits(void **state)
{
    struct fixture *x = *state;
    auto_str struct str tar = STR_INIT;
    auto_trial struct trial t = { 0 }, commit = { 0 }, plain = { 0 }, dry = { 0 };
    struct stat st;
    tar_entry(&tar, '0', "f", "", "hello");
    serve(x->f, FILE_STAT, &tar);
    run(&t, x->f, "export -o all.tar --index 2 a", 0);
    assert_int_equal(fake_count(x->f), 2);
    assert_asked(x->f, 1, "GET /export {}");
    assert_int_equal(stat("all.tar", &st), 0);
    assert_int_equal(st.st_size, 2048);
    auto_free char *id = fake_id_of(x->f, "a");
    run(&commit, x->f, "commit -a Ada -m why -c CMD=x --pause=false a h.example/x:2", 0);
    assert_string_equal(commit.out, "sha256:committed\n");
    auto_free char *wanted = xasprintf(
        "POST /commit {\"author\":[\"Ada\"],\"changes\":[\"CMD=x\"],\"comment\":[\"why\"],"
        "\"container\":[\"%s\"],\"pause\":[\"0\"],\"repo\":[\"h.example/x\"],\"tag\":[\"2\"]}",
        id);
    assert_asked(x->f, 1, wanted);
    run(&plain, x->f, "commit a", 0);
    auto_free char *unnamed =
        xasprintf("POST /commit {\"container\":[\"%s\"],\"pause\":[\"1\"]}", id);
    assert_asked(x->f, 1, unnamed);
    run(&dry, x->f, "--dry-run commit a x", 0);
    assert_int_equal(fake_count(x->f), 1);
}

int main(void)
{
#define with_stack(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_stack(out_of_a_container),  with_stack(into_containers),
        with_stack(engines_that_lie),    with_stack(answers_that_end_early),
        with_stack(exports_and_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
