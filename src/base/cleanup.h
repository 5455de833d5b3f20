/*
 * Scope-bound release. `auto_(x_freep) struct x *p = NULL;` calls x_freep(&p) when p leaves its
 * scope; take(p) hands the value over and leaves NULL behind.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define auto_(fn) __attribute__((unused, cleanup(fn)))

/* The value of the pointer `p`, which is NULL afterwards. */
#define take(p)                                  \
    __extension__({                              \
        __typeof__(p) *take_from_ = &(p);        \
        __typeof__(p) take_value_ = *take_from_; \
        *take_from_ = NULL;                      \
        take_value_;                             \
    })

static inline void auto_free_p(void *p)
{
    free(*(void **)p);
}

static inline void auto_close_p(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void auto_fclose_p(FILE **f)
{
    if (*f)
        fclose(*f);
}

#define auto_free auto_(auto_free_p)
#define auto_close auto_(auto_close_p)
#define auto_fclose auto_(auto_fclose_p)

/* Defines x_freep() for auto_(), beside `type *` and its `void free_fn(type *)`. */
#define DEFINE_FREEP(type, free_fn)         \
    static inline void free_fn##p(type **p) \
    {                                       \
        free_fn(*p);                        \
        *p = NULL;                          \
    }

#define countof(array) (sizeof(array) / sizeof((array)[0]))

#endif
