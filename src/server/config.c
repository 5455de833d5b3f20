/* hook.yaml, by tables: a row for each key, with its kind and where its value goes. */
#include "server/config.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "server/deliver.h"
#include "server/words.h"
#include "text/yaml.h"

enum {
    SECRET_MAX = 4096,
    NAME_MAX_LEN = 64,
    PORT_DEFAULT = 9666,
};

struct reading {
    struct hook_config *c;
    struct diag *d;
    const struct node *projects;
};

enum kind { STRING, PATH, INT, BYTES, DURATION, LIST, SECRET_FILE, SECRET_ENV, SPECIAL };

struct row {
    const char *name;
    enum kind kind;
    size_t offset; /* of the value in the struct that the table is about */
    int64_t min, max;
    void (*special)(struct reading *r, const struct node *value, void *target);
};

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MIB ((int64_t)1 << 20)
#define TIB ((int64_t)1 << 40)

/* --- values --- */

static void read_string(struct reading *r, const struct node *v, const char *key, const char **out)
{
    const char *text = node_text(v);
    if (!text || !*text)
        diag_error(r->d, v->span, "%s: expected text", key);
    else
        *out = arena_strdup(r->c->arena, text);
}

static void read_path(struct reading *r, const struct node *v, const char *key, const char **out)
{
    const char *text = NULL;
    read_string(r, v, key, &text);
    if (!text)
        return;
    auto_free char *home = path_expand_home(text);
    auto_free char *whole = path_join(r->c->dir, home);
    *out = arena_strdup(r->c->arena, whole);
}

static void read_number(struct reading *r, const struct node *v, const struct row *row, void *out)
{
    const char *text = node_text(v);
    int64_t n = 0;
    const char *expected = row->kind == INT     ? "a whole number"
                           : row->kind == BYTES ? "a size such as 4g"
                                                : "a time such as 30s or 1h";
    int rc = !text                ? -1
             : row->kind == INT   ? num_int(&n, text)
             : row->kind == BYTES ? num_bytes(&n, text)
                                  : num_duration(&n, text);
    if (row->kind == DURATION)
        n /= 1000000;
    if (rc < 0) {
        diag_error(r->d, v->span, "%s: expected %s", row->name, expected);
    } else if (n < row->min || n > row->max) {
        char least[NUM_TEXT_MAX], most[NUM_TEXT_MAX];
        if (row->kind == DURATION)
            diag_error(r->d, v->span, "%s: expected %s to %s", row->name,
                       num_duration_text(least, row->min * 1000000),
                       num_duration_text(most, row->max * 1000000));
        else
            diag_error(r->d, v->span, "%s: expected %lld to %lld", row->name, (long long)row->min,
                       (long long)row->max);
    } else if (row->kind == INT) {
        *(int *)out = (int)n;
    } else {
        *(int64_t *)out = n;
    }
}

static void read_list(struct reading *r, const struct node *v, const char *key, struct strv *out)
{
    if (v->kind != NODE_LIST || !v->len) {
        diag_error(r->d, v->span, "%s: expected a list of texts", key);
        return;
    }
    strv_clear(out);
    node_each (i, v) {
        const char *text = node_text(v->items[i]);
        if (text && *text)
            strv_add(out, text);
        else
            diag_error(r->d, v->items[i]->span, "%s: expected text", key);
    }
}

static void secret_clear(struct secret *s)
{
    if (s->bytes)
        wipe(s->bytes, s->len);
    free(s->bytes);
    *s = (struct secret){ 0 };
}

static void secret_set(struct secret *out, const char *bytes, size_t len)
{
    secret_clear(out);
    out->bytes = xstrndup(bytes, len);
    out->len = len;
}

static void read_secret_file(struct reading *r, const struct node *v, const char *key,
                             struct secret *out)
{
    const char *path = NULL;
    struct stat st;
    auto_error struct error err = ERROR_INIT;
    read_path(r, v, key, &path);
    if (!path)
        return;
    char *text;
    size_t len;
    if (file_read(&text, &len, path, SECRET_MAX, &err) < 0) {
        diag_error(r->d, v->span, "%s: %s", key, err.msg);
        return;
    }
    if (stat(path, &st) == 0 && (st.st_mode & 077))
        diag_warning(r->d, v->span, "%s: others than its owner can read the file", key);
    size_t whole = len;
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (!len)
        diag_error(r->d, v->span, "%s: the file is empty", key);
    else if (strlen(text) < len || strcspn(text, "\r\n") < len)
        diag_error(r->d, v->span, "%s: expected one line of text in the file", key);
    else
        secret_set(out, text, len);
    wipe(text, whole);
    free(text);
}

static void read_secret_env(struct reading *r, const struct node *v, const char *key,
                            struct secret *out)
{
    const char *name = NULL;
    read_string(r, v, key, &name);
    if (!name)
        return;
    const char *value = getenv(name);
    strv_add(&r->c->secret_env, name);
    if (!value || !*value)
        diag_error(r->d, v->span, "%s: the variable is not set", key);
    else
        secret_set(out, value, strlen(value));
}

static void read_map(struct reading *r, const struct node *map, const char *what,
                     const struct row *rows, size_t n, void *target)
{
    if (map->kind != NODE_MAP) {
        diag_error(r->d, map->span, "%s: expected a map", what);
        return;
    }
    node_each (i, map) {
        const struct row *row = rows;
        while (row < rows + n && !str_eq(row->name, map->keys[i]))
            row++;
        if (row == rows + n) {
            const char *known[32];
            for (size_t k = 0; k < n; k++)
                known[k] = rows[k].name;
            diag_error(r->d, map->key_spans[i], "%s: unknown key '%s'", what, map->keys[i]);
            diag_suggest(r->d, map->keys[i], known, n);
            continue;
        }
        const struct node *v = map->items[i];
        void *out = (char *)target + row->offset;
        switch (row->kind) {
        case STRING:
            read_string(r, v, row->name, out);
            break;
        case PATH:
            read_path(r, v, row->name, out);
            break;
        case INT:
        case BYTES:
        case DURATION:
            read_number(r, v, row, out);
            break;
        case LIST:
            read_list(r, v, row->name, out);
            break;
        case SECRET_FILE:
            read_secret_file(r, v, row->name, out);
            break;
        case SECRET_ENV:
            read_secret_env(r, v, row->name, out);
            break;
        case SPECIAL:
            row->special(r, v, out);
            break;
        }
    }
}

/* --- tables --- */

#define AT(type, field) offsetof(struct type, field)

static const struct row limit_rows[] = {
    { "time", DURATION, AT(hook_limits, time_ms), 100, 7 * DAY, NULL },
    { "cpu", DURATION, AT(hook_limits, cpu_ms), 1000, 7 * DAY, NULL },
    { "memory", BYTES, AT(hook_limits, memory), 16 * MIB, 1024 * TIB, NULL },
    { "file_size", BYTES, AT(hook_limits, file_size), 1024, TIB, NULL },
    { "log", BYTES, AT(hook_limits, log), 4096, 64 * MIB, NULL },
};

static void read_limits(struct reading *r, const struct node *v, void *target)
{
    read_map(r, v, "limits", limit_rows, countof(limit_rows), target);
}

static const struct row status_rows[] = {
    { "token_file", SECRET_FILE, AT(hook_status, token), 0, 0, NULL },
    { "token_env", SECRET_ENV, AT(hook_status, token), 0, 0, NULL },
    { "api", STRING, AT(hook_status, api), 0, 0, NULL },
    { "context", STRING, AT(hook_status, context), 0, 0, NULL },
};

static void read_status(struct reading *r, const struct node *v, void *target)
{
    struct hook_status *s = target;
    size_t before = r->d->errors;
    read_map(r, v, "status", status_rows, countof(status_rows), s);
    if (r->d->errors == before && !s->token.len)
        diag_error(r->d, v->span, "status: token_file or token_env is missing");
    if (s->api && !str_starts(s->api, "https://") && !str_starts(s->api, "http://"))
        diag_error(r->d, node_get(v, "api")->span, "api: expected a URL");
}

static void read_forge(struct reading *r, const struct node *v, void *target)
{
    const char *name = node_text(v);
    for (size_t i = 0; deliver_names[i]; i++)
        if (str_eq(name, deliver_names[i])) {
            *(const char **)target = deliver_names[i];
            return;
        }
    diag_error(r->d, v->span,
               "forge: expected 'github', 'gitlab', 'gitea', 'forgejo' or 'generic'");
}

static void read_refs(struct reading *r, const struct node *v, void *target)
{
    struct strv *refs = target;
    auto_strv struct strv list = STRV_INIT;
    read_list(r, v, "refs", &list);
    strv_clear(refs);
    strv_each (it, &list)
        strv_addf(refs, "%s%s", str_starts(*it, "refs/") ? "" : "refs/heads/", *it);
}

static void read_git(struct reading *r, const struct node *v, void *target)
{
    const char *url = NULL;
    read_string(r, v, "git", &url);
    if (url && *url == '-')
        diag_error(r->d, v->span, "git: an address does not begin with '-'");
    else if (url)
        *(const char **)target = url;
}

static void read_command(struct reading *r, const struct node *v, void *target)
{
    read_list(r, v, "command", target);
    node_each (i, v) {
        const char *text = v->kind == NODE_LIST ? node_text(v->items[i]) : NULL;
        for (const char *c = text; c && (c = strchr(c, '{')); c++) {
            size_t which;
            if (hook_placeholder(&which, c) && strpbrk(text, " \t\n")) {
                diag_error(r->d, v->items[i]->span,
                           "command: a placeholder inside a text of several words");
                diag_hint(r->d, "a shell would run what a branch is called; use "
                                "\"$STACK_HOOK_BRANCH\" and the like there");
                break;
            }
            size_t name = strspn(c + 1, "abcdefghijklmnopqrstuvwxyz_");
            if (name && c[1 + name] == '}' && !hook_placeholder(&which, c)) {
                auto_free char *word = xstrndup(c + 1, name);
                diag_error(r->d, v->items[i]->span, "command: unknown placeholder '{%s}'", word);
                diag_suggest(r->d, word, hook_placeholders, HOOK_PLACEHOLDERS);
            }
        }
    }
}

static const struct row project_rows[] = {
    { "git", SPECIAL, AT(hook_project, git), 0, 0, read_git },
    { "forge", SPECIAL, AT(hook_project, forge), 0, 0, read_forge },
    { "secret_file", SECRET_FILE, AT(hook_project, secret), 0, 0, NULL },
    { "secret_env", SECRET_ENV, AT(hook_project, secret), 0, 0, NULL },
    { "refs", SPECIAL, AT(hook_project, refs), 0, 0, read_refs },
    { "command", SPECIAL, AT(hook_project, command), 0, 0, read_command },
    { "stack_file", PATH, AT(hook_project, stack_file), 0, 0, NULL },
    { "up", STRING, AT(hook_project, up), 0, 0, NULL },
    { "poll", DURATION, AT(hook_project, poll_ms), 1000, 7 * DAY, NULL },
    { "limits", SPECIAL, AT(hook_project, limits), 0, 0, read_limits },
    { "status", SPECIAL, AT(hook_project, status), 0, 0, read_status },
};

static void read_listen(struct reading *r, const struct node *v, void *target)
{
    (void)target;
    const char *text = node_text(v);
    auto_free char *host = NULL;
    if (!text || hook_config_address(&host, &r->c->port, text) < 0)
        diag_error(r->d, v->span, "listen: expected ADDRESS:PORT");
    else
        r->c->host = arena_strdup(r->c->arena, host);
}

static void read_view(struct reading *r, const struct node *v, void *target)
{
    static const struct row rows[] = {
        { "token_file", SECRET_FILE, 0, 0, 0, NULL },
        { "token_env", SECRET_ENV, 0, 0, 0, NULL },
    };
    read_map(r, v, "view", rows, countof(rows), target);
}

static void read_http(struct reading *r, const struct node *v, void *target)
{
    static const struct row rows[] = {
        { "connections", INT, AT(hook_config, connections), 1, 10000, NULL },
        { "connections_per_source", INT, AT(hook_config, connections_per_source), 1, 10000, NULL },
        { "body", BYTES, AT(hook_config, body_max), 1024, 256 * MIB, NULL },
        { "time", DURATION, AT(hook_config, request_ms), 100, HOUR, NULL },
    };
    read_map(r, v, "http", rows, countof(rows), target);
}

/* Read after everything else, when what is usual is known. */
static void note_projects(struct reading *r, const struct node *v, void *target)
{
    (void)target;
    r->projects = v;
}

static const struct row top_rows[] = {
    { "listen", SPECIAL, 0, 0, 0, read_listen },
    { "url", STRING, AT(hook_config, url), 0, 0, NULL },
    { "queue", PATH, AT(hook_config, queue), 0, 0, NULL },
    { "parallel", INT, AT(hook_config, parallel), 1, 64, NULL },
    { "keep", INT, AT(hook_config, keep), 1, 10000, NULL },
    { "stop", DURATION, AT(hook_config, stop_ms), 0, DAY, NULL },
    { "view", SPECIAL, AT(hook_config, view), 0, 0, read_view },
    { "http", SPECIAL, 0, 0, 0, read_http },
    { "secret_file", SECRET_FILE, AT(hook_config, usual.secret), 0, 0, NULL },
    { "secret_env", SECRET_ENV, AT(hook_config, usual.secret), 0, 0, NULL },
    { "refs", SPECIAL, AT(hook_config, usual.refs), 0, 0, read_refs },
    { "command", SPECIAL, AT(hook_config, usual.command), 0, 0, read_command },
    { "stack_file", PATH, AT(hook_config, usual.stack_file), 0, 0, NULL },
    { "poll", DURATION, AT(hook_config, usual.poll_ms), 1000, 7 * DAY, NULL },
    { "limits", SPECIAL, AT(hook_config, usual.limits), 0, 0, read_limits },
    { "projects", SPECIAL, 0, 0, 0, note_projects },
};

/* --- projects --- */

bool hook_config_name_valid(const char *name)
{
    size_t n = strlen(name);
    if (!n || n > NAME_MAX_LEN || !isalnum((unsigned char)*name))
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
            return false;
    return true;
}

static void copy_list(struct strv *to, const struct strv *from)
{
    strv_each (it, from)
        strv_add(to, *it);
}

/* What the project does not say itself. */
static void complete(struct hook_config *c, struct hook_project *p)
{
    const struct hook_project *usual = &c->usual;
    p->own_secret = p->secret.len > 0;
    if (!p->own_secret && usual->secret.len)
        secret_set(&p->secret, usual->secret.bytes, usual->secret.len);
    if (!p->refs.len)
        copy_list(&p->refs, &usual->refs);
    if (!p->command.len)
        copy_list(&p->command, &usual->command);
    if (!p->stack_file)
        p->stack_file = usual->stack_file;
    if (!p->poll_ms)
        p->poll_ms = usual->poll_ms;
    if (!p->status.context)
        p->status.context = "stack";
    if (p->command.len)
        return;
    static const char *const rebuild[] = { "rebuild", "{project}", "--ref", "{branch}",
                                           "--push",  "--format",  "json" };
    strv_add(&p->command, "{stack}");
    if (p->stack_file) {
        strv_add(&p->command, "-f");
        strv_add(&p->command, "{stack_file}");
    }
    for (size_t i = 0; i < countof(rebuild); i++)
        strv_add(&p->command, rebuild[i]);
}

static void read_project(struct reading *r, const char *name, struct span at, const struct node *v)
{
    struct hook_project *p = vec_push(&r->c->projects);
    p->name = arena_strdup(r->c->arena, name);
    p->limits = r->c->usual.limits;
    if (!hook_config_name_valid(name))
        diag_error(r->d, at, "projects: expected a name of letters, digits, '_', '.' and '-'");
    size_t before = r->d->errors;
    read_map(r, v, name, project_rows, countof(project_rows), p);
    complete(r->c, p);
    if (r->d->errors > before)
        return;
    if (!p->git)
        diag_error(r->d, at, "%s: git is missing", name);
    if (!p->secret.len && !p->poll_ms) {
        diag_error(r->d, at, "%s: neither a secret nor poll: nothing would ever build it", name);
        diag_hint(r->d, "add secret_file, or poll: 60s");
    }
    if (p->status.token.len && (!p->forge || str_eq(p->forge, "generic")))
        diag_error(r->d, node_key_span(v, "status"),
                   "%s: status needs forge: github, gitlab, "
                   "gitea or forgejo",
                   name);
}

static void read_top(struct reading *r, const struct node *root)
{
    read_map(r, root, "hook.yaml", top_rows, countof(top_rows), r->c);
    if (!r->projects) {
        diag_error(r->d, root->span, "hook.yaml: projects is missing");
        return;
    }
    if (r->projects->kind != NODE_MAP || !r->projects->len) {
        diag_error(r->d, r->projects->span, "projects: expected a map of projects");
        return;
    }
    node_each (i, r->projects)
        read_project(r, r->projects->keys[i], r->projects->key_spans[i], r->projects->items[i]);
}

/* --- the file --- */

static struct hook_config *config_new(const char *path)
{
    struct hook_config *c = xnew(struct hook_config);
    c->arena = arena_new();
    auto_free char *dir = path_dir(path);
    c->dir = arena_strdup(c->arena, dir);
    c->host = "127.0.0.1";
    c->port = PORT_DEFAULT;
    c->parallel = 2;
    c->keep = 50;
    c->stop_ms = MINUTE;
    c->connections = 256;
    c->connections_per_source = 64;
    c->body_max = 25 * MIB;
    c->request_ms = MINUTE;
    strv_add(&c->usual.refs, "refs/heads/main");
    strv_add(&c->usual.refs, "refs/heads/master");
    c->usual.limits = (struct hook_limits){
        .time_ms = HOUR, .memory = 4096 * MIB, .file_size = 16384 * MIB, .log = 8 * MIB
    };
    return c;
}

static void project_clear(struct hook_project *p)
{
    secret_clear(&p->secret);
    secret_clear(&p->status.token);
    strv_clear(&p->refs);
    strv_clear(&p->command);
}

void hook_config_free(struct hook_config *c)
{
    if (!c)
        return;
    project_clear(&c->usual);
    secret_clear(&c->view);
    strv_clear(&c->secret_env);
    vec_each (p, &c->projects)
        project_clear(p);
    vec_free(&c->projects);
    arena_free(c->arena);
    free(c);
}

int hook_config_load(struct hook_config **out, const char *path, struct diag *d, struct error *err)
{
    auto_free char *whole = path_real(path, err);
    if (!whole)
        return -1;
    auto_(hook_config_freep) struct hook_config *c = config_new(whole);
    const struct source *src;
    struct node *root = NULL;
    /* Diagnostics point at the source: it lives as long as they do. */
    if (source_read(&src, d->arena, path, err) < 0 || yaml_read(&root, d->arena, src, d) < 0)
        return -1;
    struct reading r = { .c = c, .d = d };
    if (root)
        read_top(&r, root);
    else
        diag_error(d, (struct span){ .source = src, .line = 1, .column = 1 }, "the file is empty");
    if (d->errors)
        return -1;
    *out = take(c);
    return 0;
}

const struct hook_project *hook_config_project(const struct hook_config *c, const char *name)
{
    for (size_t i = 0; i < c->projects.len; i++)
        if (str_eq(c->projects.items[i].name, name))
            return &c->projects.items[i];
    return NULL;
}

bool hook_config_wants(const struct hook_project *p, const char *ref)
{
    strv_each (it, &p->refs)
        if (fnmatch(*it, ref, 0) == 0)
            return true;
    return false;
}

int hook_config_address(char **host, int *port, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    int64_t number;
    if (num_range(&number, digits, 0, 65535) < 0)
        return -1;
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    if (!bracketed && colon && memchr(text, ':', n))
        return -1;
    *host = bracketed ? xstrndup(text + 1, n - 2)
            : n       ? xstrndup(text, n)
                      : xstrdup(colon ? "0.0.0.0" : "127.0.0.1");
    *port = (int)number;
    return 0;
}
