/* Reading a repository without a work tree. */
#include "git_repo.h"

#include "git/objects.h"

struct seen {
    struct str text;
    struct repo *r;
};

static int see(void *ctx, const struct repo_entry *e, struct error *err)
{
    static const char *const kinds[] = { "file", "program", "link", "submodule" };
    struct seen *s = ctx;
    auto_free char *bytes = NULL;
    size_t n = 0;
    if (e->kind != REPO_SUBMODULE && repo_blob(&bytes, &n, s->r, e->id, 100, err) < 0)
        return -1;
    str_addf(&s->text, "%s %s %s", e->path, kinds[e->kind], bytes ? bytes : "\n");
    return 0;
}

static void files_of_a_commit_and_their_bytes(void **state)
{
    (void)state;
    make_origin("work");
    run_sh("cd work && mkdir a && echo below >a/x && echo x >a.b && git add . && "
           "git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,sub "
           "&& git commit -qm two && git clone -q --bare . ../bare.git");
    static const char *const dirs[] = { "work", "bare.git" };
    for (size_t i = 0; i < countof(dirs); i++) {
        auto_(repo_closep) struct repo *r = NULL;
        auto_free char *name = NULL;
        char id[REPO_ID_LEN + 1];
        assert_int_equal(repo_open(&r, dirs[i], NULL), 0);
        assert_int_equal(repo_resolve(id, &name, r, NULL, NULL), 0);
        assert_string_equal(name, "refs/heads/main");
        struct seen all = { STR_INIT, r }, below = { STR_INIT, r };
        assert_int_equal(repo_each(r, id, "", see, &all, NULL), 0);
        assert_string_equal(all.text.buf,
                            "a.b file x\na/x file below\ndocstack/Dockerfile file FROM scratch\n"
                            "file file one\nlink link filesub submodule \ntool program x\n");
        assert_int_equal(repo_each(r, id, "a", see, &below, NULL), 0);
        assert_string_equal(below.text.buf, "x file below\n");
        auto_error struct error err = ERROR_INIT;
        assert_int_equal(repo_each(r, id, "none", see, &below, &err), -1);
        assert_int_equal(err.kind, ERR_NOTFOUND);
        assert_int_equal(repo_each(r, id, "file", see, &below, &err), -1);
        str_clear(&all.text);
        str_clear(&below.text);
    }
}

static void a_file_that_is_too_large_is_not_read(void **state)
{
    (void)state;
    make_origin("work");
    run_sh("cd work && head -c 101 /dev/zero >large && git add . && git commit -qm large");
    auto_(repo_closep) struct repo *r = NULL;
    auto_error struct error err = ERROR_INIT;
    char id[REPO_ID_LEN + 1];
    assert_int_equal(repo_open(&r, "work", NULL), 0);
    assert_int_equal(repo_resolve(id, NULL, r, "main", NULL), 0);
    struct seen all = { STR_INIT, r };
    assert_int_equal(repo_each(r, id, "", see, &all, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    str_clear(&all.text);
}

static void tags_and_distances(void **state)
{
    (void)state;
    make_origin("work");
    run_sh("cd work && git tag light && git tag -am x annotated && git branch old && "
           "echo 2 >file && git commit -qam two && echo 3 >file && git commit -qam three && "
           "git tag other && git checkout -q old && echo 4 >file && git commit -qam four && "
           "git tag same-name && git branch same-name main");
    auto_(repo_closep) struct repo *r = NULL;
    auto_strv struct strv tags = STRV_INIT;
    char light[REPO_ID_LEN + 1], tip[REPO_ID_LEN + 1], old[REPO_ID_LEN + 1], id[REPO_ID_LEN + 1];
    size_t ahead, behind;
    assert_int_equal(repo_open(&r, "work", NULL), 0);
    assert_int_equal(repo_resolve(light, NULL, r, "annotated", NULL), 0);
    assert_int_equal(repo_resolve(tip, NULL, r, "main", NULL), 0);
    assert_int_equal(repo_resolve(old, NULL, r, "old", NULL), 0);
    assert_int_equal(repo_tags_of(&tags, r, light, NULL), 0);
    assert_int_equal(tags.len, 2);
    assert_string_equal(tags.items[0], "annotated");
    assert_string_equal(tags.items[1], "light");
    assert_int_equal(repo_ahead_behind(&ahead, &behind, r, tip, old, NULL), 0);
    assert_int_equal(ahead, 2);
    assert_int_equal(behind, 1);
    /* A branch wins over a tag of its name. */
    assert_int_equal(repo_resolve(id, NULL, r, "same-name", NULL), 0);
    assert_string_equal(id, tip);
}

/* Two commits whose ids begin with the same four digits: found by trying, a few hundred are enough.
 */
static void an_abbreviation_that_means_several(void **state)
{
    (void)state;
    make_origin("work");
    auto_free char *digits = sh(
        "cd work && t=$(git rev-parse HEAD^{tree}) && i=0 && while [ $i -lt 1500 ]; do "
        "i=$((i + 1)); printf 'commit refs/heads/many\\ncommitter a <a@b> %d +0000\\ndata 0\\n' $i;"
        "done | git fast-import --quiet --force && "
        "git rev-list --all | cut -c1-4 | sort | uniq -d | head -n 1");
    assert_int_equal(strlen(digits), 4);
    auto_(repo_closep) struct repo *r = NULL;
    auto_error struct error err = ERROR_INIT;
    char id[REPO_ID_LEN + 1];
    assert_int_equal(repo_open(&r, "work", NULL), 0);
    assert_int_equal(repo_resolve(id, NULL, r, digits, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "several commits begin with"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        git_test(files_of_a_commit_and_their_bytes),
        git_test(a_file_that_is_too_large_is_not_read),
        git_test(tags_and_distances),
        git_test(an_abbreviation_that_means_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
