/* BuildKit's progress messages: any bytes are decoded or refused; what is handed on is text. */
#include "fuzz.h"

#include "base/mem.h"
#include "build/trace.h"

static void on_vertex(void *ctx, const struct trace_vertex *v)
{
    *(size_t *)ctx += strlen(v->digest) + strlen(v->name) + strlen(v->error);
}

static void on_status(void *ctx, const struct trace_status *s)
{
    *(size_t *)ctx += strlen(s->id) + strlen(s->vertex);
}

static void on_log(void *ctx, const struct trace_log *l)
{
    fuzz_check(l->data[l->len] == '\0');
    *(size_t *)ctx += strlen(l->vertex) + l->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    const struct trace_handlers hd = { on_vertex, on_status, on_log, &seen };
    auto_error struct error err = ERROR_INIT;
    uint8_t *copy = xmalloc(size ? size : 1);
    memcpy(copy, data, size);
    int result = trace_decode(copy, size, &hd, &err);
    free(copy);
    fuzz_check(result == 0 ? err.kind == ERR_NONE : err.kind == ERR_PROTOCOL);
    fuzz_check(seen <= size);
    return 0;
}
