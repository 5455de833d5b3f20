/* Editing a stack file as text: what a person wrote stays as it was, comments and spaces included.
 */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "base/error.h"
#include "base/str.h"

/* One entry of `projects:`: a git source, or with `path` a folder. */
struct edit_project {
    const char *name;
    const char *path;
    const char *git, *ref; /* ref may be NULL */
};

/* The text with the project as the last of `projects:`, in the file's own indentation and line
 * endings. What comes out is read again: unless it means exactly what the text meant before, and
 * the project, it is refused (ERR_CONFLICT, with the line to add by hand as the hint). ERR_INPUT
 * when the text is no stack file of the native form, or has a project of that name. */
int edit_add_project(struct str *out, const char *text, size_t len, const struct edit_project *p,
                     struct error *err);

#endif
