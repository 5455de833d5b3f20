/* Passwords for servers that ask. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/private.h"
#include "loop/child.h"

/*
 * libgit2 calls again each time that the server refuses what it got. So there is a list, each of
 * which is tried once: the URL's own, what git's helpers know (`git credential fill`, as git itself
 * asks them), ~/.netrc. Nothing asks a person, nothing is stored, and nothing goes to another host
 * than it was meant for.
 */

#define HELPER_MS 30000
#define HELPER_OUTPUT_MAX (64 << 10)
#define NETRC_MAX (256 << 10)

struct secret {
    char *user, *password;
};

static void secret_clear(struct secret *s)
{
    if (s->password)
        wipe(s->password, strlen(s->password));
    free(s->user);
    free(s->password);
    *s = (struct secret){ 0 };
}

static bool from_url(struct secret *out, struct credentials *c, const struct repo_url *asked)
{
    const struct repo_url *u = c->url;
    if (!u->user || !str_eq(u->host, asked->host) || !str_eq(u->port, asked->port))
        return false;
    /* A token may stand alone, in either place. */
    if (!u->password && !*u->user)
        return false;
    *out = (struct secret){ xstrdup(u->user), xstrdup(u->password ? u->password : "") };
    return true;
}

/* --- git's helpers --- */

static char *value_of(const char *text, const char *key)
{
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t n = strlen(key);
        if (!strncmp(line, key, n) && line[n] == '=')
            return xstrndup(line + n + 1, strcspn(line + n + 1, "\r\n"));
    }
    return NULL;
}

/* Ours, with what keeps git from asking on a terminal, and from taking the configuration of some
 * repository for the user's. */
static void add_environment(struct strv *out)
{
    for (char **e = environ; *e; e++)
        if (!str_starts(*e, "GIT_DIR=") && !str_starts(*e, "GIT_TERMINAL_PROMPT="))
            strv_add(out, *e);
    strv_add(out, "GIT_TERMINAL_PROMPT=0");
}

static bool from_helpers(struct secret *out, struct credentials *c, const struct repo_url *asked)
{
    static const char *const argv[] = { "git", "credential", "fill", NULL };
    auto_str struct str input = STR_INIT;
    auto_strv struct strv env = STRV_INIT;
    struct child_result result;
    const char *path = asked->path + strspn(asked->path, "/");
    str_addf(&input, "protocol=%.*s\nhost=%s%s%s\npath=%s\n", (int)strcspn(asked->url, ":"),
             asked->url, asked->host, *asked->port ? ":" : "", asked->port, path);
    if (c->url->user)
        str_addf(&input, "username=%s\n", c->url->user);
    str_add(&input, "\n");
    add_environment(&env);
    struct child_options opt = { .argv = argv,
                                 .env = (const char *const *)env.items,
                                 .cwd = "/",
                                 .input = input.buf,
                                 .input_len = input.len,
                                 .output_max = HELPER_OUTPUT_MAX,
                                 .timeout_ms = HELPER_MS };
    if (child_run(&result, c->worker->loop, &opt, NULL) < 0)
        return false;
    if (result.status == 0)
        *out = (struct secret){ value_of(result.out.buf, "username"),
                                value_of(result.out.buf, "password") };
    wipe(result.out.buf, result.out.len);
    str_clear(&result.out);
    str_clear(&result.err);
    if (out->user && out->password)
        return true;
    secret_clear(out);
    return false;
}

/* --- netrc --- */

/* The next word; quotes keep spaces. False at the end. */
static bool next_word(struct str *out, const char **text)
{
    const char *p = *text + strspn(*text, " \t\r\n");
    str_truncate(out, 0);
    if (!*p)
        return false;
    bool quoted = *p == '"';
    p += quoted;
    for (; *p && !(quoted ? *p == '"' : strchr(" \t\r\n", *p) != NULL); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        str_addc(out, *p);
    }
    *text = p + (quoted && *p);
    return true;
}

bool netrc_find(char **out_user, char **out_password, const char *text, const char *host)
{
    auto_str struct str word = STR_INIT;
    struct secret found = { 0 };
    bool ours = false;
    while (next_word(&word, &text)) {
        bool machine = str_eq(word.buf, "machine");
        if (machine || str_eq(word.buf, "default")) {
            if (ours && found.password)
                break;
            secret_clear(&found);
            ours = !machine || (next_word(&word, &text) && strcasecmp(word.buf, host) == 0);
        } else if (str_eq(word.buf, "macdef")) {
            const char *end = strstr(text, "\n\n");
            text = end ? end : text + strlen(text);
        } else {
            char **slot = str_eq(word.buf, "login")      ? &found.user
                          : str_eq(word.buf, "password") ? &found.password
                                                         : NULL;
            if (!next_word(&word, &text))
                break;
            if (ours && slot && !*slot)
                *slot = xstrdup(word.buf);
        }
    }
    if (word.len)
        wipe(word.buf, word.len);
    if (!ours || !found.password) {
        secret_clear(&found);
        return false;
    }
    *out_user = found.user ? found.user : xstrdup("");
    *out_password = found.password;
    return true;
}

static bool from_netrc(struct secret *out, const struct repo_url *asked)
{
    const char *named = getenv("NETRC");
    auto_free char *path = named && *named ? xstrdup(named) : path_expand_home("~/.netrc");
    auto_free char *text = NULL;
    size_t n;
    if (!file_exists(path) || file_read(&text, &n, path, NETRC_MAX, NULL) < 0)
        return false;
    bool found = netrc_find(&out->user, &out->password, text, asked->host);
    wipe(text, n);
    return found;
}

int credentials_get(git_credential **out, const char *url, const char *user, unsigned types,
                    struct credentials *c)
{
    const struct libgit2 *g = c->worker->g;
    auto_(secret_clear) struct secret s = { 0 };
    auto_repo_url struct repo_url asked = { 0 };
    (void)user;
    if (!(types & GIT_CREDENTIAL_USERPASS_PLAINTEXT) ||
        repo_url_parse(&asked, url, NULL, NULL) < 0 || asked.kind != REPO_HTTP) {
        g->git_error_set_str(GIT_ERROR_HTTP, "the server asks for what is not a password");
        return GIT_EAUTH;
    }
    bool found = false;
    while (!found && c->next < 3) {
        int which = c->next++;
        found = which == 0   ? from_url(&s, c, &asked)
                : which == 1 ? from_helpers(&s, c, &asked)
                             : from_netrc(&s, &asked);
    }
    if (!found) {
        g->git_error_set_str(GIT_ERROR_HTTP, c->given ? "the server refuses the password"
                                                      : "the server asks for a password");
        return GIT_EAUTH;
    }
    c->given = true;
    return g->git_credential_userpass_plaintext_new(out, s.user, s.password);
}
