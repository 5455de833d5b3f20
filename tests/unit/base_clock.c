/* Time: the forms that engines and users write. */
#include "unit.h"

#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define S INT64_C(1000000000)

static void rfc3339_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2001-09-09T01:46:40Z", 1000000000 * S },
        { "2001-09-09T01:46:40.5Z", 1000000000 * S + 500000000 },
        { "2001-09-09T01:46:40.123456789999Z", 1000000000 * S + 123456789 },
        { "2001-09-09T03:46:40+02:00", 1000000000 * S },
        { "2001-09-08T20:16:40-05:30", 1000000000 * S },
        { "2000-02-29T00:00:00Z", 951782400 * S },
        { "1969-12-31T23:59:59.25Z", -750000000 },
        { "0001-01-01T00:00:00Z", 0 }, /* Go's "never" */
    };
    static const char *const bad[] = {
        "",
        "2001-09-09",
        "2001-09-09T01:46:40",
        "2001-09-09 01:46:40Z",
        "2001-13-09T01:46:40Z",
        "2001-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2001-00-09T01:46:40Z",
        "2001-09-31T00:00:00Z",
        "2001-09-09T24:00:00Z",
        "2001-09-09T01:60:00Z",
        "2001-09-09T01:46:60Z",
        "2001-09-09T01:46:40.Z",
        "2001-09-09T01:46:40Zx",
        "2001-09-09T01:46:40+0200",
        "2001-09-09T01:46:40+24:00",
        "9999-01-01T00:00:00Z",
        "2001-9-09T01:46:40Z",
        "-001-09-09T01:46:40Z",
    };
    int64_t ns;
    for (size_t i = 0; i < countof(good); i++) {
        assert_int_equal(clock_parse_rfc3339(&ns, good[i].text), 0);
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < countof(bad); i++) {
        ns = -77;
        assert_int_equal(clock_parse_rfc3339(&ns, bad[i]), -1);
        assert_int_equal(ns, -77);
    }
}

static void rfc3339_is_written_and_read_back(void **state)
{
    (void)state;
    char buf[40];
    assert_string_equal(clock_rfc3339(buf, 1000000000 * S + 5), "2001-09-09T01:46:40.000000005Z");
    assert_string_equal(clock_rfc3339(buf, -1), "1969-12-31T23:59:59.999999999Z");
    uint64_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        int64_t ns = (int64_t)seed, back;
        assert_int_equal(clock_parse_rfc3339(&back, clock_rfc3339(buf, ns)), 0);
        assert_int_equal(back, ns);
    }
}

static void when_takes_dockers_forms(void **state)
{
    (void)state;
    int64_t ns;
    setenv("TZ", "UTC-3", 1); /* three hours east */
    tzset();
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        { "1000000000", 1000000000 },
        { "2001-09-09T01:46:40Z", 1000000000 },
        { "2001-09-09T04:46:40", 1000000000 }, /* local time */
        { "2001-09-09T04:46", 1000000000 - 40 },
        { "2001-09-09T04", 1000000000 - 40 - 46 * 60 },
        { "2001-09-09T03:46:40+02:00", 1000000000 },
        { "2001-09-09", 999982800 },
        { "2001-09-09Z", 999993600 },
    };
    static const char *const bad[] = { "",
                                       "yesterday",
                                       "-5m",
                                       "10x",
                                       "2001-09-09T",
                                       "2001-09",
                                       "1000.",
                                       "1.2.3",
                                       "2001-09-09T25",
                                       "2001-09-09T04:",
                                       "99999999999999999999",
                                       "10000000000" };
    for (size_t i = 0; i < countof(good); i++) {
        assert_int_equal(clock_parse_when(&ns, good[i].text), 0);
        assert_int_equal(ns, good[i].seconds * S);
    }
    assert_int_equal(clock_parse_when(&ns, "1000000000.25"), 0);
    assert_int_equal(ns, 1000000000 * S + 250000000);
    for (size_t i = 0; i < countof(bad); i++) {
        ns = -77;
        assert_int_equal(clock_parse_when(&ns, bad[i]), -1);
        assert_int_equal(ns, -77);
    }
}

static void when_counts_durations_back_from_now(void **state)
{
    (void)state;
    int64_t before = clock_unix_ns(), ns;
    assert_int_equal(clock_parse_when(&ns, "10m"), 0);
    int64_t after = clock_unix_ns();
    assert_true(ns >= before - 600 * S && ns <= after - 600 * S);
}

static void clocks_run_forward(void **state)
{
    (void)state;
    int64_t a = clock_ms(), b = clock_ms();
    assert_true(a >= 0 && b >= a);
    assert_true(clock_unix_ns() > 1700000000 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3339_is_read),
        cmocka_unit_test(rfc3339_is_written_and_read_back),
        cmocka_unit_test(when_takes_dockers_forms),
        cmocka_unit_test(when_counts_durations_back_from_now),
        cmocka_unit_test(clocks_run_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
