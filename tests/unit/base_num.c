/* Numbers with units: tables of what is read and what is refused. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/num.h"

#define UNTOUCHED INT64_C(-77)

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        { "0", 0 },
        { "-0", 0 },
        { "+7", 7 },
        { "007", 7 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
    };
    static const char *const bad[] = { "",
                                       "-",
                                       "+",
                                       " 1",
                                       "1 ",
                                       "1.0",
                                       "0x10",
                                       "1e3",
                                       "--1",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "99999999999999999999999",
                                       "1a" };
    int64_t value;
    for (size_t i = 0; i < countof(good); i++) {
        assert_int_equal(num_int(&value, good[i].text), 0);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < countof(bad); i++) {
        value = UNTOUCHED;
        assert_int_equal(num_int(&value, bad[i]), -1);
        assert_int_equal(value, UNTOUCHED);
    }
}

static void ranges_include_their_bounds(void **state)
{
    (void)state;
    int64_t value = UNTOUCHED;
    assert_int_equal(num_range(&value, "0", 1, 65535), -1);
    assert_int_equal(num_range(&value, "65536", 1, 65535), -1);
    assert_int_equal(value, UNTOUCHED);
    assert_int_equal(num_range(&value, "1", 1, 65535), 0);
    assert_int_equal(num_range(&value, "65535", 1, 65535), 0);
    assert_int_equal(value, 65535);
}

static void bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        { "0", 0 },
        { "2048", 2048 },
        { "32b", 32 },
        { "32B", 32 },
        { "64m", 64 << 20 },
        { "64M", 64 << 20 },
        { "64mb", 64 << 20 },
        { "64MiB", 64 << 20 },
        { "10KiB", 10 << 10 },
        { "10 kb", 10 << 10 },
        { "1.5gb", INT64_C(3) << 29 },
        { ".5k", 512 },
        { "3.k", 3 << 10 },
        { "0.3", 0 },
        { "2t", INT64_C(2) << 40 },
        { "2P", INT64_C(2) << 50 },
        { "9007199254740993", INT64_C(9007199254740993) }, /* not through a double */
        { "9223372036854775807", INT64_MAX },
    };
    static const char *const bad[] = { "",      "b",
                                       "k",     ".",
                                       "-1",    "+1",
                                       "-1k",   "1kk",
                                       "1bb",   "1bib",
                                       "1kibb", "1ki",
                                       "1x",    "1e",
                                       "1e3",   "0x1",
                                       "1..5",  "1 ",
                                       "1  k",  " 1",
                                       "inf",   "nan",
                                       "8192p", "9223372036854775808",
                                       "1k ",   "99999999999999999999.0" };
    int64_t value;
    for (size_t i = 0; i < countof(good); i++) {
        assert_int_equal(num_bytes(&value, good[i].text), 0);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < countof(bad); i++) {
        value = UNTOUCHED;
        assert_int_equal(num_bytes(&value, bad[i]), -1);
        assert_int_equal(value, UNTOUCHED);
    }
    char many[200];
    memset(many, '0', sizeof(many));
    many[199] = '\0';
    assert_int_equal(num_bytes(&value, many), -1);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
        const char *shown;
    } good[] = {
        { "0", 0, "0s" },
        { "+0", 0, "0s" },
        { "0s", 0, "0s" },
        { "1ns", 1, "1ns" },
        { "1.5us", 1500, "1.5\u00b5s" },
        { "2\u00b5s", 2000, "2\u00b5s" },
        { "2\u03bcs", 2000, "2\u00b5s" },
        { "300ms", 300000000, "300ms" },
        { "0.001ms", 1000, "1\u00b5s" },
        { ".5s", 500000000, "500ms" },
        { "5.s", 5000000000, "5s" },
        { "1.5s", 1500000000, "1.5s" },
        { "+5s", 5000000000, "5s" },
        { "1m30s", 90000000000, "1m30s" },
        { "90s", 90000000000, "1m30s" },
        { "5m", 300000000000, "5m0s" },
        { "1.5h", 5400000000000, "1h30m0s" },
        { "30s1h", 3630000000000, "1h0m30s" },
        { "1d", 86400000000000, "24h0m0s" },
        { "1w", 604800000000000, "168h0m0s" },
        { "1h0m0.000000001s", 3600000000001, "1h0m0.000000001s" },
        { "0.100000000000000000000000000001h", 360000000000, "6m0s" },
        { "9223372036854775807ns", INT64_MAX, "2562047h47m16.854775807s" },
    };
    static const char *const bad[] = { "",
                                       "-1s",
                                       "-0",
                                       "1",
                                       "s",
                                       ".s",
                                       "1.",
                                       "1 s",
                                       " 1s",
                                       "1s ",
                                       "1x",
                                       "1sm",
                                       "1S",
                                       "1..5s",
                                       "--1s",
                                       "+",
                                       "+-1s",
                                       "3000000h",
                                       "9223372036854775808ns",
                                       "9223372036854775807ns1ns",
                                       "1e3s",
                                       "1.5" };
    int64_t ns;
    char buf[NUM_TEXT_MAX];
    for (size_t i = 0; i < countof(good); i++) {
        assert_int_equal(num_duration(&ns, good[i].text), 0);
        assert_int_equal(ns, good[i].ns);
        assert_string_equal(num_duration_text(buf, ns), good[i].shown);
    }
    for (size_t i = 0; i < countof(bad); i++) {
        ns = UNTOUCHED;
        assert_int_equal(num_duration(&ns, bad[i]), -1);
        assert_int_equal(ns, UNTOUCHED);
    }
    assert_string_equal(num_duration_text(buf, -1500000000), "-1.5s");
    assert_string_equal(num_duration_text(buf, INT64_MIN), "-2562047h47m16.854775808s");
}

static void duration_text_is_read_back(void **state)
{
    (void)state;
    char buf[NUM_TEXT_MAX];
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        int64_t ns = (int64_t)(seed >> (1 + i % 63)), back = UNTOUCHED;
        assert_int_equal(num_duration(&back, num_duration_text(buf, ns)), 0);
        assert_int_equal(back, ns);
    }
}

static void doubles(void **state)
{
    (void)state;
    static const char *const bad[] = { "",   "-",  ".",  "1.5.", "inf",   "nan", "0x1p3",
                                       " 1", "1 ", "1e", "1e+",  "1e999", "1,5", "e5" };
    double value = 7;
    assert_int_equal(num_double(&value, "1.5"), 0);
    assert_true(value == 1.5);
    assert_int_equal(num_double(&value, "-.25e2"), 0);
    assert_true(value == -25);
    assert_int_equal(num_double(&value, "2."), 0);
    assert_true(value == 2);
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(num_double(&value, bad[i]), -1);
    assert_true(value == 2);
}

static void texts_for_people(void **state)
{
    (void)state;
    char buf[NUM_TEXT_MAX];
    assert_string_equal(num_elapsed_text(buf, 0), "0.0 s");
    assert_string_equal(num_elapsed_text(buf, -5), "0.0 s");
    assert_string_equal(num_elapsed_text(buf, 11432), "11.4 s");
    assert_string_equal(num_elapsed_text(buf, 59999), "59.9 s");
    assert_string_equal(num_elapsed_text(buf, 60000), "1m 00s");
    assert_string_equal(num_elapsed_text(buf, 123456), "2m 03s");
    assert_string_equal(num_elapsed_text(buf, 3720000), "1h 02m");

    assert_string_equal(num_size_text(buf, 0), "0 B");
    assert_string_equal(num_size_text(buf, 999), "999 B");
    assert_string_equal(num_size_text(buf, 1000), "1 kB");
    assert_string_equal(num_size_text(buf, 13400000), "13.4 MB");
    assert_string_equal(num_size_text(buf, 999499), "999 kB");
    assert_string_equal(num_size_text(buf, 999500), "1 MB");
    assert_string_equal(num_size_text(buf, INT64_MAX), "9.22 EB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(ranges_include_their_bounds),
        cmocka_unit_test(bytes),
        cmocka_unit_test(durations),
        cmocka_unit_test(duration_text_is_read_back),
        cmocka_unit_test(doubles),
        cmocka_unit_test(texts_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
