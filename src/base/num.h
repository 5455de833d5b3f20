/*
 * Numbers with units, as Compose and Docker write them. Every function returns 0, or -1 when the
 * whole text is not such a number or it does not fit; then the output is untouched.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal with optional sign. */
int num_int(int64_t *out, const char *text);
/* The same with bounds, both included. */
int num_range(int64_t *out, const char *text, int64_t min, int64_t max);
/* "64m", "1.5gb", "2048", "10KiB": Docker's units, powers of 1024, any letter case. */
int num_bytes(int64_t *out, const char *text);
/* Go's durations: "1m30s", "1.5h", "300ms", "10us", "0", and Compose's days and weeks: "1d", "2w";
 * nanoseconds. Negative ones are refused. */
int num_duration(int64_t *out_ns, const char *text);
/* A finite decimal. */
int num_double(double *out, const char *text);

/* Text forms, as Compose prints them: "1m30s", "1.5s", "0s". buf needs NUM_TEXT_MAX bytes. */
#define NUM_TEXT_MAX 48
const char *num_duration_text(char buf[NUM_TEXT_MAX], int64_t ns);
/* For people: "11.4 s", "2m 03s"; and "13.4 MB" (powers of 1000, as docker prints sizes). */
const char *num_elapsed_text(char buf[NUM_TEXT_MAX], int64_t ms);
const char *num_size_text(char buf[NUM_TEXT_MAX], int64_t bytes);

#endif
