/*
 * Deliveries. The input is lines of headers, an empty line, and a body; the body is taken as it is,
 * and once more with a proof that holds, so that what comes behind the proof is reached.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/mem.h"
#include "server/deliver.h"

#define SECRET "s3cret"

static void check(const struct request *rq, const char *forge)
{
    struct secret key = { (char[]){ SECRET }, strlen(SECRET) };
    struct delivery d = { 0 };
    enum deliver_verdict verdict = deliver_read(&d, rq, forge, &key, 1700000000);
    if (verdict != DELIVER_REFUSED) {
        fuzz_check(deliver_promising(rq, forge));
        fuzz_check((verdict == DELIVER_PUSH) == (d.why == NULL));
        fuzz_check(!d.id || strlen(d.id) <= 200);
    }
    if (verdict == DELIVER_PUSH) {
        fuzz_check(deliver_ref_valid(d.ref) && deliver_commit_valid(d.commit));
        strv_each (it, &d.urls) {
            auto_free char *place = deliver_repository(*it);
            fuzz_check(strchr(place, '/'));
            fuzz_check(deliver_same_repository(*it, *it));
        }
    }
    delivery_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    auto_strv struct strv headers = STRV_INIT;
    char *body = strstr(text, "\n\n");
    if (body) {
        *body = '\0';
        body += 2;
    } else {
        body = text + strlen(text);
    }
    strv_split(&headers, text, "\n");
    struct request rq = { .headers = &headers, .body = body, .len = strlen(body) };
    check(&rq, NULL);

    /* signed by somebody who knows the secret */
    uint8_t raw[DIGEST_LEN];
    auto_str struct str proof = STR_INIT;
    digest_hmac(raw, SECRET, strlen(SECRET), body, rq.len);
    str_add(&proof, "x-hub-signature-256: sha256=");
    for (size_t i = 0; i < sizeof(raw); i++)
        str_addf(&proof, "%02x", raw[i]);
    if (!request_header_count(&rq, "x-hub-signature-256"))
        strv_add(&headers, proof.buf);
    if (!request_header_count(&rq, "x-github-event"))
        strv_add(&headers, "x-github-event: push");
    check(&rq, "github");
    strv_add(&headers, "x-gitlab-event: Push Hook");
    strv_add(&headers, "x-gitlab-token: " SECRET);
    check(&rq, "gitlab");
    return 0;
}
