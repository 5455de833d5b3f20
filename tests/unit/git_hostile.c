/*
 * Repositories whose author means harm: names that some system takes for .git or for the folder
 * above, links as folders, submodules that are commands, filters and hooks. What is proven is that
 * nothing outside the work tree is written and nothing is run.
 */
#include "git_repo.h"

/* Bare repositories origin0, origin1, ... from the lines of `entries`, with a commit on `main`
 * whose trees are written byte by byte: git itself would refuse most of these names. */
static const char mktree[] =
    "import hashlib, os, shutil, zlib\n"
    "def put(kind, data):\n"
    "    raw = kind.encode() + b' ' + str(len(data)).encode() + b'\\0' + data\n"
    "    name = hashlib.sha1(raw).hexdigest()\n"
    "    path = os.path.join(repo, 'objects', name[:2], name[2:])\n"
    "    os.makedirs(os.path.dirname(path), exist_ok=True)\n"
    "    open(path, 'wb').write(zlib.compress(raw))\n"
    "    return name\n"
    "def tree(entries):\n"
    "    data = b''\n"
    "    for mode, name, value in entries:\n"
    "        if isinstance(value, list):\n"
    "            value = tree(value)\n"
    "        elif mode != b'160000':\n"
    "            value = put('blob', value)\n"
    "        data += mode + b' ' + name + b'\\0' + bytes.fromhex(value)\n"
    "    return put('tree', data)\n"
    "F, L, D, X, M = b'100644', b'120000', b'40000', b'100755', b'160000'\n"
    "who = b'a <a@example.org> 1 +0000'\n"
    "for n, line in enumerate(open('entries')):\n"
    "    repo = 'origin' + str(n)\n"
    "    shutil.rmtree(repo, ignore_errors=True)\n"
    "    os.makedirs(os.path.join(repo, 'refs/heads'))\n"
    "    commit = put('commit', b'tree ' + tree(eval(line)).encode() + b'\\nauthor ' + who\n"
    "                 + b'\\ncommitter ' + who + b'\\n\\nx\\n')\n"
    "    open(os.path.join(repo, 'refs/heads/main'), 'w').write(commit + '\\n')\n"
    "    open(os.path.join(repo, 'HEAD'), 'w').write('ref: refs/heads/main\\n')\n";

static void make_hostile(const char *entries)
{
    assert_int_equal(file_write_atomic("mktree.py", mktree, strlen(mktree), 0644, NULL), 0);
    assert_int_equal(file_write_atomic("entries", entries, strlen(entries), 0644, NULL), 0);
    run_sh("python3 mktree.py; rm entries mktree.py");
}

static void lay_out(void)
{
    run_sh("rm -rf cache trees outside && mkdir trees outside && printf kept >outside/kept");
}

/* Nothing but the work trees, the cache and what the test made. */
static void assert_nothing_outside(void)
{
    auto_free char *found = sh("ls -A . outside home | grep -v '^origin'");
    assert_string_equal(found, ".:\ncache\nhome\noutside\ntrees\n\nhome:\n\noutside:\nkept");
    assert_file("outside/kept", "kept");
}

struct hostile {
    const char *entries; /* one line of Python */
    const char *why;     /* part of the error; "": any; NULL: none, or any */
};

static void check_all(void **state, const struct hostile *cases, size_t n, bool submodules)
{
    auto_str struct str all = STR_INIT;
    auto_free struct got *got = xcalloc(n, sizeof(*got));
    lay_out();
    for (size_t i = 0; i < n; i++)
        str_addf(&all, "%s\n", cases[i].entries);
    make_hostile(all.buf);
    auto_(loop_freep) struct loop *l = loop_new();
    for (size_t i = 0; i < n; i++) {
        auto_free char *url = xasprintf("%s/origin%zu", (char *)*state, i);
        auto_free char *tree = xasprintf("%s/trees/%zu", (char *)*state, i);
        struct repo_want want = {
            .name = "web", .url = url, .ref = "main", .tree = tree, .submodules = submodules
        };
        repo_checkout_start(l, &want, &(struct repo_handlers){ .done = on_got, .ctx = &got[i] });
    }
    for (size_t i = 0; i < n; i++) {
        const char *why = cases[i].why;
        loop_wait(l, &got[i].done);
        const char *said = got[i].err.kind ? got[i].err.msg : "was checked out";
        if (strstr(said, "ended early") || (why && (!got[i].err.kind || !strstr(said, why))))
            fail_msg("%s: %s", cases[i].entries, said);
        got_clear(&got[i]);
    }
    assert_nothing_outside();
}

static void names_that_mean_git_are_refused(void **state)
{
    static const char *const names[] = {
        ".git",
        ".GIT",
        ".Git",
        ".giT",
        "git~1",
        "GIT~1",
        ".git ",
        ".git.",
        ".git...",
        ".git . ",
        ".git::$INDEX_ALLOCATION",
        ".git:x",
        ".gi\\xe2\\x80\\x8ct",
        ".git\\xe2\\x80\\x8c",
        "\\xe2\\x80\\x8c.git",
        ".g\\xe2\\x80\\x8dit",
        ".\\xe2\\x80\\x8egit",
        ".gi\\xef\\xbb\\xbft",
        ".git\\\\x",
    };
    struct hostile cases[countof(names) + 4];
    for (size_t i = 0; i < countof(names); i++)
        cases[i] = (struct hostile){
            xasprintf("[(D, b'%s', [(D, b'hooks', [(X, b'post-checkout', b'#!/bin/sh')])])]",
                      names[i]),
            "",
        };
    static const char *const more[] = {
        "[(F, b'.git', b'gitdir: /tmp')]",
        "[(L, b'.git', b'../outside')]",
        "[(D, b'a', [(D, b'b', [(D, b'.git', [(F, b'config', b'x')])])])]",
        "[(D, b'a', [(D, b'.GIT', [(F, b'config', b'x')])])]",
    };
    for (size_t i = 0; i < countof(more); i++)
        cases[countof(names) + i] = (struct hostile){ more[i], "" };
    check_all(state, cases, countof(cases), false);
    run_sh("test -z \"$(ls trees | grep -v lock)\"");
    for (size_t i = 0; i < countof(names); i++)
        free((char *)(uintptr_t)cases[i].entries);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const struct hostile cases[] = {
        { "[(D, b'..', [(D, b'outside', [(F, b'kept', b'x')])])]", "cannot be the name" },
        { "[(D, b'.', [(F, b'x', b'x')])]", "cannot be the name" },
        { "[(F, b'../outside/x', b'x')]", "cannot be the name" },
        { "[(F, b'a/../../outside/x', b'x')]", "cannot be the name" },
        { "[(F, b'/tmp/stack-git-hostile', b'x')]", "cannot be the name" },
    };
    check_all(state, cases, countof(cases), false);
    assert_false(file_exists("/tmp/stack-git-hostile"));
}

/* CVE-2021-21300 and its kin: an entry is a link, and a folder of the same name has files. */
static void links_are_never_followed(void **state)
{
    static const struct hostile cases[] = {
        { "[(L, b'a', b'../outside'), (D, b'a', [(F, b'kept', b'broken')])]", "twice" },
        { "[(D, b'a', [(F, b'kept', b'broken')]), (L, b'a', b'../outside')]", "twice" },
        { "[(L, b'a', b'../outside/kept'), (F, b'a', b'broken')]", "twice" },
        { "[(L, b'A', b'../outside'), (D, b'a', [(F, b'kept', b'broken')])]", NULL },
        { "[(L, b'a', b'../outside'), (F, b'a/kept', b'broken')]", "cannot be the name" },
    };
    check_all(state, cases, countof(cases), false);
}

static void a_folder_that_became_a_link_is_replaced(void **state)
{
    auto_free char *tree = path_join(*state, "trees/x"), *url = path_join(*state, "origin0");
    lay_out();
    /* From a folder to a link, and back, with a file in it. */
    struct repo_want want = { .url = url, .ref = "main", .tree = tree, .fetch = REPO_FETCH_ALWAYS };
    make_hostile("[(D, b'a', [(F, b'kept', b'one')])]");
    auto_got struct got one = get_well(want);
    make_hostile("[(L, b'a', b'../outside')]");
    auto_got struct got two = get_well(want);
    make_hostile("[(D, b'a', [(F, b'kept', b'three')])]");
    auto_got struct got three = get_well(want);
    assert_file("trees/x/a/kept", "three");
    run_sh("test ! -L trees/x/a && rm -rf trees/x");
    assert_nothing_outside();
    /* A link that somebody made in the work tree where a folder was. */
    make_hostile("[(D, b'a', [(F, b'kept', b'one')])]");
    auto_got struct got four = get_well(want);
    run_sh("rm -r trees/x/a && ln -s ../outside trees/x/a");
    make_hostile("[(D, b'a', [(F, b'kept', b'two'), (F, b'more', b'two')])]");
    auto_got struct got dirty = get(want);
    assert_int_equal(dirty.err.kind, ERR_CONFLICT);
    want.force = true;
    auto_got struct got five = get(want);
    assert_int_equal(five.err.kind, ERR_NONE);
    assert_file("trees/x/a/more", "two");
    want.force = false;
    run_sh("ln -s ../outside trees/x/new");
    make_hostile("[(D, b'a', [(F, b'more', b'two')]), (D, b'new', [(F, b'x', b'x')])]");
    auto_got struct got six = get(want);
    assert_int_equal(six.err.kind, ERR_CONFLICT);
    run_sh("rm -rf trees/x");
    assert_nothing_outside();
}

static void nothing_of_a_repository_is_run(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    make_origin("origin");
    run_sh("cd origin && printf '* filter=evil\\n*.txt text eol=crlf\\n' >.gitattributes && "
           "printf 'a\\n' >a.txt && git add . && git commit -qm x");
    /* The driver is the user's own; that the repository uses it must not run it, either. */
    run_sh(
        "git config --global filter.evil.smudge 'touch ran' && "
        "git config --global filter.evil.required true && "
        "git config --global core.fsmonitor 'touch ran' && "
        "git config --global core.hooksPath \"$PWD/hooks\" && mkdir hooks && "
        "printf '#!/bin/sh\\ntouch ran\\n' >hooks/post-checkout && chmod +x hooks/post-checkout && "
        "cp hooks/post-checkout origin/.git/hooks/ && "
        "cp hooks/post-checkout origin/.git/hooks/post-upload-pack && "
        "git config --global uploadpack.packObjectsHook 'touch ran'");
    auto_got struct got g = get_well((struct repo_want){ .url = url, .tree = tree });
    assert_file("tree/a.txt", "a\n");
    run_sh("test -z \"$(find . -name ran)\"");
}

/* --- submodules --- */

static void submodules_come_when_asked_for(void **state)
{
    auto_free char *tree = path_join(*state, "tree"), *url = path_join(*state, "origin");
    struct repo_want want = { .url = url, .tree = tree };
    make_origin("deep");
    make_origin("inner");
    make_origin("origin");
    run_sh("git -C inner -c protocol.file.allow=always submodule -q add ../deep deep && "
           "git -C inner commit -qm deep");
    run_sh("git -C origin -c protocol.file.allow=always submodule -q add ../inner sub/inner && "
           "git -C origin commit -qm inner");
    auto_got struct got without = get_well(want);
    assert_false(file_exists("tree/sub/inner/file"));
    want.submodules = true;
    auto_got struct got with = get_well(want);
    assert_file("tree/sub/inner/file", "one\n");
    assert_file("tree/sub/inner/deep/file", "one\n");
    run_sh("cd inner && echo two >file && git commit -qam two && cd ../origin/sub/inner && "
           "git pull -q && cd ../.. && git commit -qam two");
    want.fetch = REPO_FETCH_ALWAYS;
    auto_got struct got moved = get_well(want);
    assert_file("tree/sub/inner/file", "two\n");
    run_sh("test -z \"$(git -C tree status --porcelain)\"");
}

#define ID "'1234567890123456789012345678901234567890'"
#define MODULE(path, url)                                                           \
    "[(F, b'.gitmodules', b'[submodule \"x\"]\\n\\tpath = " path "\\n\\turl = " url \
    "\\n'), (M, b'" path "', " ID ")]"

static void submodules_that_mean_harm_are_refused(void **state)
{
    static const struct hostile cases[] = {
        { MODULE("sub", "ext::sh -c touch% outside/ran"), "a repository" },
        { MODULE("sub", "-u./evil"), NULL },
        { MODULE("sub", "ssh://-oProxyCommand=touch/x"), "a repository" },
        { MODULE("sub", "git://127.0.0.1/x"), "a repository" },
        { MODULE("-sub", "../inner"), NULL },
        { MODULE("../outside/sub", "../inner"), "" },
        { MODULE(".git", "../inner"), "" },
        { MODULE(".git/hooks", "../inner"), "" },
        /* CVE-2018-11235: a name that leads out of .git/modules. It is no path here. */
        { "[(F, b'.gitmodules', b'[submodule \"../../outside/x\"]\\n\\tpath = s\\n\\turl = ../none"
          "\\n'), (M, b's', " ID ")]",
          NULL },
        /* CVE-2025-48384: a carriage return at the end of the path, and a link of that name. */
        { "[(F, b'.gitmodules', b'[submodule \"x\"]\\n\\tpath = \"s\\r\"\\n\\turl = ../none\\n'), "
          "(M, b's\\r', " ID "), (L, b's', b'../outside')]",
          NULL },
        /* A link as the folder above the submodule. */
        { "[(F, b'.gitmodules', b'[submodule \"x\"]\\n\\tpath = a/s\\n\\turl = ../none\\n'), "
          "(L, b'a', b'../outside'), (D, b'a', [(M, b's', " ID ")])]",
          "twice" },
        { "[(L, b'.gitmodules', b'../outside/kept')]", "symbolic link" },
    };
    check_all(state, cases, countof(cases), true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        git_test(names_that_mean_git_are_refused),
        git_test(names_that_lead_elsewhere_are_refused),
        git_test(links_are_never_followed),
        git_test(a_folder_that_became_a_link_is_replaced),
        git_test(nothing_of_a_repository_is_run),
        git_test(submodules_come_when_asked_for),
        git_test(submodules_that_mean_harm_are_refused),
    };
    if (argc == 2 && !strcmp(argv[1], "__git"))
        _exit(repo_worker_main()); /* as `stack __git` */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
