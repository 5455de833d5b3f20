/* Deliveries as the forges send them. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/mem.h"
#include "server/deliver.h"

#define SECRET "s3cret"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define ZEROS "0000000000000000000000000000000000000000"
#define NOW 1700000000
#define PUSH "{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT "\"}"

/* One delivery on its way: lines of headers where %s is the proof, and what came of it. */
struct trial {
    struct strv headers;
    struct delivery d;
};

static char *hex_hmac(const char *body)
{
    uint8_t raw[DIGEST_LEN];
    struct str out = STR_INIT;
    digest_hmac(raw, SECRET, strlen(SECRET), body, strlen(body));
    for (size_t i = 0; i < sizeof(raw); i++)
        str_addf(&out, "%02x", raw[i]);
    return str_detach(&out);
}

static void add_headers(struct strv *out, const char *lines, const char *proof)
{
    auto_strv struct strv list = STRV_INIT;
    strv_split(&list, lines, "\n");
    strv_each (it, &list) {
        char *mark = strchr(*it, '@');
        if (mark)
            strv_addf(out, "%.*s%s%s", (int)(mark - *it), *it, proof, mark + 1);
        else
            strv_add(out, *it);
    }
}

/* '@' in the headers stands for the HMAC of `signed_text`. */
static enum deliver_verdict try_signed(struct trial *t, const char *forge, const char *headers,
                                       const char *body, const char *signed_text)
{
    auto_free char *proof = hex_hmac(signed_text);
    struct secret key = { (char[]){ SECRET }, strlen(SECRET) };
    delivery_clear(&t->d);
    strv_clear(&t->headers);
    add_headers(&t->headers, headers, proof);
    struct request rq = { .headers = &t->headers, .body = body, .len = strlen(body) };
    return deliver_read(&t->d, &rq, forge, &key, NOW);
}

static enum deliver_verdict try(struct trial *t, const char *headers, const char *body)
{
    return try_signed(t, NULL, headers, body, body);
}

static void trial_clear(struct trial *t)
{
    delivery_clear(&t->d);
    strv_clear(&t->headers);
}
#define auto_trial __attribute__((unused, cleanup(trial_clear)))

#define GITHUB "x-github-event: push\nx-hub-signature-256: sha256=@\nx-github-delivery: 72d3162e"
#define GITEA                                                                                        \
    "x-github-event: push\nx-hub-signature-256: sha256=@\nx-gitea-event: push\nx-gogs-event: push\n" \
    "x-gitea-signature: @\nx-gitea-delivery: f6266f16"
#define FORGEJO \
    GITEA "\nx-forgejo-event: push\nx-forgejo-signature: @\nx-forgejo-delivery: f6266f16"
#define GITLAB "x-gitlab-event: Push Hook\nx-gitlab-token: " SECRET "\nx-gitlab-event-uuid: e1"
#define GENERIC "x-stack-signature-256: sha256=@\nwebhook-id: w1"

static void a_push_of_each_forge(void **state)
{
    (void)state;
    static const struct {
        const char *forge, *headers, *id;
    } rows[] = {
        { "github", GITHUB, "github:72d3162e" },
        { "gitea", GITEA, "gitea:f6266f16" },
        { "forgejo", FORGEJO, "forgejo:f6266f16" },
        { "gitlab", GITLAB, "gitlab:e1" },
        { "gitlab", GITLAB "\nx-gitlab-webhook-uuid: h1", "gitlab:e1:h1" },
        { "gitlab", GITLAB "\nidempotency-key: k1", "gitlab:k1" },
        { "generic", GENERIC, "generic:w1" },
    };
    auto_trial struct trial t = { 0 };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_int_equal(try(&t, rows[i].headers, PUSH), DELIVER_PUSH);
        assert_string_equal(t.d.forge, rows[i].forge);
        assert_string_equal(t.d.id, rows[i].id);
        assert_string_equal(t.d.ref, "refs/heads/main");
        assert_string_equal(t.d.commit, COMMIT);
        assert_int_equal(try_signed(&t, rows[i].forge, rows[i].headers, PUSH, PUSH), DELIVER_PUSH);
        assert_int_equal(try_signed(&t, NULL, rows[i].headers, PUSH " ", PUSH),
                         strstr(rows[i].headers, "x-gitlab-token") ? DELIVER_PUSH
                                                                   : DELIVER_REFUSED);
    }
}

static void proofs_that_are_missing_or_twice(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "x-github-event: push",
        "x-github-event: push\nx-hub-signature-256: ",
        "x-github-event: push\nx-hub-signature-256: sha256=",
        "x-github-event: push\nx-hub-signature: sha1=@",
        "x-github-event: push\nx-hub-signature-256: @",
        "x-github-event: push\nx-hub-signature-256: sha256=@\nx-hub-signature-256: sha256=@",
        "x-github-event: push\nx-stack-signature-256: sha256=@",
        /* no secret is configured at the sender's: the headers are there, and empty */
        "x-gitea-event: push\nx-gitea-signature: \nx-hub-signature-256: sha256=",
        /* a wrong new one is not rescued by a good old one */
        "x-forgejo-event: push\nx-forgejo-signature: 00\nx-gitea-signature: @",
        "x-gitlab-event: Push Hook\nx-gitlab-token: ",
        "x-gitlab-event: Push Hook\nx-gitlab-token: " SECRET "x",
        "x-gitlab-event: Push Hook\nx-gitlab-token: " SECRET "\nx-gitlab-token: " SECRET,
        "x-gitlab-event: Push Hook\nwebhook-signature: v1,AAAA\nx-gitlab-token: " SECRET,
        "webhook-signature: v1,AAAA\nx-stack-signature-256: sha256=@",
        "x-gitlab-token: " SECRET,
    };
    auto_trial struct trial t = { 0 };
    for (size_t i = 0; i < countof(refused); i++)
        if (try(&t, refused[i], PUSH) != DELIVER_REFUSED)
            fail_msg("taken: %s", refused[i]);
}

static void only_the_configured_forge(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
    assert_int_equal(try_signed(&t, "gitlab", GITHUB, PUSH, PUSH), DELIVER_REFUSED);
    assert_int_equal(try_signed(&t, "github", GITLAB, PUSH, PUSH), DELIVER_REFUSED);
    assert_int_equal(try_signed(&t, "generic", GITLAB, PUSH, PUSH), DELIVER_REFUSED);
    /* Gitea says that it is GitHub too. */
    assert_int_equal(try_signed(&t, "github", GITEA, PUSH, PUSH), DELIVER_PUSH);
}

static void the_head_alone(void **state)
{
    (void)state;
    auto_strv struct strv headers = STRV_INIT;
    struct request rq = { .headers = &headers };
    assert_false(deliver_promising(&rq, NULL));
    add_headers(&headers, GITHUB, "00");
    assert_true(deliver_promising(&rq, NULL));
    assert_true(deliver_promising(&rq, "github"));
    assert_false(deliver_promising(&rq, "gitlab"));
    strv_add(&headers, "x-hub-signature-256: sha256=00");
    assert_false(deliver_promising(&rq, NULL));
}

static void the_signed_form_of_gitlab(void **state)
{
    (void)state;
    struct secret key = { (char[]){ "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQ=" }, 38 };
    key.len = strlen(key.bytes);
    auto_free char *made = signature_standard_make("d1", "1700000000", &key, PUSH, strlen(PUSH));
    auto_strv struct strv headers = STRV_INIT;
    strv_add(&headers, "x-gitlab-event: Tag Push Hook");
    strv_add(&headers, "webhook-id: d1");
    strv_add(&headers, "webhook-timestamp: 1700000000");
    strv_addf(&headers, "webhook-signature: %s", made);
    struct request rq = { .headers = &headers, .body = PUSH, .len = strlen(PUSH) };
    auto_trial struct trial t = { 0 };
    assert_int_equal(deliver_read(&t.d, &rq, NULL, &key, NOW), DELIVER_PUSH);
    assert_string_equal(t.d.id, "gitlab:d1");
    delivery_clear(&t.d);
    /* the same six minutes later */
    assert_int_equal(deliver_read(&t.d, &rq, NULL, &key, NOW + 360), DELIVER_REFUSED);
    strv_add(&headers, "webhook-id: d1");
    assert_int_equal(deliver_read(&t.d, &rq, NULL, &key, NOW), DELIVER_REFUSED);
}

static void what_is_nothing_to_build(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
    static const struct {
        const char *headers, *body, *why;
    } rows[] = {
        { "x-github-event: ping\nx-hub-signature-256: sha256=@", "{\"zen\":\"x\"}", "ping" },
        { "x-github-event: issues\nx-hub-signature-256: sha256=@", "{}", "not a push" },
        { "x-gitlab-event: Merge Request Hook\nx-gitlab-token: " SECRET, "{}", "not a push" },
        { "x-stack-signature-256: sha256=@", "{\"event\":\"ping\"}", "ping" },
        { GITHUB, "{\"ref\":\"refs/heads/x\",\"deleted\":true,\"after\":\"" ZEROS "\"}",
          "the ref was deleted" },
        { GITLAB, "{\"ref\":\"refs/heads/x\",\"after\":\"" ZEROS "\",\"checkout_sha\":null}",
          "the ref was deleted" },
        { GITHUB, "{\"ref\":\"refs/pull/1/head\",\"after\":\"" COMMIT "\"}",
          "neither a branch nor a tag" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_int_equal(try(&t, rows[i].headers, rows[i].body), DELIVER_IGNORED);
        assert_string_equal(t.d.why, rows[i].why);
    }
}

static void what_cannot_be_understood(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
    static const char *const bodies[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"ref\":5,\"after\":\"" COMMIT "\"}",
        "{\"ref\":\"refs/heads/main\"}",
        "{\"ref\":\"refs/heads/main\",\"after\":\"main\"}",
        "{\"ref\":\"refs/heads/main\",\"after\":\"0123\"}",
        "{\"ref\":\"refs/heads/../x\",\"after\":\"" COMMIT "\"}",
        "{\"ref\":\"refs/heads/--upload-pack=x\",\"after\":\"" COMMIT "\"}",
    };
    for (size_t i = 0; i < countof(bodies); i++)
        if (try(&t, GITHUB, bodies[i]) != DELIVER_BAD)
            fail_msg("taken: %s", bodies[i]);
}

static void commits_of_tags(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
    const char *other = "fedcba9876543210fedcba9876543210fedcba98";
    auto_free char *gitlab = xasprintf(
        "{\"ref\":\"refs/tags/v1\",\"after\":\"" COMMIT "\",\"checkout_sha\":\"%s\"}", other);
    auto_free char *github = xasprintf("{\"ref\":\"refs/tags/v1\",\"after\":\"" COMMIT
                                       "\",\"head_commit\":{\"id\":\"%s\"}}",
                                       other);
    assert_int_equal(try(&t, GITLAB, gitlab), DELIVER_PUSH);
    assert_string_equal(t.d.commit, other);
    assert_int_equal(try(&t, GITHUB, github), DELIVER_PUSH);
    assert_string_equal(t.d.commit, other);
    assert_string_equal(t.d.ref, "refs/tags/v1");
}

/* GitHub signs the form, Gitea the payload in it. */
static void forms(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
#define FORM "\ncontent-type: application/x-www-form-urlencoded"
    const char *form =
        "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%2C%22after%22%3A%22" COMMIT "%22%7d";
    auto_free char *second = xasprintf("x=1&%s&y=2", form);
    assert_int_equal(try_signed(&t, NULL, GITHUB FORM, form, form), DELIVER_PUSH);
    assert_string_equal(t.d.ref, "refs/heads/main");
    assert_int_equal(try_signed(&t, NULL, GITHUB FORM, second, second), DELIVER_PUSH);
    assert_int_equal(try_signed(&t, NULL, GITHUB FORM, form, PUSH), DELIVER_REFUSED);
    assert_int_equal(try_signed(&t, NULL, GITEA FORM, form, PUSH), DELIVER_PUSH);
    assert_int_equal(try_signed(&t, NULL, GITEA FORM, form, form), DELIVER_REFUSED);
    assert_int_equal(try_signed(&t, NULL, GITHUB FORM, PUSH, PUSH), DELIVER_BAD);
    assert_int_equal(try_signed(&t, NULL, GITHUB FORM, "payload=%7", "payload=%7"), DELIVER_BAD);
    assert_int_equal(try_signed(&t, NULL, GITLAB FORM, form, form), DELIVER_BAD);
}

static void names_of_deliveries_are_short_words(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
    auto_str struct str headers = STR_INIT;
    str_add(&headers, "x-github-event: push\nx-hub-signature-256: sha256=@\nx-github-delivery: ");
    for (int i = 0; i < 500; i++)
        str_addc(&headers, 'a');
    assert_int_equal(try(&t, headers.buf, PUSH), DELIVER_PUSH);
    assert_int_equal(strlen(t.d.id), strlen("github:") + DIGEST_HEX_LEN);
    assert_int_equal(try(&t,
                         "x-github-event: push\nx-hub-signature-256: sha256=@\n"
                         "x-github-delivery: a b\x1b",
                         PUSH),
                     DELIVER_PUSH);
    assert_int_equal(strlen(t.d.id), strlen("github:") + DIGEST_HEX_LEN);
    assert_int_equal(try(&t, "x-github-event: push\nx-hub-signature-256: sha256=@", PUSH),
                     DELIVER_PUSH);
    assert_null(t.d.id);
}

static void names_of_refs(void **state)
{
    (void)state;
    static const char *const good[] = {
        "refs/heads/main",     "refs/heads/a/b.c", "refs/tags/v1.0",
        "refs/heads/\xc3\xa4", "refs/heads/a@b",   "refs/heads/$(x)"
    };
    static const char *const bad[] = {
        "",
        "main",
        "refs/heads/",
        "refs/heads/-x",
        "refs/heads/a b",
        "refs/heads/a\nb",
        "refs/heads/a..b",
        "refs/heads/.a",
        "refs/heads/a/.b",
        "refs/heads/a.lock",
        "refs/heads/a.lock/b",
        "refs/heads/a/",
        "refs/heads//a",
        "refs/heads/a//b",
        "refs/heads/a~1",
        "refs/heads/a^",
        "refs/heads/a:b",
        "refs/heads/a?",
        "refs/heads/a*",
        "refs/heads/a[b",
        "refs/heads/a\\b",
        "refs/heads/@",
        "refs/heads/a@{1}",
        "refs/heads/a.",
        "refs/heads/a\x7f",
        "refs/notes/x",
        "refs/heads",
    };
    for (size_t i = 0; i < countof(good); i++)
        assert_true(deliver_ref_valid(good[i]));
    for (size_t i = 0; i < countof(bad); i++)
        if (deliver_ref_valid(bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_false(deliver_ref_valid(NULL));
}

static void addresses_of_one_repository(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        { "https://github.com/a/b.git", "git@github.com:a/b.git" },
        { "https://github.com/a/b", "ssh://git@GitHub.com:22/a/b.git/" },
        { "https://user:pw@h:443/a/b", "http://h:80/a/b" },
        { "https://h:3000/a/b", "https://h:3000/a/b.git" },
        { "file:///srv/x.git", "/srv/x" },
    };
    static const char *const other[][2] = {
        { "https://github.com/a/b", "https://gitlab.com/a/b" },
        { "https://h:3000/a/b", "https://h:3001/a/b" },
        { "https://h/a/b", "https://h/a/B" },
        { "https://h/a/b", "https://h/a/b/c" },
        { "https://h/a/b", "/a/b" },
        { "https://evil/x@h/a/b", "https://h/a/b" },
    };
    for (size_t i = 0; i < countof(same); i++)
        if (!deliver_same_repository(same[i][0], same[i][1]))
            fail_msg("%s is not %s", same[i][0], same[i][1]);
    for (size_t i = 0; i < countof(other); i++)
        if (deliver_same_repository(other[i][0], other[i][1]))
            fail_msg("%s is %s", other[i][0], other[i][1]);
}

static void addresses_in_payloads(void **state)
{
    (void)state;
    auto_trial struct trial t = { 0 };
    assert_int_equal(try(&t, GITHUB,
                         "{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT
                         "\",\"repository\":{\"clone_url\":"
                         "\"https://h/a/b.git\",\"ssh_url\":\"git@h:a/b.git\",\"html_url\":7}}"),
                     DELIVER_PUSH);
    assert_int_equal(t.d.urls.len, 2);
    assert_true(strv_has(&t.d.urls, "git@h:a/b.git"));
    assert_int_equal(try(&t, GITLAB,
                         "{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT
                         "\",\"project\":{\"git_http_url\":\"https://h/a/b.git\"}}"),
                     DELIVER_PUSH);
    assert_int_equal(t.d.urls.len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_of_each_forge),
        cmocka_unit_test(proofs_that_are_missing_or_twice),
        cmocka_unit_test(only_the_configured_forge),
        cmocka_unit_test(the_head_alone),
        cmocka_unit_test(the_signed_form_of_gitlab),
        cmocka_unit_test(what_is_nothing_to_build),
        cmocka_unit_test(what_cannot_be_understood),
        cmocka_unit_test(commits_of_tags),
        cmocka_unit_test(forms),
        cmocka_unit_test(names_of_deliveries_are_short_words),
        cmocka_unit_test(names_of_refs),
        cmocka_unit_test(addresses_of_one_repository),
        cmocka_unit_test(addresses_in_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
