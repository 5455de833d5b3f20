/* Getting work trees, from repositories of this machine. */
#include "git_repo.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static void a_work_tree_is_what_the_ref_means(void **state)
{
    auto_free char *url = xasprintf("file://%s/origin", (char *)*state);
    make_origin("origin");
    run_sh("cd origin && git tag -am x v1 && git checkout -qb stable/1 && echo two >file && "
           "git commit -qam two && git checkout -q main");
    auto_free char *one = sh("git -C origin rev-parse main");
    auto_free char *two = sh("git -C origin rev-parse stable/1");
    auto_free char *abbreviated = xstrndup(two, 7);
    const struct {
        const char *ref, *commit, *name;
    } cases[] = { { NULL, one, "refs/heads/main" },
                  { "main", one, "refs/heads/main" },
                  { "v1", one, "refs/tags/v1" },
                  { "stable/1", two, "refs/heads/stable/1" },
                  { "refs/heads/main", one, "refs/heads/main" },
                  { two, two, "" },
                  { abbreviated, two, "" } };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_free char *tree = xasprintf("%s/tree%zu", (char *)*state, i);
        auto_free char *file = path_join(tree, "file");
        auto_free char *commit = NULL;
        auto_got struct got g =
            get_well((struct repo_want){ .url = url, .ref = cases[i].ref, .tree = tree });
        assert_string_equal(g.commit, cases[i].commit);
        assert_string_equal(g.ref_name, cases[i].name);
        assert_null(g.before);
        assert_int_equal(g.fetched, i == 0);
        assert_file(file, cases[i].commit == one ? "one\n" : "two\n");
        assert_int_equal(repo_tree_commit(&commit, tree, NULL), 0);
        assert_string_equal(commit, cases[i].commit);
    }
    run_sh("test -x tree0/tool && test ! -x tree0/file && test \"$(readlink tree0/link)\" = file");
    run_sh("cd tree0 && test \"$(git describe --tags)\" = v1 && git log -1 origin/stable/1");
    run_sh("test -z \"$(git -C tree0 status --porcelain)\" && git -C tree0 fsck 2>&1");
}

static void only_a_sync_asks_the_origin_again(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    struct repo_want want = { .url = url, .ref = "main", .tree = tree };
    make_origin("origin");
    auto_got struct got first = get_well(want);
    run_sh("cd origin && echo two >file && rm tool && echo new >added && git add -A . && "
           "git commit -qm two");
    auto_got struct got second = get_well(want);
    assert_false(second.fetched);
    assert_string_equal(second.commit, first.commit);
    assert_string_equal(second.before, first.commit);
    want.fetch = REPO_FETCH_ALWAYS;
    auto_got struct got third = get_well(want);
    assert_true(third.fetched);
    assert_string_equal(third.before, first.commit);
    assert_string_not_equal(third.commit, first.commit);
    assert_file("tree/file", "two\n");
    assert_file("tree/added", "new\n");
    assert_false(file_exists("tree/tool"));
    /* A ref that came since then is fetched without being asked. */
    run_sh("git -C origin branch later main");
    want.fetch = REPO_FETCH_MISSING;
    want.ref = "later";
    auto_got struct got fourth = get_well(want);
    assert_true(fourth.fetched);
    /* Exactly one commit, as a lock file has it. */
    want.commit = first.commit;
    auto_got struct got fifth = get_well(want);
    assert_false(fifth.fetched);
    assert_string_equal(fifth.commit, first.commit);
    assert_file("tree/file", "one\n");
}

static void a_branch_may_become_a_folder_of_branches(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    make_origin("origin");
    run_sh("git -C origin branch a && git -C origin branch gone");
    auto_got struct got first = get_well((struct repo_want){ .url = url, .tree = tree });
    run_sh("cd origin && git branch -D a gone && git branch a/b && echo x >file && "
           "git commit -qam forced --amend");
    auto_got struct got second = get_well(
        (struct repo_want){ .url = url, .ref = "a/b", .tree = tree, .fetch = REPO_FETCH_ALWAYS });
    auto_got struct got gone = get((struct repo_want){ .url = url, .ref = "gone", .tree = tree });
    assert_int_equal(gone.err.kind, ERR_NOTFOUND);
}

static void a_missing_ref_names_those_that_are_near(void **state)
{
    auto_free char *url = path_join(*state, "origin");
    make_origin("origin");
    run_sh("git -C origin branch stable/2024.1 && git -C origin tag milestone-2");
    static const struct {
        const char *ref, *said, *hint;
        enum error_kind kind;
    } cases[] = {
        { "stable/2024.2", "there is no branch, tag or commit 'stable/2024.2'",
          "did you mean 'stable/2024.1'?", ERR_NOTFOUND },
        { "milestone2", "there is no", "'milestone-2'", ERR_NOTFOUND },
        { "quite-different", "there is no", "it has main, stable/2024.1, milestone-2",
          ERR_NOTFOUND },
        { "abcdef", "there is no", "it has", ERR_NOTFOUND },
        { "-x", "cannot be", NULL, ERR_INPUT },
        { "a..b", "cannot be", NULL, ERR_INPUT },
        { "a b", "cannot be", NULL, ERR_INPUT },
        { "x^{tree}", "cannot be", NULL, ERR_INPUT },
        { "../../etc", "cannot be", NULL, ERR_INPUT },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_got struct got g = get((struct repo_want){ .url = url, .ref = cases[i].ref });
        assert_int_equal(g.err.kind, cases[i].kind);
        if (!strstr(g.err.msg, cases[i].said) ||
            (cases[i].hint && (!g.err.hint || !strstr(g.err.hint, cases[i].hint))))
            fail_msg("%s: %s (%s)", cases[i].ref, g.err.msg, g.err.hint);
    }
    auto_free char *none = path_join(*state, "none");
    auto_got struct got g = get((struct repo_want){ .url = none });
    assert_int_equal(g.err.kind, ERR_NOTFOUND);
    assert_non_null(strstr(g.err.msg, "there is no repository"));
    run_sh("git init -q empty");
    auto_free char *empty = path_join(*state, "empty");
    auto_got struct got e = get((struct repo_want){ .url = empty });
    assert_int_equal(e.err.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.err.msg, "the repository is empty"));
}

static void offline_the_cache_is_all_there_is(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    struct repo_want want = { .url = url, .tree = tree, .fetch = REPO_FETCH_NEVER };
    make_origin("origin");
    auto_got struct got none = get(want);
    assert_int_equal(none.err.kind, ERR_NOTFOUND);
    assert_non_null(strstr(none.err.msg, "is not in the cache, and --offline was asked for"));
    assert_false(file_exists("tree"));
    want.fetch = REPO_FETCH_MISSING;
    auto_got struct got online = get_well(want);
    run_sh("mv origin moved && rm -rf tree");
    want.fetch = REPO_FETCH_NEVER;
    auto_got struct got offline = get_well(want);
    assert_file("tree/file", "one\n");
    want.ref = "other";
    auto_got struct got ref = get(want);
    assert_int_equal(ref.err.kind, ERR_NOTFOUND);
    assert_non_null(strstr(ref.err.msg, "'other' of"));
}

static void changes_in_a_tree_are_kept(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    struct repo_want want = { .url = url, .tree = tree };
    make_origin("origin");
    auto_got struct got first = get_well(want);
    run_sh("cd origin && echo two >file && echo theirs >new && git add . && git commit -qm two");
    run_sh("cd tree && echo mine >file && echo output >built");
    want.fetch = REPO_FETCH_ALWAYS;
    auto_got struct got refused = get(want);
    assert_int_equal(refused.err.kind, ERR_CONFLICT);
    assert_non_null(strstr(refused.err.msg, "1 file in"));
    assert_non_null(strstr(refused.err.hint, "stack dev web"));
    assert_file("tree/file", "mine\n");
    /* What would be overwritten, though it is in no commit. */
    run_sh("cd tree && echo one >file && echo mine >new");
    auto_got struct got untracked = get(want);
    assert_int_equal(untracked.err.kind, ERR_CONFLICT);
    assert_file("tree/new", "mine\n");
    assert_file("tree/file", "one\n");
    want.force = true;
    auto_got struct got forced = get_well(want);
    assert_file("tree/file", "two\n");
    assert_file("tree/new", "theirs\n");
    assert_file("tree/built", "output\n");
}

static void what_a_killed_process_left_is_mended(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    struct repo_want want = { .url = url, .ref = "main", .tree = tree };
    make_origin("origin");
    auto_got struct got first = get_well(want);
    run_sh("cd origin && echo two >file && git commit -qam two");
    /* As if it had died between files. */
    run_sh("touch tree/.git/stack-updating tree/.git/index.lock; echo half >tree/file;"
           "m=$(ls -d cache/git/mirrors/*.git); touch $m/packed-refs.lock $m/refs/heads/main.lock "
           "$m/HEAD.lock; mkdir $m.tmp; touch $m.tmp/x; mkdir -p tree.tmp/x");
    auto_free char *commit = NULL;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(repo_tree_commit(&commit, tree, &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
    want.fetch = REPO_FETCH_ALWAYS;
    auto_got struct got second = get_well(want);
    assert_file("tree/file", "two\n");
    run_sh("test -z \"$(git -C tree status --porcelain)\"");
    /* A clone that was never completed. */
    run_sh("rm -rf tree; m=$(ls -d cache/git/mirrors/*.git); mv $m $m.tmp; rm $m.tmp/HEAD;"
           "mkdir -p tree.tmp/.git");
    want.fetch = REPO_FETCH_MISSING;
    auto_got struct got third = get_well(want);
    assert_file("tree/file", "two\n");
    run_sh("test -z \"$(find . -name '*.tmp')\"");
}

static void several_at_once_are_one_clone(void **state)
{
    enum { N = 4 };
    auto_free char *url = path_join(*state, "origin");
    struct got got[N] = { 0 };
    char *trees[N];
    make_origin("origin");
    auto_(loop_freep) struct loop *l = loop_new();
    for (size_t i = 0; i < N; i++) {
        /* Two want the same tree. */
        trees[i] = xasprintf("%s/tree%zu", (char *)*state, i / 2);
        struct repo_want want = {
            .name = "web", .url = url, .tree = trees[i], .fetch = REPO_FETCH_ALWAYS
        };
        repo_checkout_start(l, &want, &(struct repo_handlers){ .done = on_got, .ctx = &got[i] });
    }
    for (size_t i = 0; i < N; i++) {
        loop_wait(l, &got[i].done);
        if (got[i].err.kind)
            fail_msg("%s", got[i].err.msg);
        free(trees[i]);
        got_clear(&got[i]);
    }
    assert_file("tree0/file", "one\n");
    assert_file("tree1/file", "one\n");
    run_sh("test $(ls -d cache/git/mirrors/*.git | wc -l) = 1");
}

/* --- a server that says nothing --- */

static int listen_somewhere(char **out_url)
{
    struct sockaddr_storage at = { 0 };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    at.ss_family = AF_INET;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, 16), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    const unsigned char *port = (const unsigned char *)&at + 2;
    *out_url = xasprintf("http://127.0.0.1:%d/x.git", port[0] * 256 + port[1]);
    return fd;
}

static void silence_ends(void **state)
{
    (void)state;
    auto_free char *url = NULL;
    auto_close int fd = listen_somewhere(&url);
    setenv("STACK_GIT_TIMEOUT", "1", 1);
    auto_got struct got g = get((struct repo_want){ .url = url });
    assert_int_equal(g.err.kind, ERR_TIMEOUT);
    assert_non_null(strstr(g.err.msg, "nothing came from"));
    run_sh("test -z \"$(ls -d cache/git/mirrors/*.git 2>/dev/null)\"");
}

static void on_progress(void *ctx, const struct repo_progress *p)
{
    (void)p;
    *(bool *)ctx = true;
}

static void never(void *ctx, const struct repo_got *got, const struct error *err)
{
    (void)ctx, (void)got, (void)err;
    fail_msg("it was cancelled");
}

static void a_cancelled_job_says_nothing_more(void **state)
{
    (void)state;
    auto_free char *url = NULL;
    auto_close int fd = listen_somewhere(&url);
    auto_(loop_freep) struct loop *l = loop_new();
    bool begun = false;
    struct repo_want want = { .name = "web", .url = url };
    struct repo_job *job = repo_checkout_start(
        l, &want, &(struct repo_handlers){ .progress = on_progress, .done = never, .ctx = &begun });
    loop_wait(l, &begun);
    repo_checkout_cancel(job);
}

static void what_cannot_begin_is_told_later(void **state)
{
    (void)state;
    auto_got struct got g = get((struct repo_want){ .url = "ext::sh -c id" });
    assert_int_equal(g.err.kind, ERR_INPUT);
    assert_non_null(g.err.hint);
}

/* --- a checkout for people --- */

static void a_clone_for_people_has_a_branch(void **state)
{
    auto_free char *tree = path_join(*state, "mine/web"), *url = path_join(*state, "origin");
    struct repo_want want = { .url = url, .tree = tree, .own = true };
    make_origin("origin");
    auto_got struct got g = get_well(want);
    run_sh("cd mine/web && test \"$(git symbolic-ref HEAD)\" = refs/heads/main && "
           "test \"$(git rev-parse --abbrev-ref @{u})\" = origin/main && "
           "test -z \"$(git status --porcelain)\" && test ! -e .git/objects/info/alternates");
    run_sh("cd mine/web && echo mine >file && git commit -qam mine && git pull -q --rebase");
    auto_got struct got again = get(want);
    assert_int_equal(again.err.kind, ERR_CONFLICT);
    run_sh("rm -rf cache && git -C mine/web fsck");
    run_sh("mkdir mine/empty");
    auto_free char *empty = path_join(*state, "mine/empty");
    want.tree = empty;
    want.ref = g.commit;
    auto_got struct got detached = get_well(want);
    assert_file("mine/empty/file", "one\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        git_test(a_work_tree_is_what_the_ref_means),
        git_test(only_a_sync_asks_the_origin_again),
        git_test(a_branch_may_become_a_folder_of_branches),
        git_test(a_missing_ref_names_those_that_are_near),
        git_test(offline_the_cache_is_all_there_is),
        git_test(changes_in_a_tree_are_kept),
        git_test(what_a_killed_process_left_is_mended),
        git_test(several_at_once_are_one_clone),
        git_test(silence_ends),
        git_test(a_cancelled_job_says_nothing_more),
        git_test(what_cannot_begin_is_told_later),
        git_test(a_clone_for_people_has_a_branch),
    };
    if (argc == 2 && !strcmp(argv[1], "__git"))
        _exit(repo_worker_main()); /* as `stack __git` */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
