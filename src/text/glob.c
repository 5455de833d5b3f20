/*
 * Path patterns, matched as a set of positions in the pattern that moves along the path (Thompson's
 * way): no backtracking, so a hostile pattern costs no more than its length times the path's. The
 * same walk answers two more questions for free: whether a parent directory matches, by looking at
 * each slash, and whether anything below a directory could, by what is left of the set after it.
 *
 * The meaning is that of Docker's own matcher, which turns patterns into regular expressions:
 * `**` followed by more is `(.*\/)?`, whether or not a slash follows it; at the end it is `.*`.
 */
#include "text/glob.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

enum token_kind {
    LITERAL,
    ANY_ONE,  /* ? */
    ANY_NAME, /* *: characters but '/', or none */
    ANY_PATH, /* characters, or none */
    DIRS,     /* what follows may stand here, or after the next token */
    DIRS_END, /* characters up to a '/' */
    CLASS,
};

struct range {
    uint32_t low;
    uint32_t high;
};

struct token {
    enum token_kind kind;
    bool negated;       /* CLASS */
    uint32_t character; /* LITERAL */
    size_t first;       /* CLASS: its ranges */
    size_t end;
};

struct glob {
    struct {
        VEC(struct token);
    } tokens;
    struct {
        VEC(struct range);
    } ranges;
};

/* A set of positions: i stands before token i, the number of tokens behind the last one. No token
 * takes less than a byte of the pattern. */
#define SET_WORDS (GLOB_MAX_BYTES / 64 + 1)

struct set {
    size_t words;
    uint64_t bits[SET_WORDS];
};

void glob_free(struct glob *g)
{
    if (!g)
        return;
    vec_free(&g->tokens);
    vec_free(&g->ranges);
    free(g);
}

/* One UTF-8 character; other bytes count for themselves, outside of Unicode. */
static size_t next_char(uint32_t *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7Fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            n = 0;
        c = c << 6 | (s[i] & 0x3F);
    }
    *out = n ? c : 0x110000u + s[0];
    return n ? n : 1;
}

static void add(struct glob *g, enum token_kind kind)
{
    vec_push(&g->tokens)->kind = kind;
}

static void add_literal(struct glob *g, uint32_t c)
{
    *vec_push(&g->tokens) = (struct token){ .kind = LITERAL, .character = c };
}

/* A character of a class, perhaps after a backslash; 0 bytes when none can stand here. */
static size_t class_char(uint32_t *out, const char *s)
{
    size_t escape = *s == '\\';

    if (!s[escape] || (!escape && (*s == '-' || *s == ']')))
        return 0;
    return escape + next_char(out, s + escape);
}

/* What stands after '['; the bytes up to and with ']', or 0. */
static size_t compile_class(struct glob *g, const char *text)
{
    const char *s = text;
    struct token t = { .kind = CLASS, .first = g->ranges.len };

    t.negated = *s == '^';
    s += t.negated;
    do {
        struct range r;
        size_t n = class_char(&r.low, s);

        if (!n)
            return 0;
        s += n;
        r.high = r.low;
        if (*s == '-') {
            n = class_char(&r.high, s + 1);
            if (!n)
                return 0;
            s += 1 + n;
        }
        *vec_push(&g->ranges) = r;
    } while (*s != ']');
    t.end = g->ranges.len;
    *vec_push(&g->tokens) = t;
    return (size_t)(s - text) + 1;
}

/* "**" and the slash that belongs to it; the bytes taken. */
static size_t compile_double_star(struct glob *g, const char *s, bool first)
{
    size_t n = s[2] == '/' ? 3 : 2;
    bool plain_end = first && n == 2 && !s[n + strcspn(s + n, "*?[]\\")];

    if (!s[n] || plain_end) {
        add(g, ANY_PATH);
    } else {
        add(g, DIRS);
        add(g, DIRS_END);
    }
    return n;
}

int glob_compile(struct glob **out, const char *pattern, struct error *err)
{
    auto_(glob_freep) struct glob *g = xnew(struct glob);

    if (strlen(pattern) > GLOB_MAX_BYTES)
        return error_set(err, ERR_INPUT, 0, "pattern longer than %d bytes", GLOB_MAX_BYTES);
    for (const char *s = pattern; *s;) {
        uint32_t c;
        size_t n = 1;

        if (s[0] == '*' && s[1] == '*') {
            n = compile_double_star(g, s, s == pattern);
        } else if (*s == '*') {
            add(g, ANY_NAME);
        } else if (*s == '?') {
            add(g, ANY_ONE);
        } else if (*s == '[') {
            n = compile_class(g, s + 1);
            if (!n)
                return error_set(err, ERR_INPUT, 0,
                                 "malformed character class, expected [a-z], '-' and ']' in it "
                                 "after a backslash");
            n++;
        } else if (*s == '\\' && !s[1]) {
            return error_set(err, ERR_INPUT, 0, "a backslash stands at the end of the pattern");
        } else {
            n = *s == '\\';
            n += next_char(&c, s + n);
            add_literal(g, c);
        }
        s += n;
    }
    *out = take(g);
    return 0;
}

static void set_init(struct set *set, size_t words)
{
    set->words = words;
    memset(set->bits, 0, words * sizeof(*set->bits));
}

static void set_add(struct set *set, size_t i)
{
    set->bits[i / 64] |= (uint64_t)1 << i % 64;
}

static bool set_has(const struct set *set, size_t i)
{
    return set->bits[i / 64] >> i % 64 & 1;
}

/* Adds a position and those that are reached from it without a character. */
static void enter(const struct glob *g, struct set *set, size_t i)
{
    if (set_has(set, i))
        return;
    set_add(set, i);
    for (; i < g->tokens.len; i++) {
        enum token_kind kind = g->tokens.items[i].kind;

        if (kind == DIRS)
            set_add(set, ++i);
        else if (kind != ANY_NAME && kind != ANY_PATH)
            break;
        set_add(set, i + 1);
    }
}

static bool in_class(const struct glob *g, const struct token *t, uint32_t c)
{
    for (size_t i = t->first; i < t->end; i++)
        if (c >= g->ranges.items[i].low && c <= g->ranges.items[i].high)
            return !t->negated;
    return t->negated;
}

/* Moves position i over the character c. */
static void step_one(const struct glob *g, struct set *to, size_t i, uint32_t c)
{
    const struct token *t = &g->tokens.items[i];
    bool stays = t->kind == ANY_PATH || t->kind == DIRS_END || (t->kind == ANY_NAME && c != '/');
    bool passes = (t->kind == LITERAL && c == t->character) || (t->kind == ANY_ONE && c != '/') ||
                  (t->kind == DIRS_END && c == '/') || (t->kind == CLASS && in_class(g, t, c));

    if (stays)
        enter(g, to, i);
    if (passes)
        enter(g, to, i + 1);
}

static bool step(const struct glob *g, struct set *set, uint32_t c)
{
    struct set to;
    bool alive = false;

    set_init(&to, set->words);
    for (size_t w = 0; w < set->words; w++)
        for (uint64_t bits = set->bits[w]; bits; bits &= bits - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(bits);
            if (i < g->tokens.len)
                step_one(g, &to, i, c);
        }
    for (size_t w = 0; w < set->words; w++) {
        alive |= to.bits[w] != 0;
        set->bits[w] = to.bits[w];
    }
    return alive;
}

/* Whether nothing but a '/' changes the set: most of every path, for rules that start with a
 * double star. */
static bool waits_for_slash(const struct glob *g, const struct set *set)
{
    for (size_t w = 0; w < set->words; w++)
        for (uint64_t bits = set->bits[w]; bits; bits &= bits - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(bits);
            if (i == g->tokens.len || g->tokens.items[i].kind != DIRS_END)
                return false;
        }
    return true;
}

/* Walks along the path; true when it or a parent matches. *left is the set behind it. */
static bool walk(const struct glob *g, const char *path, struct set *left)
{
    size_t end = g->tokens.len;

    set_init(left, end / 64 + 1);
    enter(g, left, 0);
    while (*path) {
        uint32_t c;

        if (waits_for_slash(g, left)) {
            path += strcspn(path, "/");
            if (!*path)
                return false;
        }
        path += next_char(&c, path);
        if (c == '/' && set_has(left, end))
            return true;
        if (!step(g, left, c))
            return false;
    }
    return set_has(left, end);
}

bool glob_match(const struct glob *g, const char *path)
{
    struct set left;

    return walk(g, path, &left);
}

bool glob_reaches_below(const struct glob *g, const char *path)
{
    struct set left;

    if (walk(g, path, &left))
        return true;
    return step(g, &left, '/');
}
