/* JSON: what is read has one canonical text; and base64, which travels in it. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"

static void json(const uint8_t *data, size_t size)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *j = json_parse((const char *)data, size, "input", &err);
    fuzz_check((j != NULL) == (err.msg == NULL));
    if (!j)
        return;
    auto_free char *once = json_canonical(j);
    auto_json json_t *again = json_parse(once, strlen(once), "canonical text", NULL);
    fuzz_check(again);
    auto_free char *twice = json_canonical(again);
    fuzz_check(strcmp(once, twice) == 0);
    json_int(j, "a.b", 0);
    json_str_or(j, "a", "");
    json_bool(j, "..", false);
}

static void base64(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    auto_free uint8_t *bytes = NULL;
    size_t len;
    if (base64_decode(&bytes, &len, text, NULL) < 0)
        return;
    auto_free char *encoded = base64_encode(bytes, len, false);
    auto_free uint8_t *again = NULL;
    size_t again_len;
    fuzz_check(base64_decode(&again, &again_len, encoded, NULL) == 0);
    fuzz_check(again_len == len && memcmp(again, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json(data, size);
    base64(data, size);
    return 0;
}
