/* What `git ls-remote` prints. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "server/poll.h"

#define A "0123456789abcdef0123456789abcdef01234567"
#define B "fedcba9876543210fedcba9876543210fedcba98"

static void assert_refs(const char *text, const char *wanted)
{
    auto_json json_t *refs = poll_read(text, strlen(text));
    auto_free char *got = json_canonical(refs);
    assert_string_equal(got, wanted);
}

static void refs_and_their_commits(void **state)
{
    (void)state;
    assert_refs("", "{}");
    assert_refs(A "\trefs/heads/main\n" B "\trefs/tags/v1\n",
                "{\"refs/heads/main\":\"" A "\",\"refs/tags/v1\":\"" B "\"}");
    /* a tag with a message, and what it stands for */
    assert_refs(A "\trefs/tags/v1\n" B "\trefs/tags/v1^{}\n", "{\"refs/tags/v1\":\"" B "\"}");
}

static void lines_that_are_none(void **state)
{
    (void)state;
    assert_refs("warning: x\n" A "\tHEAD\n" A " refs/heads/a\nxyz\trefs/heads/a\n" A
                "\trefs/heads/-x\n" A "\trefs/heads/cut",
                "{\"refs/heads/cut\":\"" A "\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refs_and_their_commits),
        cmocka_unit_test(lines_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
