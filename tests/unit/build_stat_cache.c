/* The stat cache: what it gives back, and what it does not. */
#include "unit.h"

#include <time.h>

#include "base/mem.h"
#include "build/stat_cache.h"

#define NOW ((int64_t)1700000000000000000)

static const struct stat_key old = { 42, 100, NOW - 60000000000, NOW - 60000000000 };

static void name_digest(uint8_t out[DIGEST_LEN], const char *path)
{
    struct digest *d = digest_new();
    digest_add_str(d, path);
    digest_end_raw(d, out);
}

/* A cache with these paths, all with the key `old`. */
static struct str written(const char *const *paths, size_t n)
{
    struct stat_cache_writer w;
    stat_cache_begin(&w, NOW);
    for (size_t i = 0; i < n; i++) {
        uint8_t digest[DIGEST_LEN];
        name_digest(digest, paths[i]);
        assert_true(stat_cache_add(&w, paths[i], &old, digest));
    }
    stat_cache_end(&w);
    return w.bytes;
}

static struct stat_cache *read_back(struct str *bytes)
{
    size_t len = bytes->len;
    return stat_cache_read(str_detach(bytes), len);
}

static void assert_found(const struct stat_cache *c, size_t *cursor, const char *path)
{
    uint8_t digest[DIGEST_LEN];
    name_digest(digest, path);
    const uint8_t *found = stat_cache_find(c, cursor, path, &old);
    assert_non_null(found);
    assert_memory_equal(found, digest, DIGEST_LEN);
}

static const char *const paths[] = { "a", "a/b", "a/b/c", "a-b", "a.b", "ab", "z" };
enum { NPATHS = sizeof(paths) / sizeof(paths[0]) };

static void the_order_is_that_of_a_walk(void **state)
{
    (void)state;
    for (size_t i = 0; i < NPATHS; i++)
        for (size_t k = 0; k < NPATHS; k++) {
            int order = stat_cache_order(paths[i], paths[k]);
            assert_true(i < k ? order < 0 : i > k ? order > 0 : order == 0);
        }
}

static void what_was_written_is_found_in_any_order(void **state)
{
    (void)state;
    struct str bytes = written(paths, NPATHS);
    auto_(stat_cache_freep) struct stat_cache *c = read_back(&bytes);
    size_t cursor = 0;
    for (size_t i = 0; i < NPATHS; i++)
        assert_found(c, &cursor, paths[i]);
    for (size_t i = NPATHS; i-- > 0;)
        assert_found(c, &cursor, paths[i]);
    assert_null(stat_cache_find(c, &cursor, "a/bb", &old));
    assert_null(stat_cache_find(c, &cursor, "", &old));
    assert_found(c, &cursor, "ab");
}

static void any_difference_is_a_miss(void **state)
{
    (void)state;
    struct str bytes = written(paths, NPATHS);
    auto_(stat_cache_freep) struct stat_cache *c = read_back(&bytes);
    struct stat_key keys[] = { old, old, old, old };
    keys[0].ino++;
    keys[1].size--;
    keys[2].mtime_ns++;
    keys[3].ctime_ns++;
    for (size_t i = 0; i < 4; i++) {
        size_t cursor = 0;
        assert_null(stat_cache_find(c, &cursor, "ab", &keys[i]));
    }
}

static void racy_files_are_not_kept(void **state)
{
    (void)state;
    const uint8_t digest[DIGEST_LEN] = { 0 };
    struct stat_cache_writer w;
    stat_cache_begin(&w, NOW);
    struct stat_key key = old;
    key.mtime_ns = NOW - 1000;
    assert_false(stat_cache_add(&w, "a", &key, digest));
    key = old;
    key.ctime_ns = NOW - STAT_CACHE_RACY_NS;
    assert_false(stat_cache_add(&w, "b", &key, digest));
    key.ctime_ns--;
    assert_true(stat_cache_add(&w, "c", &key, digest));
    key.mtime_ns = NOW + 1000000000; /* from the future: nothing is known about its ticks */
    assert_false(stat_cache_add(&w, "d", &key, digest));
    stat_cache_writer_clear(&w);
}

/* Whatever byte is wrong, nothing wrong comes out. */
static void damage_makes_it_empty(void **state)
{
    (void)state;
    struct str good = written(paths, NPATHS);
    for (size_t i = 0; i < good.len; i++) {
        char *copy = xmalloc(good.len);
        memcpy(copy, good.buf, good.len);
        copy[i] ^= 1;
        auto_(stat_cache_freep) struct stat_cache *c = stat_cache_read(copy, good.len);
        size_t cursor = 0;
        assert_null(stat_cache_find(c, &cursor, "ab", &old));
    }
    for (size_t len = 0; len < good.len; len++) {
        char *copy = xmalloc(len + 1);
        memcpy(copy, good.buf, len);
        auto_(stat_cache_freep) struct stat_cache *c = stat_cache_read(copy, len);
        size_t cursor = 0;
        assert_null(stat_cache_find(c, &cursor, "ab", &old));
    }
    str_clear(&good);
    auto_(stat_cache_freep) struct stat_cache *none = stat_cache_load("/does/not/exist");
    size_t cursor = 0;
    assert_null(stat_cache_find(none, &cursor, "ab", &old));
}

static void put_aged(const char *path, int days)
{
    auto_fclose FILE *file = fopen(path, "w");
    assert_non_null(file);
    time_t then = time(NULL) - (time_t)days * 24 * 3600;
    struct timespec times[2] = { { then, 0 }, { then, 0 } };
    assert_int_equal(futimens(fileno(file), times), 0);
}

static void caches_that_nobody_uses_go(void **state)
{
    (void)state;
    assert_int_equal(mkdir("caches", 0700), 0);
    put_aged("caches/used", 40);
    put_aged("caches/recent", 20);
    put_aged("caches/unused", 40);
    stat_cache_free(stat_cache_load("caches/used"));

    const uint8_t digest[DIGEST_LEN] = { 7 };
    struct stat_cache_writer w;
    stat_cache_begin(&w, NOW);
    stat_cache_add(&w, "a", &old, digest);
    assert_int_equal(stat_cache_save(&w, "caches/new", NULL), 0);
    stat_cache_writer_clear(&w);

    assert_int_equal(access("caches/used", F_OK), 0);
    assert_int_equal(access("caches/recent", F_OK), 0);
    assert_int_equal(access("caches/unused", F_OK), -1);
    auto_(stat_cache_freep) struct stat_cache *c = stat_cache_load("caches/new");
    size_t cursor = 0;
    assert_memory_equal(stat_cache_find(c, &cursor, "a", &old), digest, DIGEST_LEN);

    stat_cache_begin(&w, NOW);
    assert_int_equal(stat_cache_save(&w, "nowhere/new", NULL), -1);
    stat_cache_writer_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_that_of_a_walk),
        cmocka_unit_test(what_was_written_is_found_in_any_order),
        cmocka_unit_test(any_difference_is_a_miss),
        cmocka_unit_test(racy_files_are_not_kept),
        cmocka_unit_test(damage_makes_it_empty),
        cmocka_unit_test_setup_teardown(caches_that_nobody_uses_go, unit_dir_make, unit_dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
