/* Digests against published vectors; base64 both ways. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/digest.h"

static void sha256_vectors(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_LEN + 1];
    digest_hex(hex, "", 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_hex(hex, "abc", 3);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    struct digest *d = digest_new();
    digest_add(d, "a", 1);
    digest_add(d, NULL, 0);
    digest_add(d, "bc", 2);
    digest_end(d, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void digest_of(char hex[DIGEST_HEX_LEN + 1], const char *const *parts, size_t n)
{
    struct digest *d = digest_new();
    for (size_t i = 0; i < n; i++)
        digest_add_str(d, parts[i]);
    digest_end(d, hex);
}

static void strings_are_told_apart(void **state)
{
    (void)state;
    static const char *const lists[][3] = {
        { "ab", "c", "" },   { "a", "bc", "" },   { "", "ab", "c" },
        { NULL, "ab", "c" }, { "ab", "c", NULL },
    };
    char hex[countof(lists)][DIGEST_HEX_LEN + 1];
    for (size_t i = 0; i < countof(lists); i++) {
        digest_of(hex[i], lists[i], 3);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(hex[i], hex[k]);
    }
    char again[DIGEST_HEX_LEN + 1];
    digest_of(again, lists[0], 3);
    assert_string_equal(again, hex[0]);
}

/* Labels on containers hold such digests: a change would recreate every container. */
static void the_form_of_strings_is_fixed(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_LEN + 1], want[DIGEST_HEX_LEN + 1];
    digest_of(hex, (const char *const[]){ "ab", NULL }, 2);
    digest_hex(want, "\1\2\0\0\0\0\0\0\0ab\0", 12);
    assert_string_equal(hex, want);
}

static void hmac_vector_of_rfc_4231(void **state)
{
    (void)state;
    static const uint8_t want[DIGEST_LEN] = {
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
        0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
    };
    uint8_t got[DIGEST_LEN];
    const char *data = "what do ya want for nothing?";
    digest_hmac(got, "Jefe", 4, data, strlen(data));
    assert_true(digest_same(got, want, DIGEST_LEN));
    got[31] ^= 1;
    assert_false(digest_same(got, want, DIGEST_LEN));
}

static void base64_vectors_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const want[] = { "",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    for (size_t n = 0; n < countof(want); n++) {
        auto_free char *text = base64_encode("foobar", n, false);
        assert_string_equal(text, want[n]);
        auto_free uint8_t *back = NULL;
        size_t len;
        assert_int_equal(base64_decode(&back, &len, text, NULL), 0);
        assert_int_equal(len, n);
        assert_memory_equal(back, "foobar", n);
        assert_int_equal(back[len], 0);
    }
    auto_free char *standard = base64_encode("\xfb\xff", 2, false);
    auto_free char *url_safe = base64_encode("\xfb\xff", 2, true);
    assert_string_equal(standard, "+/8=");
    assert_string_equal(url_safe, "-_8=");
}

static void base64_takes_both_alphabets_and_no_padding(void **state)
{
    (void)state;
    static const char *const same[] = { "+/8=", "-_8=", "+/8", "-_8" };
    for (size_t i = 0; i < countof(same); i++) {
        auto_free uint8_t *data = NULL;
        size_t len;
        assert_int_equal(base64_decode(&data, &len, same[i], NULL), 0);
        assert_int_equal(len, 2);
        assert_memory_equal(data, "\xfb\xff", 2);
    }
}

static void base64_refuses_other_text(void **state)
{
    (void)state;
    static const char *const bad[] = { "Z",    "Zg=",    "Zg===", "=",         "==",   "Zm9vY",
                                       "Zm 9", "Zm9v\n", "Zg=a",  "Z\xc3\xbc", "Zm8==" };
    for (size_t i = 0; i < countof(bad); i++) {
        auto_error struct error err = ERROR_INIT;
        uint8_t *data = NULL;
        size_t len = 7;
        assert_int_equal(base64_decode(&data, &len, bad[i], &err), -1);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_null(data);
        assert_int_equal(len, 7);
    }
}

static void base64_of_any_bytes_comes_back(void **state)
{
    (void)state;
    uint8_t data[256];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 167 + 13);
    for (size_t n = 0; n <= sizeof(data); n++) {
        auto_free char *text = base64_encode(data, n, n % 2);
        auto_free uint8_t *back = NULL;
        size_t len;
        assert_int_equal(base64_decode(&back, &len, text, NULL), 0);
        assert_int_equal(len, n);
        assert_memory_equal(back, data, n);
    }
}

static void random_text_is_hex_and_differs(void **state)
{
    (void)state;
    char a[201], b[201];
    memset(a, '!', sizeof(a));
    random_hex(a, 100);
    random_hex(b, 100);
    assert_int_equal(strlen(a), 200);
    assert_int_equal(strspn(a, "0123456789abcdef"), 200);
    assert_string_not_equal(a, b);
    random_hex(a, 0);
    assert_string_equal(a, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(strings_are_told_apart),
        cmocka_unit_test(the_form_of_strings_is_fixed),
        cmocka_unit_test(hmac_vector_of_rfc_4231),
        cmocka_unit_test(base64_vectors_of_rfc_4648),
        cmocka_unit_test(base64_takes_both_alphabets_and_no_padding),
        cmocka_unit_test(base64_refuses_other_text),
        cmocka_unit_test(base64_of_any_bytes_comes_back),
        cmocka_unit_test(random_text_is_hex_and_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
