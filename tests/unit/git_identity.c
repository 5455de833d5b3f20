/* What a folder is in git's eyes. */
#include "git_repo.h"

#include "git/identity.h"

static struct repo_identity identify(const char *dir)
{
    struct repo_identity id;
    auto_error struct error err = ERROR_INIT;
    if (repo_identify(&id, dir, REPO_DIRTY | REPO_UPSTREAM, &err) < 0)
        fail_msg("%s", err.msg);
    return id;
}

static void a_clone_knows_its_branch_and_its_upstream(void **state)
{
    make_origin("origin");
    run_sh("git clone -q origin work && git -C work remote set-url origin "
           "https://me:s3cret@h.example/x.git");
    run_sh("cd work && echo mine >file && git commit -qam mine && echo x >f && git add f && "
           "git commit -qm f");
    auto_free char *head = sh("git -C work rev-parse HEAD");
    auto_free char *root = path_join(*state, "work");
    auto_repo_identity struct repo_identity id = identify("work/docstack");
    assert_string_equal(id.root, root);
    assert_string_equal(id.below, "docstack");
    assert_string_equal(id.commit, head);
    assert_string_equal(id.branch, "main");
    assert_string_equal(id.upstream, "origin/main");
    assert_string_equal(id.origin, "https://h.example/x.git");
    assert_int_equal(id.ahead, 2);
    assert_int_equal(id.behind, 0);
    assert_false(id.dirty);
}

static void only_changes_below_the_folder_count(void **state)
{
    (void)state;
    make_origin("work");
    run_sh("cd work && mkdir a b && echo x >a/x && echo x >b/x && printf '*.o\\n' >.gitignore && "
           "git add . && git commit -qm more && touch a/ignored.o");
    auto_repo_identity struct repo_identity clean = identify("work/a");
    assert_false(clean.dirty);
    run_sh("echo changed >work/b/x");
    auto_repo_identity struct repo_identity other = identify("work/a");
    assert_false(other.dirty);
    auto_repo_identity struct repo_identity whole = identify("work");
    assert_true(whole.dirty);
    assert_int_equal(whole.changed, 1);
    assert_string_equal(whole.below, "");
    run_sh("echo new >work/a/new && echo changed >work/a/x");
    auto_repo_identity struct repo_identity dirty = identify("work/a");
    assert_int_equal(dirty.changed, 2);
    /* Of the same size, within the same second. */
    run_sh("cd work && git checkout -q . && rm a/new && echo y >a/x");
    auto_repo_identity struct repo_identity same_size = identify("work/a");
    assert_int_equal(same_size.changed, 1);
    /* What looks like a pattern is a name. */
    run_sh("cd work && git checkout -q . && mkdir '[ab]' && echo x >'[ab]/x' && echo z >a/x");
    auto_repo_identity struct repo_identity odd = identify("work/[ab]");
    assert_int_equal(odd.changed, 1);
}

static void states_without_a_branch(void **state)
{
    (void)state;
    run_sh("git init -q -b first empty");
    auto_repo_identity struct repo_identity empty = identify("empty");
    assert_null(empty.commit);
    assert_string_equal(empty.branch, "first");
    make_origin("work");
    run_sh("git -C work checkout -q --detach");
    auto_repo_identity struct repo_identity detached = identify("work");
    assert_null(detached.branch);
    assert_non_null(detached.commit);
    assert_null(detached.upstream);
    run_sh("git -C work worktree add -q ../linked -b side");
    auto_repo_identity struct repo_identity linked = identify("linked");
    assert_string_equal(linked.branch, "side");
    struct repo_identity none;
    auto_error struct error err = ERROR_INIT;
    run_sh("mkdir plain && git init -q --bare bare");
    assert_int_equal(repo_identify(&none, "plain", 0, &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
    assert_int_equal(repo_identify(&none, "bare", 0, &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
}

/* Its configuration belongs to whoever made it. */
static void nothing_of_it_is_run(void **state)
{
    (void)state;
    make_origin("work");
    run_sh(
        "cd work && echo '* filter=evil diff=evil' >.gitattributes && git add . && "
        "git commit -qm x && git config core.fsmonitor 'touch ran' && "
        "git config filter.evil.clean 'touch ran' && git config diff.evil.command 'touch ran' && "
        "git config core.sshCommand 'touch ran' && echo changed >file && "
        "printf '#!/bin/sh\\ntouch ran\\n' >.git/hooks/post-index-change && "
        "chmod +x .git/hooks/post-index-change");
    auto_repo_identity struct repo_identity id = identify("work");
    assert_true(id.dirty);
    run_sh("test -z \"$(find . -name ran)\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        git_test(a_clone_knows_its_branch_and_its_upstream),
        git_test(only_changes_below_the_folder_count),
        git_test(states_without_a_branch),
        git_test(nothing_of_it_is_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
