/* Proofs of deliveries against the examples that their inventors published. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "server/signature.h"

#define SECRET(text) (&(struct secret){ (char[]){ text }, sizeof(text) - 1 })

/* docs.github.com, "Validating webhook deliveries". */
#define GITHUB_SECRET SECRET("It's a Secret to Everybody")
#define GITHUB_BODY "Hello, World!"
#define GITHUB_HEX "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

static bool github(const char *given)
{
    return signature_hex(given, "sha256=", GITHUB_SECRET, GITHUB_BODY, strlen(GITHUB_BODY));
}

static void the_example_of_github(void **state)
{
    (void)state;
    assert_true(github("sha256=" GITHUB_HEX));
    assert_true(signature_hex(GITHUB_HEX, "", GITHUB_SECRET, GITHUB_BODY, strlen(GITHUB_BODY)));
}

static void what_is_no_proof(void **state)
{
    (void)state;
    assert_false(github(NULL));
    assert_false(github(""));
    assert_false(github("sha256="));
    assert_false(github(GITHUB_HEX));
    assert_false(github("sha1=" GITHUB_HEX));
    assert_false(github("SHA256=" GITHUB_HEX));
    assert_false(github("sha256= " GITHUB_HEX));
    assert_false(github("sha256=" GITHUB_HEX "0"));
    assert_false(github("sha256=" GITHUB_HEX ",sha256=" GITHUB_HEX));
    assert_false(github("sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17"));
    char text[] = "sha256=" GITHUB_HEX;
    for (size_t n = strlen(text) - 1; n > 0; n--) {
        auto_free char *cut = xstrndup(text, n);
        assert_false(github(cut));
    }
    for (size_t i = strlen("sha256="); i < strlen(text); i++) {
        char kept = text[i];
        text[i] = kept == '0' ? '1' : '0';
        assert_false(github(text));
        text[i] = kept;
    }
    assert_true(github(text));
}

static void another_body_or_secret_is_no_proof(void **state)
{
    (void)state;
    const char *given = "sha256=" GITHUB_HEX;
    assert_false(signature_hex(given, "sha256=", GITHUB_SECRET, "Hello, World", 12));
    assert_false(signature_hex(given, "sha256=", GITHUB_SECRET, "Hello, World!\n", 14));
    assert_false(signature_hex(given, "sha256=", SECRET("another"), GITHUB_BODY, 13));
    /* HMAC with an empty key is something that everybody can make. */
    assert_false(signature_hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
                               "", &(struct secret){ (char[]){ "" }, 0 }, "", 0));
    assert_false(signature_hex(given, "sha256=", &(struct secret){ 0 }, GITHUB_BODY, 13));
}

static void a_secret_that_is_not_ascii(void **state)
{
    (void)state;
    /* printf %s body | openssl dgst -sha256 -hmac 'Schlüssel✓' */
    assert_true(signature_hex("9c73845074f7c3ef87df014f40176348d2a7bbfd0c4a8f56beaa066d6b8d34a9",
                              "", SECRET("Schl\xc3\xbcssel\xe2\x9c\x93"), "body", 4));
}

static void tokens(void **state)
{
    (void)state;
    assert_true(signature_token("s3cret", SECRET("s3cret")));
    assert_false(signature_token("s3cre", SECRET("s3cret")));
    assert_false(signature_token("s3crets", SECRET("s3cret")));
    assert_false(signature_token("S3cret", SECRET("s3cret")));
    assert_false(signature_token("", SECRET("s3cret")));
    assert_false(signature_token(NULL, SECRET("s3cret")));
    assert_false(signature_token("", &(struct secret){ 0 }));
    assert_false(signature_token("", &(struct secret){ (char[]){ "" }, 0 }));
}

/* github.com/standard-webhooks, the example of its specification and libraries. */
#define STANDARD_SECRET SECRET("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
#define STANDARD_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define STANDARD_TIME 1614265330
#define STANDARD_BODY "{\"test\": 2432232314}"
#define STANDARD_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static bool standard_at(const char *signatures, int64_t now_s)
{
    return signature_standard(signatures, STANDARD_ID, "1614265330", STANDARD_SECRET, STANDARD_BODY,
                              strlen(STANDARD_BODY), now_s);
}

static void the_example_of_standard_webhooks(void **state)
{
    (void)state;
    assert_true(standard_at(STANDARD_SIGNATURE, STANDARD_TIME));
    auto_free char *made = signature_standard_make(STANDARD_ID, "1614265330", STANDARD_SECRET,
                                                   STANDARD_BODY, strlen(STANDARD_BODY));
    assert_string_equal(made, STANDARD_SIGNATURE);
}

static void one_good_signature_of_several(void **state)
{
    (void)state;
    assert_true(standard_at("v1,AAAA v1a,xyz " STANDARD_SIGNATURE, STANDARD_TIME));
    assert_true(standard_at(STANDARD_SIGNATURE " v1,AAAA", STANDARD_TIME));
    assert_false(standard_at("v1,AAAA v1a,xyz", STANDARD_TIME));
    assert_false(standard_at("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", STANDARD_TIME));
    assert_false(standard_at("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", STANDARD_TIME));
    assert_false(standard_at("v1,", STANDARD_TIME));
    assert_false(standard_at("", STANDARD_TIME));
    assert_false(standard_at(NULL, STANDARD_TIME));
    for (size_t n = strlen(STANDARD_SIGNATURE) - 2; n > 0; n--) {
        auto_free char *cut = xstrndup(STANDARD_SIGNATURE, n);
        assert_false(standard_at(cut, STANDARD_TIME));
    }
}

static void what_is_sent_again_later(void **state)
{
    (void)state;
    assert_true(standard_at(STANDARD_SIGNATURE, STANDARD_TIME + SIGNATURE_WINDOW_S));
    assert_true(standard_at(STANDARD_SIGNATURE, STANDARD_TIME - SIGNATURE_WINDOW_S));
    assert_false(standard_at(STANDARD_SIGNATURE, STANDARD_TIME + SIGNATURE_WINDOW_S + 1));
    assert_false(standard_at(STANDARD_SIGNATURE, STANDARD_TIME - SIGNATURE_WINDOW_S - 1));
    /* A newer time is part of what is signed. */
    assert_false(signature_standard(STANDARD_SIGNATURE, STANDARD_ID, "1614265999", STANDARD_SECRET,
                                    STANDARD_BODY, strlen(STANDARD_BODY), 1614265999));
    static const char *const odd[] = { "",           "now",          "1614265330 ",
                                       "0x60379b32", "1614265330.5", "99999999999999999999" };
    for (size_t i = 0; i < countof(odd); i++)
        assert_false(signature_standard(STANDARD_SIGNATURE, STANDARD_ID, odd[i], STANDARD_SECRET,
                                        STANDARD_BODY, strlen(STANDARD_BODY), STANDARD_TIME));
    assert_false(signature_standard(STANDARD_SIGNATURE, NULL, "1614265330", STANDARD_SECRET,
                                    STANDARD_BODY, strlen(STANDARD_BODY), STANDARD_TIME));
    assert_false(signature_standard(STANDARD_SIGNATURE, "msg_other", "1614265330", STANDARD_SECRET,
                                    STANDARD_BODY, strlen(STANDARD_BODY), STANDARD_TIME));
}

static void keys_that_are_no_base64(void **state)
{
    (void)state;
    assert_null(signature_standard_make("id", "1", SECRET("whsec_***"), "x", 1));
    assert_null(signature_standard_make("id", "1", SECRET("whsec_"), "x", 1));
    /* Without the prefix the bytes are the key. */
    auto_free char *made = signature_standard_make("id", "1", SECRET("plain"), "x", 1);
    assert_true(signature_standard(made, "id", "1", SECRET("plain"), "x", 1, 0));
    assert_false(signature_standard(made, "id", "1", SECRET("whsec_plain"), "x", 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_github),
        cmocka_unit_test(what_is_no_proof),
        cmocka_unit_test(another_body_or_secret_is_no_proof),
        cmocka_unit_test(a_secret_that_is_not_ascii),
        cmocka_unit_test(tokens),
        cmocka_unit_test(the_example_of_standard_webhooks),
        cmocka_unit_test(one_good_signature_of_several),
        cmocka_unit_test(what_is_sent_again_later),
        cmocka_unit_test(keys_that_are_no_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
