/*
 * Errors that a caller can act on.
 *
 * A function that can fail returns 0, or -1 with *err filled; outputs are written only on
 * success. The message is built from the inside out: error_wrap() puts the caller's context in
 * front. Branch on `kind` and `code`, never on the text. Out of memory is not an error here: it
 * ends the program. A NULL `struct error *` is allowed everywhere: the caller does not care why.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum error_kind {
    ERR_NONE,
    ERR_USAGE,    /* the command line */
    ERR_NOFILE,   /* no stack file was found */
    ERR_INPUT,    /* a stack file, manifest or .env file is wrong; diagnostics say where */
    ERR_NOTFOUND, /* a named thing is not there */
    ERR_CONFLICT, /* somebody else owns it, or holds the lock */
    ERR_ENGINE,   /* the engine refused; `code` is its HTTP status */
    ERR_NETWORK,  /* no answer or a broken one; `code` is for net/http.h */
    ERR_PROTOCOL, /* the answer was not what the protocol says */
    ERR_SYSTEM,   /* a system call; `code` is errno */
    ERR_BUILD,    /* an image could not be built */
    ERR_PULL,     /* an image could not be pulled or pushed */
    ERR_UNREADY,  /* something did not become or stay what the stack declares */
    ERR_TIMEOUT,  /* a stated limit of time passed */
    ERR_CANCELED, /* the user stopped it */
};

struct error {
    enum error_kind kind;
    int code;
    char *msg;  /* owned; one line, no final full stop; already safe to print (base/safe.h) */
    char *hint; /* owned; the next step for the user, or NULL */
};

#define ERROR_INIT ((struct error){ 0 })

/* Fills *err, releasing what it held. Always returns -1, to be returned. Control bytes in the
 * formatted text are neutralised, so that engine messages can be passed as they came. */
int error_set(struct error *err, enum error_kind kind, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ERR_SYSTEM with errno's text appended: "open 'x': No such file or directory". Returns -1. */
int error_errno(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message. Returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sets the next step, replacing one that is there. Returns -1. */
int error_hint(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Moves *from to *to (releasing what *to held); *from is empty afterwards. Returns -1. */
int error_move(struct error *to, struct error *from);
void error_copy(struct error *to, const struct error *from);

/* Releases what err holds and leaves it empty. */
void error_clear(struct error *err);

#define auto_error __attribute__((unused, cleanup(error_clear)))

#endif
