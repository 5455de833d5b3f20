/*
 * Image references by the rules of the registry world: what stands before the first '/' is a host
 * when it looks like one ('.', ':', capitals, or "localhost"), names without a host are Docker
 * Hub's, and of those the single-word ones are in "library/".
 */
#include "text/imageref.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define PATH_MAX_LEN 255
#define TAG_MAX_LEN 128
#define IDENTIFIER_LEN 64

static const char digits[] = "0123456789";
static const char lower_hex[] = "0123456789abcdef";
static const char lower_alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static const char hub[] = "docker.io";
static const char library[] = "library/";

static const struct {
    const char *prefix;
    size_t hex_len;
} algorithms[] = { { "sha256:", 64 }, { "sha384:", 96 }, { "sha512:", 128 } };

static int invalid(struct error *err, const char *text, const char *rule)
{
    return error_set(err, ERR_INPUT, 0, "image reference '%s' is not valid: %s", text, rule);
}

static bool all_of(const char *s, const char *set)
{
    return !s[strspn(s, set)];
}

static bool has_upper(const char *s)
{
    return s[strcspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

/* Letters, digits and inner '-', in parts between dots; or an IPv6 address in brackets. */
static bool is_host(const char *s, size_t len)
{
    if (len > 2 && s[0] == '[' && s[len - 1] == ']')
        return strspn(s + 1, "0123456789abcdefABCDEF:") == len - 2;
    for (size_t i = 0; i < len; i++) {
        bool inner = i > 0 && i + 1 < len;
        if (memchr(alnum, s[i], sizeof(alnum) - 1))
            continue;
        if (!inner || (s[i] != '-' && s[i] != '.'))
            return false;
        /* A part neither starts nor ends with '-', and is not empty. */
        if (s[i] == '.' ? s[i - 1] == '.' || s[i - 1] == '-' : s[i - 1] == '.')
            return false;
    }
    return len > 0;
}

static bool is_domain(const char *s)
{
    const char *bracket = strrchr(s, ']');
    const char *port = strchr(bracket ? bracket : s, ':');

    if (port && (!port[1] || !all_of(port + 1, digits)))
        return false;
    return is_host(s, port ? (size_t)(port - s) : strlen(s));
}

/* Parts between slashes: a-z and 0-9, between them one '.', one or two '_', or some '-'. */
static bool is_path(const char *s)
{
    for (;;) {
        size_t n = strspn(s, lower_alnum);

        if (n == 0)
            return false;
        s += n;
        if (!*s)
            return true;
        if (*s == '/' || *s == '.')
            s++;
        else if (*s == '_')
            s += s[1] == '_' ? 2 : 1;
        else if (*s == '-')
            s += strspn(s, "-");
        else
            return false;
    }
}

static bool is_tag(const char *s)
{
    bool starts_well = *s && (memchr(alnum, *s, sizeof(alnum) - 1) || *s == '_');

    if (!starts_well || strlen(s) > TAG_MAX_LEN)
        return false;
    for (; *s; s++)
        if (!memchr(alnum, *s, sizeof(alnum) - 1) && !strchr("_.-", *s))
            return false;
    return true;
}

static bool is_digest(const char *s)
{
    for (size_t i = 0; i < countof(algorithms); i++)
        if (str_starts(s, algorithms[i].prefix)) {
            s += strlen(algorithms[i].prefix);
            return strlen(s) == algorithms[i].hex_len && all_of(s, lower_hex);
        }
    return false;
}

/* The length of the host before the first '/', where there is one; else 0. */
static size_t host_len(const char *name)
{
    size_t n = strcspn(name, "/");
    bool is_localhost = n == strlen("localhost") && str_starts(name, "localhost");
    bool has_sign = strcspn(name, ".:ABCDEFGHIJKLMNOPQRSTUVWXYZ") < n;

    return name[n] && (is_localhost || has_sign) ? n : 0;
}

/* Cuts the name into domain and path, with the Hub's defaults. */
static void split_domain(struct imageref *r, struct arena *a, const char *name)
{
    size_t n = host_len(name);

    r->domain = n ? arena_strndup(a, name, n) : hub;
    r->path = n ? name + n + 1 : name;
    if (strcmp(r->domain, "index.docker.io") == 0)
        r->domain = hub;
    if (strcmp(r->domain, hub) == 0 && !strchr(r->path, '/'))
        r->path = arena_printf(a, "%s%s", library, r->path);
}

static const char *familiar_name(const struct imageref *r, struct arena *a)
{
    /* Some paths on the Hub would read as another host's without it. */
    if (strcmp(r->domain, hub) != 0 || host_len(r->path))
        return arena_printf(a, "%s/%s", r->domain, r->path);
    if (str_starts(r->path, library) && !strchr(r->path + strlen(library), '/'))
        return r->path + strlen(library);
    return r->path;
}

/* The last ':' after the last '/', behind which the tag stands. */
static char *find_tag(char *name)
{
    char *slash = strrchr(name, '/');

    return strchr(slash ? slash : name, ':');
}

bool imageref_is_id(const char *text)
{
    const char *id = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;

    return strlen(id) == IDENTIFIER_LEN && all_of(id, lower_hex);
}

int imageref_parse(struct imageref *out, struct arena *a, const char *text, struct error *err)
{
    struct imageref r = { 0 };
    char *name = arena_strdup(a, text);
    char *at = strchr(name, '@');
    char *colon;

    if (!*text)
        return error_set(err, ERR_INPUT, 0, "image reference is empty");
    if (strlen(text) == IDENTIFIER_LEN && all_of(text, lower_hex))
        return invalid(err, text, "64 hexadecimal digits are an image ID, not a name");
    if (at) {
        *at = '\0';
        r.digest = at + 1;
    }
    colon = find_tag(name);
    if (colon) {
        *colon = '\0';
        r.tag = colon + 1;
    }
    split_domain(&r, a, name);

    if (!is_domain(r.domain))
        return invalid(err, text, "what stands before the first '/' is no host name");
    if (has_upper(r.path))
        return invalid(err, text, "the repository name must be lowercase");
    if (!is_path(r.path))
        return invalid(err, text,
                       "parts of the repository name take a-z, 0-9 and between them '.', '_', "
                       "'__' or '-'");
    if (strlen(r.path) > PATH_MAX_LEN)
        return invalid(err, text, "the repository name is longer than 255 characters");
    if (r.tag && !is_tag(r.tag))
        return invalid(err, text,
                       "a tag takes up to 128 letters, digits, '_', '.' and '-', and does not "
                       "start with '.' or '-'");
    if (r.digest && !is_digest(r.digest))
        return invalid(err, text,
                       "a digest is sha256:, sha384: or sha512: and its 64, 96 or 128 lowercase "
                       "hexadecimal digits");

    r.name = familiar_name(&r, a);
    if (!r.tag && !r.digest)
        r.tag = "latest";
    r.familiar = arena_printf(a, "%s%s%s%s%s", r.name, r.tag ? ":" : "", r.tag ? r.tag : "",
                              r.digest ? "@" : "", r.digest ? r.digest : "");
    *out = r;
    return 0;
}
