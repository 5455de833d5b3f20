/* Substitution: bounded, and a text that is escaped with $$ comes back as it was. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "text/interpolate.h"

/* Some names have a value, one of them with syntax inside, which must not be read again. */
static const char *get(void *ctx, const char *name)
{
    (void)ctx;
    switch (name[0]) {
    case 'A':
        return "value";
    case 'B':
        return "";
    case 'C':
        return "${A}$$";
    default:
        return NULL;
    }
}

static void seen(void *ctx, const char *name, const char *fallback, bool required,
                 const char *alternative)
{
    size_t *count = ctx;
    fuzz_check(*name && strlen(name) < INTERPOLATE_MAX_BYTES);
    fuzz_check(!(fallback && (required || alternative)));
    ++*count;
}

static int run(struct str *out, const char *text, bool unset_is_error)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct diag d;
    size_t count = 0;
    struct variables vars = { get, seen, &count, unset_is_error };
    diag_init(&d, a);
    int result = interpolate(out, text, (struct span){ .line = 1, .column = 1 }, &vars, &d);
    fuzz_check((result < 0) == (d.errors > 0));
    diag_clear(&d);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    auto_str struct str lenient = STR_INIT, strict = STR_INIT, escaped = STR_INIT, back = STR_INIT;
    int lenient_result = run(&lenient, text, false);
    int strict_result = run(&strict, text, true);
    fuzz_check(!(lenient_result < 0 && strict_result == 0));
    fuzz_check(lenient.len <= INTERPOLATE_MAX_BYTES);
    if (strict_result == 0)
        fuzz_check(strcmp(lenient.buf, strict.buf) == 0);

    for (const char *c = text; *c; c++)
        str_add(&escaped, *c == '$' ? "$$" : (char[]){ *c, '\0' });
    fuzz_check(run(&back, escaped.buf, true) == 0);
    fuzz_check(strcmp(back.buf, text) == 0);
    return 0;
}
