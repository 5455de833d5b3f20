/* The forms in which a repository is named. */
#include "git/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

/*
 * A URL ends up in arguments of ssh, in requests, in names of files: what could be taken for an
 * option, a command or another line is refused here, once. Transports that run programs (ext::),
 * or that nobody protects (git://), do not exist for us.
 */

static const struct {
    const char *prefix;
    enum repo_url_kind kind;
    const char *scheme, *port; /* as it is written from then on; the default port */
} schemes[] = {
    { "https://", REPO_HTTP, "https", "443" }, { "http://", REPO_HTTP, "http", "80" },
    { "ssh://", REPO_SSH, "ssh", "22" },       { "git+ssh://", REPO_SSH, "ssh", "22" },
    { "ssh+git://", REPO_SSH, "ssh", "22" },   { "file://", REPO_LOCAL, "file", "" },
};

static int refuse(struct error *err, const char *why)
{
    /* The text itself is not shown: it may hold a password at an odd place. */
    error_set(err, ERR_INPUT, 0, "this is not a repository that can be used: %s", why);
    return error_hint(err, "https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, "
                           "file:///PATH, or a path");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded; NULL where a control character would come out. */
static char *decode(const char *text, size_t n)
{
    auto_str struct str out = STR_INIT;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)text[i];
        if (c == '%' && i + 2 < n && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            c = hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]);
            i += 2;
        }
        if (c < ' ' || c == 0x7f)
            return NULL;
        str_addc(&out, (char)c);
    }
    return str_detach(&out);
}

static bool has_control(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return true;
    return false;
}

static bool valid_host(const char *host)
{
    bool six = *host == '[';
    size_t n = strlen(host);
    if (!n || n > 253 || *host == '-' || *host == '.' || (six && host[n - 1] != ']'))
        return false;
    for (size_t i = six; i < n - six; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr(six ? ":." : ".-_", host[i]))
            return false;
    return true;
}

static bool valid_port(const char *port)
{
    int64_t n;
    return !*port ||
           (strspn(port, "0123456789") == strlen(port) && num_range(&n, port, 1, 65535) == 0);
}

/* That of ssh is part of an argument; that of http is only sent. */
static bool valid_user(const struct repo_url *u)
{
    for (const char *p = u->user; *p && u->kind == REPO_SSH; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._+=~-", *p))
            return false;
    return *u->user != '-' && (*u->user || u->kind == REPO_HTTP);
}

/* [user[:password]@]host[:port] */
static int read_authority(struct repo_url *u, const char *text, size_t n, struct error *err)
{
    const char *at = NULL;
    for (size_t i = 0; i < n; i++)
        at = text[i] == '@' ? text + i : at;
    if (at) {
        const char *colon = memchr(text, ':', (size_t)(at - text));
        const char *user_end = colon ? colon : at;
        u->user = decode(text, (size_t)(user_end - text));
        if (colon)
            u->password = decode(colon + 1, (size_t)(at - colon - 1));
        if (!u->user || (colon && !u->password))
            return refuse(err, "there is a control character in it");
        n -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    const char *bracket = n && *text == '[' ? memchr(text, ']', n) : NULL;
    const char *from = bracket ? bracket : text;
    const char *colon = memchr(from, ':', n - (size_t)(from - text));
    size_t host_len = colon ? (size_t)(colon - text) : n;
    u->host = xstrndup(text, host_len);
    u->port = colon ? xstrndup(colon + 1, n - host_len - 1) : xstrdup("");
    for (char *p = u->host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (!valid_host(u->host))
        return refuse(err, "the name of its host is not one");
    if (!valid_port(u->port))
        return refuse(err, "its port is not one");
    if (u->user && !valid_user(u))
        return refuse(err, "the name of its user is not one");
    return 0;
}

static int check_path(const struct repo_url *u, struct error *err)
{
    const char *p = u->path + strspn(u->path, "/");
    if (!*p)
        return refuse(err, "it has no path");
    if (*u->path == '-')
        return refuse(err, "its path begins with '-'");
    return 0;
}

/* The path without slashes around it and without ".git". */
static char *bare_path(const char *path)
{
    path += strspn(path, "/");
    size_t n = strlen(path);
    while (n && path[n - 1] == '/')
        n--;
    if (n > 4 && !strncmp(path + n - 4, ".git", 4) && path[n - 5] != '/')
        n -= 4;
    return xstrndup(path, n);
}

static void set_name(struct repo_url *u)
{
    auto_free char *bare = bare_path(u->path);
    char *out = xstrdup(path_base(bare));
    size_t n = 0;
    for (const char *p = out; *p; p++) {
        char c = (char)tolower((unsigned char)*p);
        if (isalnum((unsigned char)c) || (n && strchr("._-", c)))
            out[n++] = c;
    }
    out[n] = 0;
    u->name = out;
}

/* Hosts that serve many people have one user, git, whose home is the root of all repositories;
 * elsewhere a path that starts from a home is another one for each user. */
static void set_remote_key(struct repo_url *u, const char *default_port)
{
    auto_str struct str key = STR_INIT;
    auto_free char *bare = bare_path(u->path);
    bool user = u->kind == REPO_SSH && u->user && strcmp(u->user, "git") != 0;
    bool home = u->kind == REPO_SSH && *u->path != '/' && !str_eq(u->user, "git");
    if (user)
        str_addf(&key, "%s@", u->user);
    str_add(&key, u->host);
    if (*u->port && strcmp(u->port, default_port) != 0)
        str_addf(&key, ":%s", u->port);
    const char *below = home && str_starts(bare, "~/") ? bare + 2 : bare;
    str_addf(&key, "/%s%s", home ? "~/" : "", below);
    u->key = str_detach(&key);
}

static int read_remote(struct repo_url *u, const char *text, const char *scheme,
                       const char *default_port, struct error *err)
{
    size_t n = strcspn(text, "/");
    if (read_authority(u, text, n, err) < 0)
        return -1;
    if (strpbrk(text + n, "?#")) {
        refuse(err, "there is a '?' or '#' in it");
        return error_hint(err, "a branch, tag or commit goes into 'ref:', a folder into 'path:'");
    }
    u->path = decode(text + n, strlen(text + n));
    if (!u->path)
        return refuse(err, "there is a control character in it");
    if (check_path(u, err) < 0)
        return -1;
    bool user = u->user && u->kind == REPO_SSH;
    u->url = xasprintf("%s://%s%s%s%s%s%s", scheme, user ? u->user : "", user ? "@" : "", u->host,
                       *u->port ? ":" : "", u->port, text + n);
    if (u->kind == REPO_SSH && u->path[1] == '~')
        memmove(u->path, u->path + 1, strlen(u->path));
    set_remote_key(u, default_port);
    return 0;
}

/* [user@]host:path, where the colon comes before any slash. */
static const char *scp_colon(const char *text)
{
    size_t host = *text == '[' || strstr(text, "@[") ? strcspn(text, "]/") : 0;
    size_t n = host + strcspn(text + host, ":/");
    return text[n] == ':' && n > 0 ? text + n : NULL;
}

static int read_scp(struct repo_url *u, const char *text, const char *colon, struct error *err)
{
    u->kind = REPO_SSH;
    if (read_authority(u, text, (size_t)(colon - text), err) < 0)
        return -1;
    if (u->password)
        return refuse(err, "the name of its user is not one");
    u->path = xstrdup(colon + 1);
    if (check_path(u, err) < 0)
        return -1;
    u->url = xasprintf("%s%s%s:%s", u->user ? u->user : "", u->user ? "@" : "", u->host, u->path);
    set_remote_key(u, "22");
    return 0;
}

static int read_local(struct repo_url *u, const char *path, const char *base, struct error *err)
{
    auto_free char *home = path_expand_home(path);
    if (!path_is_abs(home) && !base)
        return refuse(err, "it is a path that starts nowhere");
    u->kind = REPO_LOCAL;
    u->host = xstrdup("");
    u->port = xstrdup("");
    u->path = path_join(base ? base : "/", home);
    u->url = xstrdup(u->path);
    u->key = path_real(u->path, NULL);
    if (!u->key)
        u->key = xstrdup(u->path);
    return 0;
}

static int read_file_url(struct repo_url *u, const char *text, struct error *err)
{
    if (str_starts(text, "localhost/"))
        text += strlen("localhost");
    auto_free char *path = decode(text, strlen(text));
    if (*text != '/' || !path)
        return refuse(err, "file:// is followed by an absolute path");
    return read_local(u, path, NULL, err);
}

static int read_any(struct repo_url *u, const char *text, const char *base, struct error *err)
{
    if (!*text)
        return refuse(err, "it is empty");
    if (strlen(text) > REPO_URL_MAX)
        return refuse(err, "it is too long");
    if (has_control(text))
        return refuse(err, "there is a control character in it");
    for (size_t i = 0; i < countof(schemes); i++) {
        size_t n = strlen(schemes[i].prefix);
        if (strncasecmp(text, schemes[i].prefix, n) != 0)
            continue;
        u->kind = schemes[i].kind;
        return u->kind == REPO_LOCAL
                   ? read_file_url(u, text + n, err)
                   : read_remote(u, text + n, schemes[i].scheme, schemes[i].port, err);
    }
    if (strstr(text, "://"))
        return refuse(err, "it is of a kind that is not used here");
    const char *colon = scp_colon(text);
    if (!colon)
        return read_local(u, text, base, err);
    if (colon[1] == ':')
        return refuse(err, "it is of a kind that is not used here");
    return read_scp(u, text, colon, err);
}

int repo_url_parse(struct repo_url *out, const char *text, const char *base, struct error *err)
{
    struct repo_url u = { 0 };
    if (read_any(&u, text, base, err) < 0) {
        repo_url_clear(&u);
        return -1;
    }
    set_name(&u);
    *out = u;
    return 0;
}

bool repo_url_is_remote(const char *text)
{
    return strstr(text, "://") || scp_colon(text);
}

void repo_url_clear(struct repo_url *u)
{
    char *const texts[] = { u->url, u->key, u->name, u->host, u->port, u->path, u->user };
    for (size_t i = 0; i < countof(texts); i++)
        free(texts[i]);
    if (u->password)
        wipe(u->password, strlen(u->password));
    free(u->password);
    *u = (struct repo_url){ 0 };
}
