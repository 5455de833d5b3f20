/* Environment files, in both formats: entries with names, or diagnostics. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "text/dotenv.h"

static const char *get(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'A' ? "value" : NULL;
}

static void run(const char *text, enum dotenv_format format)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct variables vars = { .get = get };
    struct dotenv env = { 0 };
    struct diag d;
    diag_init(&d, a);
    const struct source *src = source_from_text(a, "/in.env", text, strlen(text));
    int result = dotenv_parse(&env, a, src, format, &vars, &d);
    fuzz_check((result < 0) == (d.errors > 0));
    vec_each (it, &env) {
        fuzz_check(it->name); /* may be empty: Compose reads "=x" so */
        fuzz_check(!strpbrk(it->name, "=\n"));
        fuzz_check(it->span.line >= 1 && it->span.column >= 1);
        fuzz_check(!it->value || strlen(it->value) <= INTERPOLATE_MAX_BYTES);
    }
    vec_free(&env);
    diag_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    run(text, DOTENV_COMPOSE);
    run(text, DOTENV_RAW);
    return 0;
}
