/* Time: a monotonic clock for waits, RFC 3339 for what engines write. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);      /* monotonic milliseconds */
int64_t clock_unix_ns(void); /* wall clock, nanoseconds since 1970 */

/* "2026-11-21T10:00:00.123456789Z" or with an offset; 0, or -1 when it is not one or does not fit
 * (1678 to 2261). Go's zero time, which engines write for "never" (year 1), gives 0. */
int clock_parse_rfc3339(int64_t *out_ns, const char *text);
/* Docker's times for --since/--until: RFC 3339, a date, Unix seconds[.fraction], or a duration
 * before now ("10m"). Local time where no zone is given. 0 or -1. */
int clock_parse_when(int64_t *out_ns, const char *text);
/* RFC 3339 in UTC with nanoseconds; buf needs 40 bytes. */
const char *clock_rfc3339(char buf[40], int64_t at_ns);

#endif
