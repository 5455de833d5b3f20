/*
 * Typed growable arrays. `struct { VEC(struct thing); } things = { 0 };` has .items, .len, .cap.
 *     *vec_push(&things) = (struct thing){ ... };     // the new last element, zeroed
 *     vec_each (it, &things) use(it);
 * Elements move when the array grows. Free with vec_free(&things).
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VEC(type) \
    type *items;  \
    size_t len;   \
    size_t cap

#define vec_reserve(v, n)                                                          \
    do {                                                                           \
        if ((v)->cap < (n)) {                                                      \
            (v)->cap = (v)->cap ? (v)->cap : 4;                                    \
            while ((v)->cap < (n))                                                 \
                (v)->cap *= 2;                                                     \
            (v)->items = xreallocarray((v)->items, (v)->cap, sizeof(*(v)->items)); \
        }                                                                          \
    } while (0)

#define vec_push(v)                                            \
    __extension__({                                            \
        vec_reserve((v), (v)->len + 1);                        \
        memset(&(v)->items[(v)->len], 0, sizeof(*(v)->items)); \
        &(v)->items[(v)->len++];                               \
    })

#define vec_each(it, v) \
    for (__typeof__((v)->items) it = (v)->items; it && it < (v)->items + (v)->len; it++)

#define vec_free(v)              \
    do {                         \
        free((v)->items);        \
        (v)->items = NULL;       \
        (v)->len = (v)->cap = 0; \
    } while (0)

#endif
