/* Build contexts: where their parts are, what is in them, and when a digest changes. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utime.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/context.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

static void put(const char *path, const char *text)
{
    auto_free char *dir = path_dir(path);
    assert_int_equal(file_mkdirs(dir, 0755, NULL), 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static struct context_place place_of(const char *root, const char *ignore)
{
    return (struct context_place){ .root = root, .ignore = ignore, .ignore_path = ".dockerignore" };
}

static struct context *scanned(const struct context_place *place, const char *cache_dir)
{
    struct context *c = NULL;
    auto_error struct error err = ERROR_INIT;
    if (context_scan(&c, place, cache_dir, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    return c;
}

static char *paths_of(const struct context *c)
{
    struct str text = STR_INIT;
    for (size_t i = 0; i < c->len; i++)
        str_addf(&text, "%s%s", i ? " " : "", c->entries[i].path);
    return str_detach(&text);
}

static void assert_paths(const char *root, const char *ignore, const char *expected)
{
    struct context_place place = place_of(root, ignore);
    auto_(context_freep) struct context *c = scanned(&place, NULL);
    auto_free char *paths = paths_of(c);
    assert_string_equal(paths, expected);
}

static char *digest_of(const char *root, const char *ignore, const char *cache_dir)
{
    struct context_place place = place_of(root, ignore);
    auto_(context_freep) struct context *c = scanned(&place, cache_dir);
    return xstrdup(c->digest);
}

/* The same files from two clones, checked out with different umasks, are the same. */
static void git_data_and_the_umask_do_not_count(void **state)
{
    (void)state;
    put("a/.git/index", "one");
    put("a/x", "text");
    put("a/run", "#!");
    assert_int_equal(chmod("a/run", 0775), 0);
    assert_int_equal(chmod("a/x", 0664), 0);
    put("b/.git", "gitdir: elsewhere");
    put("b/x", "text");
    put("b/run", "#!");
    assert_int_equal(chmod("b/run", 0755), 0);
    auto_free char *a = digest_of("a", NULL, NULL), *b = digest_of("b", NULL, NULL);
    assert_string_equal(a, b);
    assert_int_equal(chmod("b/x", 0755), 0);
    auto_free char *executable = digest_of("b", NULL, NULL);
    assert_string_not_equal(executable, b);
    put("b/.gitignore", "counts");
    auto_free char *other = digest_of("b", NULL, NULL);
    assert_string_not_equal(other, executable);
    /* It is sent all the same. */
    assert_paths("a", NULL, ".git .git/index run x");
}

static void everything_sorted_by_name(void **state)
{
    put("c/b/x", "1");
    put("c/b-c", "2");
    put("c/a", "3");
    assert_int_equal(symlink("/etc/passwd", "c/link"), 0);
    assert_int_equal(symlink("..", "c/up"), 0);
    assert_int_equal(mkfifo("c/fifo", 0600), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "c/socket" };
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);

    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct context_place place = place_of(root, NULL);
    auto_(context_freep) struct context *c = scanned(&place, NULL);
    auto_free char *paths = paths_of(c);
    assert_string_equal(paths, "a b b/x b-c fifo link up");
    assert_string_equal(c->entries[5].link, "/etc/passwd");
    assert_string_equal(c->entries[6].link, "..");
}

static void rules_leave_out(void **state)
{
    put("c/a/keep/x", "1");
    put("c/a/drop", "2");
    put("c/b/x", "3");
    put("c/c.log", "4");
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    assert_paths(root, "*.log\nb", "a a/drop a/keep a/keep/x");
    /* A folder that is left out stands there for what is kept below it, and only then. */
    assert_paths(root, "*\n!a/keep", "a a/keep a/keep/x");
    assert_paths(root, "*\n!a/nothing", "");
}

static void the_parts_agree_with_the_whole(void **state)
{
    for (int i = 0; i < 300; i++) {
        auto_free char *path = xasprintf("c/d%d/e%d/f%d", i % 7, i % 50, i);
        put(path, path);
    }
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    auto_free char *whole = digest_of(root, NULL, NULL);
    struct context_place place = place_of(root, NULL);
    for (size_t nparts = 1; nparts < 6; nparts++) {
        struct scan *s;
        assert_int_equal(scan_begin(&s, &place, NULL, nparts, NULL), 0);
        for (size_t i = nparts; i-- > 0;)
            scan_part(s, i);
        char digest[DIGEST_HEX_LEN + 1];
        assert_int_equal(scan_end(NULL, digest, s, NULL), 0);
        assert_string_equal(digest, whole);
    }
}

static void assert_changes(const char *root, char **digest, bool expected)
{
    char *now = digest_of(root, NULL, "cache");
    if ((strcmp(now, *digest) != 0) != expected)
        fail_msg("%s", expected ? "a change was not noticed" : "nothing changed");
    free(*digest);
    *digest = now;
}

static void what_changes_the_digest(void **state)
{
    assert_int_equal(mkdir("cache", 0700), 0);
    put("c/a", "one");
    put("c/d/b", "two");
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    auto_free char *digest = digest_of(root, NULL, "cache");
    assert_changes(root, &digest, false);
    put("c/a", "eno");
    assert_changes(root, &digest, true);
    assert_int_equal(chmod("c/a", 0755), 0);
    assert_changes(root, &digest, true);
    assert_int_equal(rename("c/a", "c/d/a"), 0);
    assert_changes(root, &digest, true);
    assert_int_equal(symlink("x", "c/l"), 0);
    assert_changes(root, &digest, true);
    assert_int_equal(unlink("c/l"), 0);
    assert_int_equal(symlink("y", "c/l"), 0);
    assert_changes(root, &digest, true);
    assert_int_equal(mkdir("c/empty", 0755), 0);
    assert_changes(root, &digest, true);
    struct utimbuf times = { 1000000000, 1000000000 };
    assert_int_equal(utime("c/d/b", &times), 0);
    assert_changes(root, &digest, false);
}

/* The case that a cache by size and time gets wrong: written, scanned, and written again with the
 * same size, all within one tick of the file system's clock. */
static void edits_of_the_same_size_at_once(void **state)
{
    assert_int_equal(mkdir("cache", 0700), 0);
    put("c/a", "00000000");
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    auto_free char *digest = digest_of(root, NULL, "cache");
    for (int i = 1; i < 300; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%08d", i);
        put("c/a", text);
        assert_changes(root, &digest, true);
    }
}

/* A digest that is kept is used: what the file says now does not matter while stat(2) is the same.
 */
static void an_unchanged_file_is_not_read(void **state)
{
    assert_int_equal(mkdir("cache", 0700), 0);
    put("c/a", "one");
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct context_place place = place_of(root, NULL);
    struct stat st;
    assert_int_equal(stat("c/a", &st), 0);
    struct stat_key key = context_stat_key(&st);
    const uint8_t told[DIGEST_LEN] = { 1, 2, 3 };

    /* The cache, as it would be had the file been written a minute ago. */
    auto_(context_freep) struct context *plain = scanned(&place, NULL);
    assert_memory_not_equal(plain->entries[0].digest, told, DIGEST_LEN);
    struct stat_cache_writer w;
    stat_cache_begin(&w, key.ctime_ns + 60000000000);
    assert_true(stat_cache_add(&w, "a", &key, told));
    stat_cache_end(&w);
    char hex[DIGEST_HEX_LEN + 1];
    struct digest *d = digest_new();
    digest_add_str(d, place.root);
    digest_add_str(d, place.ignore_path);
    digest_end(d, hex);
    auto_free char *path = xasprintf("cache/%.32s", hex);
    assert_int_equal(file_write_atomic(path, w.bytes.buf, w.bytes.len, 0600, NULL), 0);
    stat_cache_writer_clear(&w);

    auto_(context_freep) struct context *cached = scanned(&place, "cache");
    assert_memory_equal(cached->entries[0].digest, told, DIGEST_LEN);
}

static int refused(const struct context_place *place, const char *part)
{
    struct context *c = NULL;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(context_scan(&c, place, NULL, NULL, &err), -1);
    assert_null(c);
    if (!strstr(err.msg, part))
        fail_msg("%s", err.msg);
    return err.kind;
}

static void a_scan_that_is_stopped(void **state)
{
    put("c/a", "1");
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct context_place place = place_of(root, NULL);
    struct context *c = NULL;
    const atomic_bool stop = true;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(context_scan(&c, &place, NULL, &stop, &err), -1);
    assert_int_equal(err.kind, ERR_CANCELED);
}

static void too_deep_is_refused(void **state)
{
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    assert_int_equal(mkdir("c", 0755), 0);
    assert_int_equal(chdir("c"), 0);
    for (int i = 0; i <= CONTEXT_MAX_DEPTH; i++) {
        assert_int_equal(mkdir("d", 0755), 0);
        assert_int_equal(chdir("d"), 0);
    }
    struct context_place place = place_of(root, NULL);
    assert_int_equal(refused(&place, "nested deeper than"), ERR_INPUT);
}

static void a_rule_that_is_wrong_is_named(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct context_place place = place_of(root, "ok\na[");
    assert_int_equal(refused(&place, ".dockerignore:2"), ERR_INPUT);
}

/* Where the parts are. */

static struct image image_at(const char *context)
{
    return (struct image){ .name = "web", .ref = "demo-web", .context = context };
}

static void find_refused(const struct image *image, const char *part)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct context_place place;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(context_find(&place, a, image, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    if (!strstr(err.msg, part))
        fail_msg("%s", err.msg);
}

static struct context_place found(struct arena *a, const struct image *image)
{
    struct context_place place;
    auto_error struct error err = ERROR_INIT;
    if (context_find(&place, a, image, &err) < 0)
        fail_msg("%s", err.msg);
    return place;
}

static void the_dockerfile_and_its_rules(void **state)
{
    put("c/Dockerfile", "FROM a\n");
    put("c/.dockerignore", "x");
    put("c/sub/db.Dockerfile", "FROM b\n");
    put("c/sub/db.Dockerfile.dockerignore", "y");
    put("elsewhere", "FROM c\n");
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    auto_free char *outside = xasprintf("%s/elsewhere", (char *)*state);

    struct image image = image_at(root);
    struct context_place place = found(a, &image);
    assert_string_equal(place.root, root);
    assert_string_equal(place.dockerfile, "FROM a\n");
    assert_string_equal(place.dockerfile_name, "Dockerfile");
    assert_string_equal(place.ignore, "x");

    image.dockerfile = "sub/db.Dockerfile";
    place = found(a, &image);
    assert_string_equal(place.dockerfile_name, "sub/db.Dockerfile");
    assert_string_equal(place.ignore, "y");

    image.dockerfile = outside;
    place = found(a, &image);
    assert_string_equal(place.dockerfile, "FROM c\n");
    assert_string_equal(place.dockerfile_name, CONTEXT_DOCKERFILE);
    assert_string_equal(place.ignore, "x");

    image.dockerfile = NULL;
    image.dockerfile_inline = "FROM d\n";
    place = found(a, &image);
    assert_string_equal(place.dockerfile, "FROM d\n");
    assert_string_equal(place.dockerfile_name, CONTEXT_DOCKERFILE);
}

static void links_inside_are_followed_to_their_place(void **state)
{
    put("c/docker/prod", "FROM a\n");
    assert_int_equal(symlink("docker/prod", "c/Dockerfile"), 0);
    assert_int_equal(symlink("c", "way"), 0);
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *way = xasprintf("%s/way", (char *)*state);
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct image image = image_at(way);
    struct context_place place = found(a, &image);
    assert_string_equal(place.root, root);
    assert_string_equal(place.dockerfile_name, "docker/prod");
}

static void links_to_the_outside_are_refused(void **state)
{
    put("secret", "FROM a\n");
    put("c/Dockerfile", "FROM a\n");
    assert_int_equal(symlink("../secret", "c/link"), 0);
    assert_int_equal(symlink("..", "c/up"), 0);
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct image image = image_at(root);
    image.dockerfile = "link";
    find_refused(&image, "outside of the build context");
    image.dockerfile = "up/secret";
    find_refused(&image, "outside of the build context");
    image.dockerfile = NULL;
    assert_int_equal(symlink("../secret", "c/.dockerignore"), 0);
    find_refused(&image, "outside of the build context");
}

static void what_is_not_there(void **state)
{
    put("file", "");
    assert_int_equal(mkdir("c", 0755), 0);
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    auto_free char *file = xasprintf("%s/file", (char *)*state);
    struct image image = image_at("/does/not/exist");
    find_refused(&image, "does not exist");
    image.context = file;
    find_refused(&image, "not a folder");
    image.context = root;
    find_refused(&image, "no Dockerfile");
}

static void a_name_that_no_plain_header_holds(void **state)
{
    put("c/d\xc3\xa9", "FROM a\n");
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct image image = image_at(root);
    image.dockerfile = "d\xc3\xa9";
    struct context_place place = found(a, &image);
    assert_string_equal(place.dockerfile_name, CONTEXT_DOCKERFILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(everything_sorted_by_name),
        with_dir(git_data_and_the_umask_do_not_count),
        with_dir(rules_leave_out),
        with_dir(the_parts_agree_with_the_whole),
        with_dir(what_changes_the_digest),
        with_dir(edits_of_the_same_size_at_once),
        with_dir(an_unchanged_file_is_not_read),
        with_dir(a_scan_that_is_stopped),
        with_dir(too_deep_is_refused),
        with_dir(a_rule_that_is_wrong_is_named),
        with_dir(the_dockerfile_and_its_rules),
        with_dir(links_inside_are_followed_to_their_place),
        with_dir(links_to_the_outside_are_refused),
        with_dir(what_is_not_there),
        with_dir(a_name_that_no_plain_header_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
