/* Text from outside: what is shown, how wide it is, and that nothing harmful is left. */
#include "unit.h"

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/safe.h"

static void check(const char *in, enum safe_flags flags, const char *want)
{
    auto_free char *out = safe_text(in, flags);
    assert_string_equal(out, want);
}

static void plain_text_passes(void **state)
{
    (void)state;
    check("", SAFE_LINE, "");
    check("hello,\tworld", SAFE_LINE, "hello,\tworld");
    check("gr\u00fc\u00df, \u65e5\u672c \U0001f600", SAFE_LINE,
          "gr\u00fc\u00df, \u65e5\u672c \U0001f600");
}

static void controls_are_shown(void **state)
{
    (void)state;
    check("\x1b[2J", SAFE_LINE, "\\x1b[2J");
    check("a\rb\ac\x7f", SAFE_LINE, "a\\x0db\\x07c\\x7f");
    check("\xc2\x9b"
          "31m",
          SAFE_LINE, "\\x9b31m"); /* CSI as one character */
    check("\x9b"
          "31m",
          SAFE_LINE, "\\x9b31m"); /* and as a byte */
}

static void newlines_stay_only_when_asked_for(void **state)
{
    (void)state;
    check("a\nb", SAFE_LINE, "a\\nb");
    check("a\nb\r\n", SAFE_NEWLINES, "a\nb\\x0d\n");
}

static void colours_stay_only_when_asked_for(void **state)
{
    (void)state;
    check("\x1b[1;31mred\x1b[m", SAFE_SGR, "\x1b[1;31mred\x1b[m");
    check("\x1b[38:2:1:2:3m", SAFE_SGR, "\x1b[38:2:1:2:3m");
    check("\x1b[31mred", SAFE_LINE, "\\x1b[31mred");
    check("\x1b[2J\x1b[?25l\x1b]0;x\a\x1b[3", SAFE_SGR, "\\x1b[2J\\x1b[?25l\\x1b]0;x\\x07\\x1b[3");
    check("\x1b[>4m", SAFE_SGR, "\\x1b[>4m");
}

static void invalid_utf8_is_shown(void **state)
{
    (void)state;
    check("\xff", SAFE_LINE, "\\xff");
    check("\xc3", SAFE_LINE, "\\xc3");                            /* cut */
    check("\xc0\xaf", SAFE_LINE, "\\xc0\\xaf");                   /* overlong */
    check("\xe0\x80\xaf", SAFE_LINE, "\\xe0\\x80\\xaf");          /* overlong */
    check("\xed\xa0\x80", SAFE_LINE, "\\xed\\xa0\\x80");          /* surrogate */
    check("\xf4\x90\x80\x80", SAFE_LINE, "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
    check("\xe2\x82z", SAFE_LINE, "\\xe2\\x82z");
}

static void bidi_controls_are_shown(void **state)
{
    (void)state;
    check("a\u202e"
          "b\u2066"
          "c",
          SAFE_LINE, "a\\u{202e}b\\u{2066}c");
}

static void nul_bytes_are_shown(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT;
    safe_add(&s, "a\0b", 3, SAFE_LINE);
    assert_string_equal(s.buf, "a\\x00b");
}

static void a_full_string_never_ends_in_half_a_sequence(void **state)
{
    (void)state;
    for (size_t max = 0; max < 8; max++) {
        auto_str struct str s = STR_INIT_MAX(max);
        safe_add(&s, "a\x1b[31mb", 7, SAFE_SGR);
        assert_string_equal(s.buf, max == 0  ? ""
                                   : max < 6 ? "a"
                                   : max < 7 ? "a\x1b[31m"
                                             : "a\x1b[31mb");
        assert_int_equal(s.overflow, max < 7);
    }
}

static void width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(safe_width(""), 0);
    assert_int_equal(safe_width("abc"), 3);
    assert_int_equal(safe_width("\x1b[1;31mred\x1b[m"), 3);
    assert_int_equal(safe_width("\u00e9\u65e5"), 3);
    assert_int_equal(safe_width("e\u0301"), 1); /* combining accent */
    assert_int_equal(safe_width("\U0001f600"), 2);
    assert_int_equal(safe_width("\u2026\u2514\u2713"), 3);
    assert_int_equal(safe_width("\a"), 4); /* as it would be shown */
}

static void check_cut(const char *in, size_t columns, const char *want)
{
    auto_str struct str s = STR_INIT;
    safe_add_cut(&s, in, columns);
    assert_string_equal(s.buf, want);
}

static void cut_ends_in_an_ellipsis(void **state)
{
    (void)state;
    check_cut("hello", 5, "hello");
    check_cut("hello", 4, "hel\u2026");
    check_cut("hello", 1, "\u2026");
    check_cut("hello", 0, "");
    check_cut("\u65e5\u672c\u8a9e", 5, "\u65e5\u672c\u2026");
    check_cut("\u65e5\u672c\u8a9e", 4, "\u65e5\u2026"); /* no half characters */
    check_cut("\x1b[31mhello\x1b[m", 3, "\x1b[31mhe\u2026\x1b[m");
    check_cut("a\tb", 9, "a b");
    check_cut("a\x1b[2Jb", 9, "a\\x1b[2Jb");
}

/* Whether the text holds nothing that a terminal obeys beyond what the flags allow. */
static bool is_harmless(const char *s, unsigned flags)
{
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if (*p == 0x1b) {
            if (!(flags & SAFE_SGR) || p[1] != '[')
                return false;
            size_t n = strspn((const char *)p + 2, "0123456789;:");
            if (p[2 + n] != 'm')
                return false;
            p += 2 + n;
        } else if ((*p < 0x20 && *p != '\t' && !(*p == '\n' && (flags & SAFE_NEWLINES))) ||
                   *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0)) {
            return false;
        }
    }
    return true;
}

/* Well-formed by the table 3-7 of the Unicode standard, another way than the code under test. */
static bool is_utf8(const char *s)
{
    static const struct {
        unsigned char lead_low, lead_high, low, high;
        int tail;
    } rows[] = {
        { 0x00, 0x7f, 0x00, 0x00, 0 }, { 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 },
        { 0xe1, 0xec, 0x80, 0xbf, 2 }, { 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 },
        { 0xf0, 0xf0, 0x90, 0xbf, 3 }, { 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 },
    };
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        size_t i = 0;
        while (i < countof(rows) && !(*p >= rows[i].lead_low && *p <= rows[i].lead_high))
            i++;
        if (i == countof(rows))
            return false;
        p++;
        for (int k = 0; k < rows[i].tail; k++, p++)
            if (*p < (k ? 0x80 : rows[i].low) || *p > (k ? 0xbf : rows[i].high))
                return false;
    }
    return true;
}

/* Any bytes at all, mostly those that matter, from a fixed seed. */
static void nothing_harmful_is_ever_left(void **state)
{
    (void)state;
    static const char spice[] =
        "\x1b\x1b[[m;:0123\n\t\r\x7f\xc2\x9b\x85\xe2\x80\xae\xf0\x9f\x98\x80\xed";
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char in[48];
        size_t n = (seed >> 8) % sizeof(in);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            uint32_t r = seed >> 8;
            in[i] = r % 3 ? spice[r / 3 % (sizeof(spice) - 1)] : (char)(r / 3);
        }
        seed = seed * 1664525 + 1013904223;
        unsigned flags = seed >> 8 & 3;
        size_t max = (seed >> 12) % 200;
        auto_str struct str s = STR_INIT_MAX(max);
        safe_add(&s, in, n, flags);
        assert_int_equal(strlen(s.buf), s.len);
        assert_true(is_harmless(s.buf, flags));
        if (!s.overflow)
            assert_true(is_utf8(s.buf));

        /* What is safe already is not changed, and the cut text is as wide as it says. */
        auto_free char *again = safe_text(s.buf, flags);
        if (!s.overflow)
            assert_string_equal(again, s.buf);
        auto_str struct str cut = STR_INIT;
        size_t columns = (seed >> 20) % 30;
        safe_add_cut(&cut, s.buf, columns);
        assert_true(is_harmless(cut.buf, SAFE_SGR));
        assert_true(safe_width(cut.buf) <= columns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_passes),
        cmocka_unit_test(controls_are_shown),
        cmocka_unit_test(newlines_stay_only_when_asked_for),
        cmocka_unit_test(colours_stay_only_when_asked_for),
        cmocka_unit_test(invalid_utf8_is_shown),
        cmocka_unit_test(bidi_controls_are_shown),
        cmocka_unit_test(nul_bytes_are_shown),
        cmocka_unit_test(a_full_string_never_ends_in_half_a_sequence),
        cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(cut_ends_in_an_ellipsis),
        cmocka_unit_test(nothing_harmful_is_ever_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
