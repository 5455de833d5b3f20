/* Editing a stack file as text. */
#include "cli/edit.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "text/yaml.h"

/*
 * Positions of the tree say where `projects:` and its entries begin; where the last entry ends is
 * found in the lines. That cannot be right for everything that YAML allows, and need not be: the
 * result is read again and compared.
 */

struct editing {
    struct arena *arena;
    const char *text;
    size_t len;
    const struct edit_project *p;
    const struct node *root, *projects;
    const char *newline; /* of the file */
};

/* A scalar that is this text and nothing else, also within { }. A '$' would be a variable. */
static void add_scalar(struct str *out, const char *text)
{
    static const char *const words[] = {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n"
    };
    bool plain = isalpha((unsigned char)*text) || *text == '.' || *text == '/';
    for (const char *p = text; *p; p++)
        plain &= isalnum((unsigned char)*p) || strchr("-_./@+~%=", *p) ||
                 (*p == ':' && p[1] && !isspace((unsigned char)p[1]));
    for (size_t i = 0; i < countof(words); i++)
        plain &= strcasecmp(text, words[i]) != 0;
    if (!plain)
        str_addc(out, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '$' || (!plain && *p == '\''))
            str_addc(out, *p);
        str_addc(out, *p);
    }
    if (!plain)
        str_addc(out, '\'');
}

/* "name: path" or "name: { git: URL, ref: main }". */
static void add_entry(struct str *out, const struct edit_project *p)
{
    add_scalar(out, p->name);
    str_add(out, ": ");
    if (p->path) {
        add_scalar(out, p->path);
        return;
    }
    str_add(out, "{ git: ");
    add_scalar(out, p->git);
    if (p->ref) {
        str_add(out, ", ref: ");
        add_scalar(out, p->ref);
    }
    str_add(out, " }");
}

/* --- places in the text --- */

/* YAML ends lines at more than newlines: there positions of the tree are not lines of ours. */
static bool has_odd_breaks(const char *text)
{
    for (const char *p = strchr(text, '\r'); p; p = strchr(p + 1, '\r'))
        if (p[1] != '\n')
            return true;
    return strstr(text, "\xc2\x85") || strstr(text, "\xe2\x80\xa8") || strstr(text, "\xe2\x80\xa9");
}

static size_t line_start(const struct editing *e, int line)
{
    size_t at = 0;
    for (int n = 1; n < line && at < e->len; n++) {
        const char *end = memchr(e->text + at, '\n', e->len - at);
        at = end ? (size_t)(end + 1 - e->text) : e->len;
    }
    return at;
}

static size_t next_line(const struct editing *e, size_t at)
{
    const char *end = memchr(e->text + at, '\n', e->len - at);
    return end ? (size_t)(end + 1 - e->text) : e->len;
}

static bool is_blank(const struct editing *e, size_t at)
{
    size_t n = strspn(e->text + at, " \t\r");
    return at + n >= e->len || e->text[at + n] == '\n';
}

/* Behind the last line of the entry that begins on `line`, which is indented by `indent`. */
static size_t entry_end(const struct editing *e, int line, size_t indent)
{
    size_t at = next_line(e, line_start(e, line)), end = at;
    for (; at < e->len; at = next_line(e, at)) {
        if (is_blank(e, at))
            continue;
        if (strspn(e->text + at, " ") <= indent)
            break;
        end = next_line(e, at);
    }
    return end;
}

/* A whole line at `at`. */
static void insert_line(struct str *out, const struct editing *e, size_t at, const char *indent)
{
    str_addn(out, e->text, at);
    if (at && e->text[at - 1] != '\n')
        str_add(out, e->newline);
    str_add(out, indent);
    add_entry(out, e->p);
    str_add(out, e->newline);
    str_addn(out, e->text + at, e->len - at);
}

static void insert_in_block(struct str *out, const struct editing *e)
{
    struct span last = e->projects->key_spans[e->projects->len - 1];
    size_t indent = (size_t)last.column - 1;
    auto_free char *spaces = xasprintf("%*s", (int)indent, "");
    insert_line(out, e, entry_end(e, last.line, indent), spaces);
}

/* `projects:` with nothing behind it. */
static void insert_first(struct str *out, const struct editing *e)
{
    struct span key = node_key_span(e->root, "projects");
    insert_line(out, e, next_line(e, line_start(e, key.line)), "  ");
}

/* { a: b }: before the bracket that closes it. */
static void insert_in_flow(struct str *out, const struct editing *e)
{
    size_t at = line_start(e, e->projects->span.line) + (size_t)e->projects->span.column - 1;
    int depth = 0;
    char quote = 0;
    for (; at < e->len; at++) {
        char c = e->text[at];
        if (quote) {
            at += quote == '"' && c == '\\';
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    size_t end = at;
    while (end && isspace((unsigned char)e->text[end - 1]))
        end--;
    bool spaced = end < at || e->projects->len == 0;
    str_addn(out, e->text, end);
    str_add(out, e->projects->len ? ", " : " ");
    add_entry(out, e->p);
    if (spaced && end == at)
        str_addc(out, ' ');
    str_addn(out, e->text + end, e->len - end);
}

static void insert_section(struct str *out, const struct editing *e)
{
    str_addn(out, e->text, e->len);
    if (e->len && e->text[e->len - 1] != '\n')
        str_add(out, e->newline);
    str_addf(out, "%sprojects:%s  ", e->newline, e->newline);
    add_entry(out, e->p);
    str_add(out, e->newline);
}

static char at_span(const struct editing *e, struct span at)
{
    size_t offset = line_start(e, at.line) + (size_t)at.column - 1;
    return offset < e->len ? e->text[offset] : 0;
}

static void insert(struct str *out, const struct editing *e)
{
    const struct node *projects = e->projects;
    if (has_odd_breaks(e->text))
        return;
    if (!projects)
        insert_section(out, e);
    else if (projects->kind == NODE_NULL)
        insert_first(out, e);
    else if (at_span(e, projects->span) == '{')
        insert_in_flow(out, e);
    else if (projects->len)
        insert_in_block(out, e);
    /* Else an alias of something empty. Where nothing is inserted, the check refuses. */
}

/* --- what it means --- */

static struct node *read_tree(struct editing *e, const char *text, size_t len)
{
    struct node *root = NULL;
    struct diag d;
    diag_init(&d, e->arena);
    const struct source *src = source_from_text(e->arena, "stack.yaml", text, len);
    int rc = yaml_read(&root, e->arena, src, &d);
    diag_clear(&d);
    return rc < 0 || !root || root->kind != NODE_MAP ? NULL : root;
}

/* As the file has it, before variables are replaced. */
static void set_text(struct arena *a, struct node *map, const char *key, const char *text)
{
    auto_str struct str out = STR_INIT;
    for (const char *p = text; *p; p++)
        str_addf(&out, *p == '$' ? "$%c" : "%c", *p);
    node_set_string(a, map, key, out.buf);
}

/* What the tree is to be afterwards. */
static struct node *wanted(struct editing *e)
{
    struct arena *a = e->arena;
    struct node *root = node_copy(a, e->root);
    struct node *projects = node_get(root, "projects");
    struct node *entry = node_new(a, NODE_MAP, (struct span){ 0 });
    if (!projects || projects->kind == NODE_NULL) {
        projects = node_new(a, NODE_MAP, (struct span){ 0 });
        node_set(a, root, "projects", projects);
    }
    if (e->p->path) {
        set_text(a, projects, e->p->name, e->p->path);
        return root;
    }
    set_text(a, entry, "git", e->p->git);
    if (e->p->ref)
        set_text(a, entry, "ref", e->p->ref);
    node_set(a, projects, e->p->name, entry);
    return root;
}

static int check(struct editing *e, const struct str *out, struct error *err)
{
    const struct node *got = read_tree(e, out->buf, out->len);
    auto_str struct str line = STR_INIT;
    if (got && node_equal(got, wanted(e)))
        return 0;
    add_entry(&line, e->p);
    error_set(err, ERR_CONFLICT, 0, "the file is written in a way that cannot be edited safely");
    return error_hint(err, "add this to 'projects:' by hand: %s", line.buf);
}

static int edit(struct str *out, struct editing *e, struct error *err)
{
    e->root = read_tree(e, e->text, e->len);
    if (!e->root)
        return error_set(err, ERR_INPUT, 0, "it is not a stack file that can be read");
    e->projects = node_get(e->root, "projects");
    if (!e->projects && !node_get(e->root, "infrastructure")) {
        error_set(err, ERR_INPUT, 0, "it is a Compose file, which has no projects");
        return error_hint(err, "a stack.yaml with 'projects:' may include it");
    }
    if (e->projects && e->projects->kind != NODE_MAP && e->projects->kind != NODE_NULL)
        return error_set(err, ERR_INPUT, 0, "'projects' is not a mapping");
    if (node_get(e->projects, e->p->name)) {
        struct span at = node_key_span(e->projects, e->p->name);
        error_set(err, ERR_INPUT, 0, "there is a project '%s' in line %d", e->p->name, at.line);
        return error_hint(err, "another name: --name NAME");
    }
    auto_str struct str text = STR_INIT;
    insert(&text, e);
    if (check(e, &text, err) < 0)
        return -1;
    str_addn(out, text.buf, text.len);
    return 0;
}

int edit_add_project(struct str *out, const char *text, size_t len, const struct edit_project *p,
                     struct error *err)
{
    const char *newline = memchr(text, '\n', len);
    struct editing e = { .arena = arena_new(), .text = text, .len = len, .p = p };
    e.newline = newline && newline > text && newline[-1] == '\r' ? "\r\n" : "\n";
    int rc = edit(out, &e, err);
    arena_free(e.arena);
    return rc;
}
