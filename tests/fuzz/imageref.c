/* Image references: what is accepted has all its parts, and reads the same in its shown form. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "text/imageref.h"

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *text = fuzz_text(data, size);
    auto_error struct error err = ERROR_INIT;
    struct imageref r, shown, whole;

    if (imageref_parse(&r, a, text, &err) < 0) {
        fuzz_check(err.kind == ERR_INPUT && err.msg);
        return 0;
    }
    fuzz_check(*r.domain && *r.path && *r.name && (r.tag || r.digest));
    fuzz_check(strlen(r.path) <= 255 && !strpbrk(r.path, ":@ \t\n"));
    fuzz_check(!r.tag || strlen(r.tag) <= 128);

    fuzz_check(imageref_parse(&shown, a, r.familiar, NULL) == 0);
    fuzz_check(same(r.domain, shown.domain) && same(r.path, shown.path));
    fuzz_check(same(r.tag, shown.tag) && same(r.digest, shown.digest));
    fuzz_check(same(r.familiar, shown.familiar) && same(r.name, shown.name));

    fuzz_check(imageref_parse(&whole, a, arena_printf(a, "%s/%s", r.domain, r.path), NULL) == 0);
    fuzz_check(same(r.name, whole.name));
    return 0;
}
