/*
 * Path patterns: .dockerignore rules (order, `!`, `**`, as moby's patternmatcher), the globs of
 * develop.watch, and user regexes on pcre2 with match limits.
 */
#ifndef TEXT_PATTERN_H
#define TEXT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Rules in order; the last one that matches decides. */
struct ignore;

/* Text of a .dockerignore (or NULL: nothing is ignored). ERR_INPUT names line and rule. */
int ignore_parse(struct ignore **out, const char *text, const char *name, struct error *err);
/* Adds one rule ("!keep"), as if it stood at the end; a leading '#' makes no comment here. */
int ignore_add(struct ignore *ig, const char *rule, struct error *err);
void ignore_free(struct ignore *ig);
DEFINE_FREEP(struct ignore, ignore_free)

/* Whether the path (relative, '/'-separated, no leading "./") is left out, its parents considered.
 */
bool ignore_match(const struct ignore *ig, const char *path);
/* Whether some `!` rule could keep something below the directory `path`: if not, an ignored
 * directory need not be entered. */
bool ignore_may_keep_below(const struct ignore *ig, const char *path);

/* A user's regular expression (PCRE2, UTF-8; bytes that are not match nothing). Each search is
 * limited: at one place in the text in its steps, altogether in time (REGEX_SEARCH_MS). */
struct regex;
#define REGEX_SEARCH_MS 100
/* ERR_INPUT; the hint shows the place that is wrong. */
int regex_compile(struct regex **out, const char *pattern, struct error *err);
enum regex_found { REGEX_NONE, REGEX_MATCH, REGEX_GAVE_UP };
enum regex_found regex_search(const struct regex *re, const char *text, size_t len);
void regex_free(struct regex *re);
DEFINE_FREEP(struct regex, regex_free)

#endif
