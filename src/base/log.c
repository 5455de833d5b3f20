/* Debug messages. The one switch of the program that is not passed around. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/safe.h"

static atomic_bool enabled; /* worker threads log too */
static atomic_int_least64_t started_ms;

void log_enable(bool on)
{
    if (on && !atomic_exchange(&enabled, true))
        atomic_store(&started_ms, clock_ms());
    else if (!on)
        atomic_store(&enabled, false);
}

bool log_enabled(void)
{
    return atomic_load_explicit(&enabled, memory_order_relaxed);
}

void log_debug(const char *fmt, ...)
{
    if (!log_enabled())
        return;
    int64_t ms = clock_ms() - atomic_load(&started_ms);
    va_list ap;
    va_start(ap, fmt);
    auto_free char *raw = xvasprintf(fmt, ap);
    va_end(ap);
    auto_free char *text = safe_text(raw, SAFE_LINE);
    /* One call, so that lines of several threads do not mix. */
    fprintf(stderr, "stack: %lld.%03lld %s\n", (long long)(ms / 1000), (long long)(ms % 1000),
            text);
}
