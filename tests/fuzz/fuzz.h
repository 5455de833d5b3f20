/*
 * A fuzz harness is a file of this folder that defines LLVMFuzzerTestOneInput(): it hands the bytes
 * to one parser of outside data, and fuzz_check()s what must hold for any input.
 *
 *     make check-fuzz                    every harness over its corpus, tests/fuzz/corpus/NAME/
 *     make fuzz FUZZ=NAME [TIME=60]      libFuzzer (clang) looks for new inputs
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(condition)                                                              \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* The input as a string of its own, up to its first NUL: reading past its end is noticed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
