/*
 * A Dockerfile as instructions: comments gone, continued lines joined, here-documents skipped.
 */
#ifndef BUILD_DOCKERFILE_LINES_H
#define BUILD_DOCKERFILE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/vec.h"

struct dockerfile_lines {
    const char *text;
    size_t len;
    size_t pos;
    char escape;   /* '\\', or '`' by directive */
    bool heredocs; /* one was met */

    /* The current instruction. */
    struct str line;
    struct {
        VEC(size_t); /* for each byte of `line`, where it stands in the text */
    } offsets;
    struct {
        VEC(struct dockerfile_word);
    } words;
};

/* A word with its quotes, as [start, end) of the instruction. */
struct dockerfile_word {
    size_t start, end;
};

/* Reads the directives at the top: sets `escape`; *syntax and *syntax_len to the value of
 * `# syntax=`, or NULL. */
void dockerfile_lines_open(struct dockerfile_lines *dl, const char *text, size_t len,
                           const char **syntax, size_t *syntax_len);
/* The next instruction into line, offsets, words; false at the end. */
bool dockerfile_lines_next(struct dockerfile_lines *dl);
void dockerfile_lines_close(struct dockerfile_lines *dl);

#endif
