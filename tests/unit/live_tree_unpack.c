/* Tars from outside: what they make, and that they make nothing elsewhere. */
#include "unit.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/tree_pack.h"
#include "live/tree_unpack.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

/* --- making tars --- */

/* An entry of any type and name, in ustar. */
static void add_as(struct str *tar, char type, const char *name, const char *link, mode_t mode,
                   const char *data)
{
    char header[512] = { 0 };
    size_t len = strlen(data);
    assert_true(strlen(name) <= 100);
    memcpy(header, name, strlen(name));
    snprintf(header + 100, 8, "%07o", (unsigned)mode);
    snprintf(header + 108, 8, "%07o", 0U);
    snprintf(header + 116, 8, "%07o", 0U);
    snprintf(header + 124, 12, "%011o", (unsigned)len);
    snprintf(header + 136, 12, "%011o", 1000000000U);
    memset(header + 148, ' ', 8);
    header[156] = type;
    memcpy(header + 157, link, strlen(link));
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    header[155] = ' ';
    str_addn(tar, header, sizeof(header));
    str_addn(tar, data, len);
    while (tar->len % 512)
        str_addc(tar, '\0');
}

static void add_folder(struct str *tar, const char *name)
{
    add_as(tar, '5', name, "", 0755, "");
}

static void add_file(struct str *tar, const char *name, const char *data)
{
    add_as(tar, '0', name, "", 0644, data);
}

static void add_link(struct str *tar, const char *name, const char *target)
{
    add_as(tar, '2', name, target, 0777, "");
}

/* --- unpacking them --- */

struct source {
    const struct str *tar;
    size_t at;
};

/* In small pieces, so that nothing depends on where they are cut. */
static ssize_t read_source(void *ctx, char *buf, size_t max)
{
    struct source *s = ctx;
    size_t n = s->tar->len - s->at;
    n = n < max ? n : max;
    n = n < 700 ? n : 700;
    memcpy(buf, s->tar->buf + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* Into the folder `in`, which is made; NULL, or what went wrong. The tar is used up. */
static char *unpack_into(const char *in, const char *name, struct str *tar,
                         struct tree_unpacked *done)
{
    auto_error struct error err = ERROR_INIT;
    mkdir(in, 0755);
    auto_close int fd = open(in, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    for (int i = 0; i < 1024; i++)
        str_addc(tar, '\0');
    struct source source = { tar, 0 };
    struct tree_unpack_options opt = {
        .folder = fd, .where = in, .name = name, .read = read_source, .ctx = &source
    };
    int result = tree_unpack(done, &opt, &err);
    str_clear(tar);
    return result < 0 ? xstrdup(err.msg) : NULL;
}

static char *unpack(const char *name, struct str *tar)
{
    struct tree_unpacked done;
    return unpack_into("in", name, tar, &done);
}

static void assert_refused(const char *name, struct str *tar, const char *why)
{
    auto_free char *said = unpack(name, tar);
    if (!said || !strstr(said, why))
        fail_msg("wanted '%s', got '%s'", why, said ? said : "no error");
}

static void assert_unpacked(const char *name, struct str *tar)
{
    auto_free char *said = unpack(name, tar);
    if (said)
        fail_msg("%s", said);
}

static void assert_file(const char *path, const char *data)
{
    char text[256] = "";
    auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        fail_msg("cannot read '%s'", path);
    assert_string_equal(text, data);
}

static void assert_nothing(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0)
        fail_msg("'%s' is there", path);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* --- what they make --- */

static void a_tree(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    struct stat st;
    add_as(&tar, '5', "d/", "", 0555, "");
    add_file(&tar, "d/f", "hello");
    add_as(&tar, '1', "d/same", "d/f", 0644, "");
    add_link(&tar, "d/l", "../../elsewhere");
    add_as(&tar, '5', "d/sub", "", 0700, "");
    add_as(&tar, '0', "d/sub/set", "", 06755, "x");
    add_as(&tar, '3', "d/null", "", 0666, "");
    struct tree_unpacked done;
    assert_null(unpack_into("in", "new", &tar, &done));
    assert_int_equal(done.bytes, 6);
    assert_int_equal(done.left_out, 1);
    assert_file("in/new/f", "hello");
    assert_file("in/new/same", "hello");
    assert_int_equal(lstat("in/new/f", &st), 0);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(st.st_mtime, 1000000000);
    assert_int_equal(lstat("in/new", &st), 0);
    assert_int_equal(st.st_mtime, 1000000000);
    assert_int_equal(st.st_mode & 07777, 0555);
    assert_int_equal(mode_of("in/new/sub"), 0700);
    assert_int_equal(mode_of("in/new/sub/set"), 0755);
    assert_nothing("in/new/null");
    char target[64] = "";
    assert_int_equal(readlink("in/new/l", target, sizeof(target)), strlen("../../elsewhere"));
    assert_int_equal(chmod("in/new", 0755), 0);
}

static void contents_keep_the_folder(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    assert_int_equal(mkdir("in", 0755), 0);
    put("in/f", "old");
    add_as(&tar, '5', "./", "", 0700, "");
    add_file(&tar, "./f", "new");
    add_file(&tar, "./g/h", "no folder before it");
    assert_unpacked(NULL, &tar);
    assert_int_equal(mode_of("in"), 0755);
    assert_file("in/f", "new");
    assert_file("in/g/h", "no folder before it");
}

static void a_link_that_is_there_is_replaced_not_followed(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    put("outside", "safe");
    assert_int_equal(mkdir("in", 0755), 0);
    assert_int_equal(symlink("../outside", "in/f"), 0);
    add_file(&tar, "f", "new");
    assert_unpacked("f", &tar);
    assert_file("outside", "safe");
    assert_file("in/f", "new");
}

/* --- what they must not make --- */

static void names_that_lead_outside(void **state)
{
    (void)state;
    static const char *const names[] = { "../evil", "d/../../evil", "d/..", "..", "./../evil" };
    auto_str struct str tar = STR_INIT;
    for (size_t i = 0; i < countof(names); i++) {
        add_file(&tar, names[i], "x");
        assert_refused("d", &tar, "leads outside");
        add_folder(&tar, "d");
        add_file(&tar, names[i], "x");
        assert_refused("d", &tar, "leads outside");
        add_folder(&tar, ".");
        add_as(&tar, '1', "f", names[i], 0644, "");
        assert_refused(NULL, &tar, "leads outside");
    }
    assert_nothing("evil");
}

static void absolute_names_are_below_the_folder(void **state)
{
    auto_str struct str tar = STR_INIT;
    auto_free char *inside = xasprintf("in%s/evil", (char *)*state);
    auto_free char *evil = xasprintf("%s/evil", (char *)*state);
    add_folder(&tar, "/");
    add_file(&tar, evil, "x");
    assert_unpacked(NULL, &tar);
    assert_nothing("evil");
    assert_file(inside, "x");
}

static void other_trees_beside(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    add_file(&tar, "f", "x");
    add_file(&tar, ".ssh/authorized_keys", "x");
    assert_refused("f", &tar, "beside 'f'");
    assert_nothing("in/.ssh");
}

static void links_are_no_way_out(void **state)
{
    auto_str struct str tar = STR_INIT;
    assert_int_equal(mkdir("out", 0755), 0);
    put("out/f", "safe");
    const char *const targets[] = { "../../out", "../out", *state };
    for (size_t i = 0; i < countof(targets); i++) {
        add_folder(&tar, "d");
        add_link(&tar, "d/l", targets[i]);
        add_file(&tar, "d/l/f", "evil");
        assert_refused("d", &tar, "nothing is written through links");
        add_folder(&tar, "d");
        add_link(&tar, "d/l", targets[i]);
        add_folder(&tar, "d/l");
        assert_refused("d", &tar, "nothing is written through links");
        add_folder(&tar, "d");
        add_link(&tar, "d/l", targets[i]);
        add_as(&tar, '1', "d/h", "d/l/f", 0644, "");
        assert_refused("d", &tar, "nothing is written through links");
    }
    assert_file("out/f", "safe");
    assert_nothing("evil");
    assert_nothing("in/d/h");
}

static void writing_through_a_hard_link_to_a_link(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    put("outside", "safe");
    add_folder(&tar, "d");
    add_link(&tar, "d/l", "../../outside");
    add_as(&tar, '1', "d/h", "d/l", 0644, "");
    add_file(&tar, "d/h", "evil");
    assert_unpacked("d", &tar);
    assert_file("outside", "safe");
    assert_file("in/d/h", "evil");
}

static void folders_and_files_do_not_replace_each_other(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    assert_int_equal(mkdir("in", 0755), 0);
    assert_int_equal(mkdir("in/d", 0755), 0);
    put("in/f", "kept");
    add_file(&tar, "x", "x");
    assert_refused("d", &tar, "'in/d' is a folder");
    add_folder(&tar, "x");
    assert_refused("f", &tar, "'in/f' is not a folder");
    assert_file("in/f", "kept");
}

static void broken_tars(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    assert_refused("x", &tar, "is empty");
    str_add(&tar, "this is no tar, and long enough to be looked at: ");
    for (int i = 0; i < 100; i++)
        str_add(&tar, "no tar at all ");
    assert_refused("x", &tar, "is broken");
    add_as(&tar, '0', "f", "", 0644, "");
    memcpy(tar.buf + 124, "00000100000", 11); /* a size, and nothing that follows */
    unsigned sum = 0;
    memset(tar.buf + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)tar.buf[i];
    snprintf(tar.buf + 148, 8, "%06o", sum);
    assert_refused("f", &tar, "");
    assert_nothing("in/f");
}

/* --- there and back --- */

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    auto_(tree_pack_closep) struct tree_pack *pack = NULL;
    char piece[1000], long_name[256] = "from/";
    struct stat st;
    memset(long_name + 5, 'n', 220);
    assert_int_equal(mkdir("from", 0751), 0);
    put("from/\xc3\xbc", "umlaut");
    put(long_name, "long");
    assert_int_equal(link("from/\xc3\xbc", "from/same"), 0);
    assert_int_equal(symlink("nowhere", "from/l"), 0);
    assert_int_equal(chmod("from/\xc3\xbc", 0640), 0);
    const struct timespec times[2] = { { 5, 0 }, { 1234567890, 123456789 } };
    assert_int_equal(utimensat(AT_FDCWD, long_name, times, 0), 0);
    pack = tree_pack_open("from", "top", false);
    long n;
    while ((n = tree_pack_read(pack, piece, sizeof(piece), &err)) > 0)
        str_addn(&tar, piece, (size_t)n);
    assert_int_equal(n, 0);
    assert_int_equal(tree_pack_bytes(pack), strlen("umlaut") + strlen("long"));
    assert_unpacked("to", &tar);
    assert_file("in/to/\xc3\xbc", "umlaut");
    assert_int_equal(mode_of("in/to/\xc3\xbc"), 0640);
    assert_int_equal(mode_of("in/to"), 0751);
    assert_int_equal(lstat("in/to/same", &st), 0);
    assert_int_equal(st.st_nlink, 2);
    memcpy(long_name, "in/to", 5);
    auto_free char *there = xasprintf("in/to/%s", long_name + 5);
    assert_file(there, "long");
    assert_int_equal(lstat(there, &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, 1234567890);
    assert_int_equal(st.st_mtim.tv_nsec, 123456789);
    assert_int_equal(lstat("in/to/l", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void a_file_that_vanishes_is_not_there(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    auto_(tree_pack_closep) struct tree_pack *pack = NULL;
    const struct timespec times[2] = { { 5, 0 }, { 5, 0 } }; /* plain headers, of 512 bytes */
    char piece[512];
    long n;
    assert_int_equal(mkdir("from", 0755), 0);
    put("from/a", "");
    put("from/b", "");
    utimensat(AT_FDCWD, "from/a", times, 0);
    utimensat(AT_FDCWD, "from/b", times, 0);
    utimensat(AT_FDCWD, "from", times, 0);
    pack = tree_pack_open("from", "top", false);
    for (int i = 0; i < 2; i++) { /* the folder, and one of the files */
        n = tree_pack_read(pack, piece, sizeof(piece), &err);
        assert_int_equal(n, sizeof(piece));
        str_addn(&tar, piece, (size_t)n);
    }
    assert_int_equal(unlink("from/a"), 0);
    assert_int_equal(unlink("from/b"), 0);
    while ((n = tree_pack_read(pack, piece, sizeof(piece), &err)) > 0)
        str_addn(&tar, piece, (size_t)n);
    assert_int_equal(n, 0);
    assert_unpacked("to", &tar);
    assert_int_not_equal(access("in/to/a", F_OK), access("in/to/b", F_OK));
    tree_pack_close(take(pack));
    pack = tree_pack_open("none", "top", false);
    assert_int_equal(tree_pack_read(pack, piece, sizeof(piece), &err), -1);
    assert_string_equal(err.msg, "look at 'none': No such file or directory");
}

static void a_file_that_shrinks_ends_the_pack(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    auto_(tree_pack_closep) struct tree_pack *pack = NULL;
    auto_free char *much = xcalloc(1, 200001);
    char piece[512];
    long n;
    memset(much, 'x', 200000);
    put("f", much);
    pack = tree_pack_open("f", "f", false);
    assert_int_equal(tree_pack_read(pack, piece, sizeof(piece), &err), sizeof(piece));
    put("f", "short");
    while ((n = tree_pack_read(pack, piece, sizeof(piece), &err)) > 0)
        ;
    assert_int_equal(n, -1);
    assert_string_equal(err.msg, "'f' became shorter while it was copied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(a_tree),
        with_dir(contents_keep_the_folder),
        with_dir(a_link_that_is_there_is_replaced_not_followed),
        with_dir(names_that_lead_outside),
        with_dir(absolute_names_are_below_the_folder),
        with_dir(other_trees_beside),
        with_dir(links_are_no_way_out),
        with_dir(writing_through_a_hard_link_to_a_link),
        with_dir(folders_and_files_do_not_replace_each_other),
        with_dir(broken_tars),
        with_dir(what_is_packed_comes_back),
        with_dir(a_file_that_vanishes_is_not_there),
        with_dir(a_file_that_shrinks_ends_the_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
