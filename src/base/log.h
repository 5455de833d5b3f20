/* Debug messages, to standard error, only with STACK_DEBUG or --debug. Never secrets. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

void log_enable(bool on);
bool log_enabled(void);
/* "stack: 12.345 text". */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
