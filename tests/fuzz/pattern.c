/* Ignore rules, and on the last line a path: rules mean what Docker's regular expressions for them
 * mean, and directories are only passed by when nothing below them is kept. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "text/glob.h"
#include "text/pattern.h"

/* Docker's translation of a pattern without classes and escapes. */
static void add_regex(struct str *out, const char *pattern)
{
    if (str_starts(pattern, "**") && pattern[2] != '/' && !strpbrk(pattern + 2, "*?")) {
        str_add(out, ".*");
        pattern += 2;
    }
    for (const char *s = pattern; *s; s++) {
        if (s[0] == '*' && s[1] == '*') {
            s += s[2] == '/' ? 2 : 1;
            str_add(out, s[1] ? "(.*/)?" : ".*");
        } else if (*s == '*' || *s == '?') {
            str_add(out, *s == '*' ? "[^/]*" : "[^/]");
        } else {
            str_addf(out, "%s%c", strchr(".+()|{}$^", *s) ? "\\" : "", *s);
        }
    }
}

/* Whether the path or a directory above it matches. */
static bool regex_match(const struct regex *re, const char *path)
{
    for (const char *s = path; *s; s++)
        if (*s == '/' && regex_search(re, path, (size_t)(s - path)) == REGEX_MATCH)
            return true;
    return regex_search(re, path, strlen(path)) == REGEX_MATCH;
}

static void compare_with_regex(const char *pattern, const char *path)
{
    auto_(glob_freep) struct glob *glob = NULL;
    auto_(regex_freep) struct regex *re = NULL;
    auto_str struct str text = STR_INIT;

    if (strpbrk(pattern, "[]\\\r") || strlen(pattern) > 40 || strlen(path) > 80)
        return;
    fuzz_check(glob_compile(&glob, pattern, NULL) == 0);
    str_add(&text, "(?s)^(?:");
    add_regex(&text, pattern);
    str_add(&text, ")\\z");
    if (regex_compile(&re, text.buf, NULL) < 0)
        return; /* not UTF-8 */
    fuzz_check(glob_match(glob, path) == regex_match(re, path));
    const char *slash = strrchr(path, '/');
    if (slash && glob_match(glob, path)) {
        auto_free char *parent = xstrndup(path, (size_t)(slash - path));
        fuzz_check(glob_reaches_below(glob, parent));
    }
}

static bool is_ascii(const char *s)
{
    while (*s && !(*s & 0x80))
        s++;
    return !*s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    char *path = strrchr(text, '\n');
    auto_(ignore_freep) struct ignore *ig = NULL;
    auto_error struct error err = ERROR_INIT;

    if (!path)
        return 0;
    *path++ = '\0';
    if (ignore_parse(&ig, text, "rules", &err) < 0) {
        fuzz_check(err.kind == ERR_INPUT && str_starts(err.msg, "rules:"));
        return 0;
    }

    auto_strv struct strv below = STRV_INIT;
    strv_addf(&below, "%s/x", path);
    strv_addf(&below, "%s/x/y.c", path);
    if (ignore_match(ig, path) && !ignore_may_keep_below(ig, path))
        strv_each (it, &below)
            fuzz_check(ignore_match(ig, *it));
    if (is_ascii(text) && is_ascii(path) && *text && *path && !strchr(text, '\n'))
        compare_with_regex(text, path);
    return 0;
}
