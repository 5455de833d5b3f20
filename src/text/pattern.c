/*
 * Rules of a .dockerignore, and regular expressions of users. A rule matches a path when its
 * pattern matches the path or a directory above it; the last rule that matches decides.
 */
#include "text/pattern.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"
#include "text/glob.h"

struct rule {
    struct glob *glob;
    bool keeps; /* "!" */
};

struct ignore {
    VEC(struct rule);
};

void ignore_free(struct ignore *ig)
{
    if (!ig)
        return;
    vec_each (rule, ig)
        glob_free(rule->glob);
    vec_free(ig);
    free(ig);
}

static bool is_space(char c)
{
    return c && strchr(" \t\v\f\r\n", c);
}

/* A copy of the first n bytes without white space around them. */
static char *trimmed(const char *text, size_t n)
{
    while (n && is_space(*text)) {
        text++;
        n--;
    }
    while (n && is_space(text[n - 1]))
        n--;
    return xstrndup(text, n);
}

/* Rules are paths: "./a//b/" is "a/b", and "/a" is the "a" of the context's root. */
static int add_rule(struct ignore *ig, const char *text, size_t len, struct error *err)
{
    auto_free char *rule = trimmed(text, len);
    auto_free char *pattern = NULL;
    auto_free char *cleaned = NULL;
    struct glob *glob;
    bool keeps = *rule == '!';

    if (!*rule)
        return 0;
    pattern = trimmed(rule + keeps, strlen(rule + keeps));
    if (!*pattern)
        return error_set(err, ERR_INPUT, 0, "a pattern is missing after '!'");
    cleaned = path_clean(pattern);
    if (glob_compile(&glob, cleaned + (cleaned[0] == '/' && cleaned[1]), err) < 0)
        return -1;
    *vec_push(ig) = (struct rule){ .glob = glob, .keeps = keeps };
    return 0;
}

int ignore_add(struct ignore *ig, const char *rule, struct error *err)
{
    return add_rule(ig, rule, strlen(rule), err) < 0 ? error_wrap(err, "rule '%s'", rule) : 0;
}

int ignore_parse(struct ignore **out, const char *text, const char *name, struct error *err)
{
    auto_(ignore_freep) struct ignore *ig = xnew(struct ignore);
    const char *line = text ? text : "";
    int number = 1;

    if (str_starts(line, "\xEF\xBB\xBF"))
        line += 3;
    for (; *line; number++) {
        size_t n = strcspn(line, "\n");

        if (*line != '#' && add_rule(ig, line, n, err) < 0) {
            auto_free char *rule = trimmed(line, n);
            return error_wrap(err, "%s:%d: rule '%s'", name, number, rule);
        }
        line += n + (line[n] == '\n');
    }
    *out = take(ig);
    return 0;
}

/* The number of the last rule that matches, from 1; 0 for none. */
static size_t deciding_rule(const struct ignore *ig, const char *path)
{
    size_t i = ig->len;

    while (i && !glob_match(ig->items[i - 1].glob, path))
        i--;
    return i;
}

bool ignore_match(const struct ignore *ig, const char *path)
{
    size_t i = strcmp(path, ".") == 0 ? 0 : deciding_rule(ig, path);

    return i && !ig->items[i - 1].keeps;
}

bool ignore_may_keep_below(const struct ignore *ig, const char *path)
{
    /* What decides about the directory decides about all below it, but for later rules. */
    for (size_t i = deciding_rule(ig, path); i < ig->len; i++)
        if (ig->items[i].keeps && glob_reaches_below(ig->items[i].glob, path))
            return true;
    return false;
}

/* Regular expressions. A hostile one costs a bounded amount of work on each search. */

#define REGEX_MAX_BYTES 16384
#define REGEX_MAX_NESTING 100
#define REGEX_MATCH_LIMIT 1000000
#define REGEX_DEPTH_LIMIT 10000
#define REGEX_HEAP_LIMIT_KIB 16384
/* A search begins anew at each place of the text, and the limit of steps is for each of them. So a
 * first try has so many altogether; a second one looks at the clock after so many places. */
#define REGEX_STEPS 4000000
#define REGEX_WINDOW 4

struct regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

void regex_free(struct regex *re)
{
    if (!re)
        return;
    pcre2_match_context_free(re->limits);
    pcre2_match_data_free(re->match);
    pcre2_code_free(re->code);
    free(re);
}

/* "'a(b <-- HERE'": the place, with what stands before and after it. */
static int point_at(const char *pattern, size_t at, struct error *err)
{
    const size_t most = 30;
    size_t from = at > most ? at - most : 0;
    return error_hint(err, "'%s%.*s <-- HERE%s%.*s'", from ? "..." : "", (int)(at - from),
                      pattern + from, pattern[at] ? " " : "", (int)most, pattern + at);
}

int regex_compile(struct regex **out, const char *pattern, struct error *err)
{
    const uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    auto_(regex_freep) struct regex *re = xnew(struct regex);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    PCRE2_SIZE at;
    int code;

    if (!context)
        abort(); /* out of memory */
    pcre2_set_max_pattern_length(context, REGEX_MAX_BYTES);
    pcre2_set_parens_nest_limit(context, REGEX_MAX_NESTING);
    re->code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!re->code) {
        char said[256];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)said, sizeof(said));
        error_set(err, ERR_INPUT, 0, "regular expression is not valid at character %zu: %s", at + 1,
                  said);
        return point_at(pattern, at, err);
    }
    re->match = pcre2_match_data_create_from_pattern(re->code, NULL);
    re->limits = pcre2_match_context_create(NULL);
    if (!re->match || !re->limits)
        abort(); /* out of memory */
    pcre2_set_depth_limit(re->limits, REGEX_DEPTH_LIMIT);
    pcre2_set_heap_limit(re->limits, REGEX_HEAP_LIMIT_KIB);
    *out = take(re);
    return 0;
}

static enum regex_found search_from(const struct regex *re, const char *text, size_t len,
                                    size_t from, size_t to, uint32_t steps)
{
    pcre2_set_match_limit(re->limits, steps);
    pcre2_set_offset_limit(re->limits, to);
    int rc = pcre2_match(re->code, (PCRE2_SPTR)text, len, from, 0, re->match, re->limits);
    if (rc == PCRE2_ERROR_NOMATCH)
        return REGEX_NONE;
    return rc > 0 ? REGEX_MATCH : REGEX_GAVE_UP;
}

static bool inside_character(const char *text, size_t len, size_t at)
{
    return at < len && ((unsigned char)text[at] & 0xc0) == 0x80;
}

static enum regex_found search_slowly(const struct regex *re, const char *text, size_t len)
{
    int64_t end_ms = clock_ms() + REGEX_SEARCH_MS;
    for (size_t from = 0; from <= len;) {
        size_t to = from + REGEX_WINDOW;
        while (inside_character(text, len, to))
            to++;
        enum regex_found found = search_from(re, text, len, from, to - 1, REGEX_MATCH_LIMIT);
        if (found != REGEX_NONE)
            return found;
        if (clock_ms() > end_ms)
            return REGEX_GAVE_UP;
        from = to;
    }
    return REGEX_NONE;
}

enum regex_found regex_search(const struct regex *re, const char *text, size_t len)
{
    size_t steps = REGEX_STEPS / (len + 1);
    steps = steps < 1 ? 1 : steps > REGEX_MATCH_LIMIT ? REGEX_MATCH_LIMIT : steps;
    enum regex_found found = search_from(re, text, len, 0, PCRE2_UNSET, (uint32_t)steps);
    return found == REGEX_GAVE_UP ? search_slowly(re, text, len) : found;
}
