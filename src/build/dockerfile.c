/*
 * Dockerfiles: the images that one names. Variables in FROM take their values from the ARGs before
 * the first FROM, as the builder has it: what the caller gives, else the default.
 */
#include "build/dockerfile.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "build/dockerfile_lines.h"

#define EXPAND_MAX_DEPTH 16
#define EXPAND_MAX_BYTES ((size_t)16 << 10)

struct variable {
    char *name;
    char *value; /* NULL: declared without a value */
};

struct parser {
    struct arena *arena;
    const struct dockerfile_args *args;
    struct dockerfile_lines lines;
    struct {
        VEC(struct variable);
    } variables;
    struct {
        VEC(struct dockerfile_stage);
    } stages;
    struct {
        VEC(struct dockerfile_use);
    } uses;
    bool session_mounts;
};

/* Part `index` of "os/arch/variant"; false when no platform was asked for. */
static bool platform_part(const struct parser *p, int index, struct str *out)
{
    const char *s = p->args->platform;
    if (!s)
        return false;
    for (; index > 0; index--) {
        s = strchr(s, '/');
        if (!s)
            return true;
        s++;
    }
    str_addn(out, s, strcspn(s, "/"));
    return true;
}

/* Variables that the builder sets: false where their value is the engine's affair. */
static bool predefined(const struct parser *p, const char *name, struct str *out)
{
    static const char *const target[] = { "TARGETOS", "TARGETARCH", "TARGETVARIANT" };
    static const char *const build[] = { "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT" };
    for (size_t i = 0; i < countof(target); i++)
        if (strcmp(name, target[i]) == 0)
            return platform_part(p, (int)i, out);
    if (strcmp(name, "TARGETPLATFORM") == 0) {
        if (p->args->platform)
            str_add(out, p->args->platform);
        return p->args->platform != NULL;
    }
    for (size_t i = 0; i < countof(build); i++)
        if (strcmp(name, build[i]) == 0)
            return false;
    return true; /* unset */
}

/* The value of a variable into out. *set: it has one. False: it cannot be known here. */
static bool lookup(const struct parser *p, const char *name, struct str *out, bool *set)
{
    for (size_t i = p->variables.len; i-- > 0;) {
        const struct variable *v = &p->variables.items[i];
        if (strcmp(v->name, name) == 0 && v->value) {
            str_add(out, v->value);
            *set = true;
            return true;
        }
    }
    bool known = predefined(p, name, out);
    *set = out->len > 0;
    return known;
}

static bool expand(const struct parser *p, struct str *out, const char *s, size_t n, int depth);

/* The length of "name" at the start of s. */
static size_t name_length(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '_'))
        i++;
    return i;
}

/* Where the brace that was opened before s is closed, or n. */
static size_t closing_brace(const char *s, size_t n)
{
    int open = 1;
    for (size_t i = 0; i < n; i++) {
        open += s[i] == '{';
        open -= s[i] == '}';
        if (open == 0)
            return i;
    }
    return n;
}

/* The inside of ${...}. */
static bool expand_braces(const struct parser *p, struct str *out, const char *s, size_t n,
                          int depth)
{
    size_t len = name_length(s, n);
    auto_free char *name = xstrndup(s, len);
    auto_str struct str value = STR_INIT_MAX(EXPAND_MAX_BYTES);
    bool set = false;
    if (!len || !lookup(p, name, &value, &set))
        return false;
    if (len == n) {
        str_addn(out, value.buf, value.len);
        return true;
    }
    bool colon = s[len] == ':';
    size_t at = len + (colon ? 1 : 0);
    if (at >= n || !strchr("-+?", s[at]))
        return false;
    bool have = set && (!colon || value.len > 0);
    if (s[at] == '+' ? have : (s[at] == '-' && !have))
        return expand(p, out, s + at + 1, n - at - 1, depth + 1);
    if (s[at] != '+')
        str_addn(out, value.buf, value.len);
    return true;
}

/* A word as the builder reads it: quotes removed, variables replaced. False when the result cannot
 * be known here. */
static bool expand(const struct parser *p, struct str *out, const char *s, size_t n, int depth)
{
    if (depth > EXPAND_MAX_DEPTH)
        return false;
    char quote = 0;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (c == p->lines.escape && quote != '\'' && i + 1 < n) {
            str_addc(out, s[++i]);
        } else if (quote ? c == quote : (c == '"' || c == '\'')) {
            quote = quote ? 0 : c;
        } else if (c != '$' || quote == '\'' || i + 1 >= n) {
            str_addc(out, c);
        } else if (s[i + 1] == '{') {
            size_t len = closing_brace(s + i + 2, n - i - 2);
            if (i + 2 + len >= n || !expand_braces(p, out, s + i + 2, len, depth))
                return false;
            i += 2 + len;
        } else {
            size_t len = name_length(s + i + 1, n - i - 1);
            if (len == 0) {
                str_addc(out, c);
                continue;
            }
            if (!expand_braces(p, out, s + i + 1, len, depth))
                return false;
            i += len;
        }
    }
    return !out->overflow;
}

static bool word_is(const struct parser *p, size_t i, const char *text)
{
    const struct dockerfile_word *w = &p->lines.words.items[i];
    return w->end - w->start == strlen(text) &&
           strncasecmp(p->lines.line.buf + w->start, text, w->end - w->start) == 0;
}

static bool word_starts(const struct parser *p, size_t i, const char *prefix)
{
    const struct dockerfile_word *w = &p->lines.words.items[i];
    return w->end - w->start >= strlen(prefix) &&
           strncmp(p->lines.line.buf + w->start, prefix, strlen(prefix)) == 0;
}

/* ARG before the first FROM: name, name=default, several of them. */
static void parse_arg(struct parser *p)
{
    for (size_t i = 1; i < p->lines.words.len; i++) {
        const struct dockerfile_word *w = &p->lines.words.items[i];
        const char *s = p->lines.line.buf + w->start;
        size_t len = w->end - w->start;
        size_t name_len = name_length(s, len);
        auto_free char *name = xstrndup(s, name_len);
        const char *given = node_text(node_get(p->args->override, name));
        if (!given)
            given = node_text(node_get(p->args->args, name));
        auto_free char *value = xstrdup(given);
        if (!value && name_len < len && s[name_len] == '=') {
            auto_str struct str text = STR_INIT_MAX(EXPAND_MAX_BYTES);
            if (expand(p, &text, s + name_len + 1, len - name_len - 1, 0))
                value = str_detach(&text);
        }
        *vec_push(&p->variables) = (struct variable){ take(name), take(value) };
    }
}

static long stage_named(const struct parser *p, const char *name, size_t before)
{
    for (size_t i = before; i-- > 0;)
        if (p->stages.items[i].name && strcasecmp(p->stages.items[i].name, name) == 0)
            return (long)i;
    return -1;
}

/* Notes that the bytes [start, end) of the instruction name an image. */
static struct dockerfile_use *add_use(struct parser *p, size_t start, size_t end)
{
    struct dockerfile_use *use = vec_push(&p->uses);
    use->source = -1;
    use->offset = p->lines.offsets.items[start];
    use->len = p->lines.offsets.items[end - 1] + 1 - use->offset;
    return use;
}

static void parse_from(struct parser *p)
{
    size_t n = p->lines.words.len, i = 1;
    bool platform = false;
    for (; i < n && word_starts(p, i, "--"); i++)
        platform = platform || word_starts(p, i, "--platform=");
    struct dockerfile_stage stage = { 0 };
    if (i + 2 < n && word_is(p, i + 1, "AS")) {
        const struct dockerfile_word *w = &p->lines.words.items[i + 2];
        char *name = arena_strndup(p->arena, p->lines.line.buf + w->start, w->end - w->start);
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        stage.name = name;
    }
    if (i < n) {
        const struct dockerfile_word *w = &p->lines.words.items[i];
        struct dockerfile_use *use = add_use(p, w->start, w->end);
        use->stage = p->stages.len;
        use->from = true;
        use->platform = platform;
        auto_str struct str ref = STR_INIT_MAX(EXPAND_MAX_BYTES);
        bool known = expand(p, &ref, p->lines.line.buf + w->start, w->end - w->start, 0) &&
                     strlen(ref.buf) == ref.len;
        if (known)
            use->source = stage_named(p, ref.buf, p->stages.len);
        if (known && ref.len && use->source < 0 && strcmp(ref.buf, "scratch") != 0)
            use->ref = arena_strdup(p->arena, ref.buf);
    }
    *vec_push(&p->stages) = stage;
}

/* --from=NAME or from=NAME: names are taken as they stand, the builder replaces no variables. */
static void parse_source(struct parser *p, size_t start, size_t end, bool onbuild)
{
    if (start >= end || p->stages.len == 0)
        return;
    auto_free char *name = xstrndup(p->lines.line.buf + start, end - start);
    if (strlen(name) < end - start)
        return;
    struct dockerfile_use *use = add_use(p, start, end);
    use->stage = p->stages.len - 1;
    use->onbuild = onbuild;
    int64_t number;
    if (!onbuild) {
        use->source = stage_named(p, name, p->stages.len - 1);
        if (use->source < 0 && num_range(&number, name, 0, (int64_t)use->stage - 1) == 0)
            use->source = (long)number;
    }
    bool plain = !strpbrk(name, "$\"'") && num_int(&number, name) < 0;
    if (use->source < 0 && plain)
        use->ref = arena_strdup(p->arena, name);
}

/* The fields of RUN --mount=type=bind,from=x,... */
static void parse_mount(struct parser *p, size_t start, size_t end, bool onbuild)
{
    const char *s = p->lines.line.buf;
    for (size_t at = start; at < end;) {
        size_t len = 0;
        while (at + len < end && s[at + len] != ',')
            len++;
        if (len > 5 && strncasecmp(s + at, "from=", 5) == 0)
            parse_source(p, at + 5, at + len, onbuild);
        if ((len == 11 && strncasecmp(s + at, "type=secret", 11) == 0) ||
            (len == 8 && strncasecmp(s + at, "type=ssh", 8) == 0))
            p->session_mounts = true;
        at += len + 1;
    }
}

/* COPY and RUN: their flags stand before anything else. */
static void parse_flags(struct parser *p, size_t first, bool onbuild)
{
    bool copy = word_is(p, first, "COPY"), run = word_is(p, first, "RUN");
    if (!copy && !run)
        return;
    for (size_t i = first + 1; i < p->lines.words.len && word_starts(p, i, "--"); i++) {
        const struct dockerfile_word *w = &p->lines.words.items[i];
        if (copy && word_starts(p, i, "--from="))
            parse_source(p, w->start + strlen("--from="), w->end, onbuild);
        else if (run && word_starts(p, i, "--mount="))
            parse_mount(p, w->start + strlen("--mount="), w->end, onbuild);
    }
}

static void parse_instruction(struct parser *p)
{
    size_t first = 0;
    if (p->lines.words.len > 1 && word_is(p, 0, "ONBUILD"))
        first = 1;
    if (word_is(p, first, "FROM") && first == 0)
        parse_from(p);
    else if (word_is(p, first, "ARG") && p->stages.len == 0)
        parse_arg(p);
    else
        parse_flags(p, first, first == 1);
}

static void *in_arena(struct arena *a, const void *items, size_t n, size_t size)
{
    void *copy = arena_alloc(a, n * size + 1);
    if (n)
        memcpy(copy, items, n * size);
    return copy;
}

void dockerfile_parse(struct dockerfile *out, struct arena *a, const char *text, size_t len,
                      const struct dockerfile_args *args)
{
    static const struct dockerfile_args no_args;
    struct parser p = { .arena = a, .args = args ? args : &no_args };
    const char *syntax;
    size_t syntax_len;
    dockerfile_lines_open(&p.lines, text, len, &syntax, &syntax_len);
    while (dockerfile_lines_next(&p.lines))
        parse_instruction(&p);
    *out = (struct dockerfile){
        .text = text,
        .len = len,
        .stages = in_arena(a, p.stages.items, p.stages.len, sizeof(*p.stages.items)),
        .nstages = p.stages.len,
        .uses = in_arena(a, p.uses.items, p.uses.len, sizeof(*p.uses.items)),
        .nuses = p.uses.len,
        .syntax = syntax ? arena_strndup(a, syntax, syntax_len) : NULL,
        .heredocs = p.lines.heredocs,
        .session_mounts = p.session_mounts,
    };
    vec_each (v, &p.variables) {
        free(v->name);
        free(v->value);
    }
    vec_free(&p.variables);
    vec_free(&p.stages);
    vec_free(&p.uses);
    dockerfile_lines_close(&p.lines);
}

long dockerfile_target(const struct dockerfile *df, const char *target)
{
    if (!target)
        return (long)df->nstages - 1;
    for (size_t i = df->nstages; i-- > 0;)
        if (df->stages[i].name && strcasecmp(df->stages[i].name, target) == 0)
            return (long)i;
    int64_t number;
    if (num_range(&number, target, 0, (int64_t)df->nstages - 1) == 0)
        return (long)number;
    return -1;
}

bool *dockerfile_needed(const struct dockerfile *df, long target)
{
    bool *needed = xcalloc(df->nstages + 1, sizeof(bool));
    if (target >= 0)
        needed[target] = true;
    /* Stages name only earlier ones, so that one pass from the end finds all. */
    for (size_t stage = df->nstages; stage-- > 0;)
        for (size_t i = 0; needed[stage] && i < df->nuses; i++)
            if (df->uses[i].stage == stage && df->uses[i].source >= 0)
                needed[df->uses[i].source] = true;
    return needed;
}

char *dockerfile_rewrite(size_t *out_len, const struct dockerfile *df,
                         const char *const *replacements)
{
    struct str out = STR_INIT;
    size_t at = 0;
    for (size_t i = 0; i < df->nuses; i++) {
        const struct dockerfile_use *use = &df->uses[i];
        if (!replacements[i] || use->offset < at)
            continue;
        str_addn(&out, df->text + at, use->offset - at);
        str_add(&out, replacements[i]);
        at = use->offset + use->len;
    }
    str_addn(&out, df->text + at, df->len - at);
    *out_len = out.len;
    return str_detach(&out);
}
