/* Deliveries of forges: the formats, and reading them. */
#include "server/deliver.h"

#include <ctype.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"

/*
 * The first of a format's proofs whose header is there decides: a wrong new one is not rescued by a
 * good old one. A header that came twice proves nothing, since others may look at the other one.
 */
enum proof_kind { PROOF_NONE, PROOF_HEX, PROOF_TOKEN, PROOF_STANDARD };

struct proof {
    enum proof_kind kind;
    const char *header;
    const char *prefix; /* HEX: before the digits */
};

struct format {
    const char *name;
    const char *event_header; /* NULL: none; the last row */
    struct proof proofs[2];
    const char *id_headers[3];
    const char *push_events[2];
    bool form;               /* may come as a form with a field `payload` */
    bool form_signs_payload; /* the proof is over that field's value, not over the form */
};

/* Ordered: Forgejo sends Gitea's headers too, and both send GitHub's. */
static const struct format formats[] = {
    {
        .name = "forgejo",
        .event_header = "x-forgejo-event",
        .proofs = { { PROOF_HEX, "x-forgejo-signature", "" },
                    { PROOF_HEX, "x-gitea-signature", "" } },
        .id_headers = { "x-forgejo-delivery", "x-gitea-delivery" },
        .push_events = { "push" },
        .form = true,
        .form_signs_payload = true,
    },
    {
        .name = "gitea",
        .event_header = "x-gitea-event",
        .proofs = { { PROOF_HEX, "x-gitea-signature", "" } },
        .id_headers = { "x-gitea-delivery" },
        .push_events = { "push" },
        .form = true,
        .form_signs_payload = true,
    },
    {
        .name = "github",
        .event_header = "x-github-event",
        .proofs = { { PROOF_HEX, "x-hub-signature-256", "sha256=" } },
        .id_headers = { "x-github-delivery" },
        .push_events = { "push" },
        .form = true,
    },
    {
        .name = "gitlab",
        .event_header = "x-gitlab-event",
        .proofs = { { PROOF_STANDARD, "webhook-signature", NULL },
                    { PROOF_TOKEN, "x-gitlab-token", NULL } },
        .id_headers = { "webhook-id", "idempotency-key", "x-gitlab-event-uuid" },
        .push_events = { "Push Hook", "Tag Push Hook" },
    },
    {
        .name = "generic",
        .proofs = { { PROOF_STANDARD, "webhook-signature", NULL },
                    { PROOF_HEX, "x-stack-signature-256", "sha256=" } },
        .id_headers = { "webhook-id" },
    },
};

const char *const deliver_names[] = { "github", "gitlab", "gitea", "forgejo", "generic", NULL };

enum {
    ID_MAX = 100,  /* longer ones are kept as their digest */
    REF_MAX = 255, /* the name of a file in most repositories */
    URL_MAX = 2048,
};

static const struct format *find_format(const struct request *rq, const char *forge)
{
    for (size_t i = 0; i < countof(formats); i++) {
        const struct format *f = &formats[i];
        if (forge && !str_eq(f->name, forge))
            continue;
        if (!f->event_header || request_header_count(rq, f->event_header) == 1)
            return f;
    }
    return NULL;
}

static const struct proof *find_proof(const struct request *rq, const struct format *f)
{
    for (size_t i = 0; f && i < countof(f->proofs) && f->proofs[i].kind; i++) {
        size_t n = request_header_count(rq, f->proofs[i].header);
        if (n)
            return n == 1 && *request_header(rq, f->proofs[i].header) ? &f->proofs[i] : NULL;
    }
    return NULL;
}

bool deliver_promising(const struct request *rq, const char *forge)
{
    return find_proof(rq, find_format(rq, forge)) != NULL;
}

static bool proven(const struct request *rq, const struct proof *p, const struct secret *key,
                   const char *body, size_t len, int64_t now_s)
{
    const char *given = request_header(rq, p->header);
    switch (p->kind) {
    case PROOF_HEX:
        return signature_hex(given, p->prefix, key, body, len);
    case PROOF_TOKEN:
        return signature_token(given, key);
    case PROOF_STANDARD:
        return request_header_count(rq, "webhook-id") == 1 &&
               request_header_count(rq, "webhook-timestamp") == 1 &&
               signature_standard(given, request_header(rq, "webhook-id"),
                                  request_header(rq, "webhook-timestamp"), key, body, len, now_s);
    case PROOF_NONE:
        break;
    }
    return false;
}

/* --- forms --- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends the value of the field `payload`; false when there is none, or a broken escape. */
static bool form_payload(struct str *out, const char *form, size_t len)
{
    const char name[] = "payload=";
    const char *at = form, *end = form + len;
    while (at < end && strncmp(at, name, strlen(name)) != 0) {
        at = memchr(at, '&', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    if (at >= end)
        return false;
    for (at += strlen(name); at < end && *at != '&'; at++) {
        char c = *at == '+' ? ' ' : *at;
        if (c == '%') {
            int high = end - at > 2 ? hex_value(at[1]) : -1;
            int low = end - at > 2 ? hex_value(at[2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        }
        str_addc(out, c);
    }
    return true;
}

static bool is_form(const struct request *rq)
{
    const char *type = request_header(rq, "content-type");
    return type && str_starts(type, "application/x-www-form-urlencoded");
}

/* --- what is in them --- */

bool deliver_commit_valid(const char *commit)
{
    size_t n = commit ? strspn(commit, "0123456789abcdef") : 0;
    return (n == 40 || n == 64) && !commit[n];
}

/* git check-ref-format(1), and nothing that could be taken for an option. */
bool deliver_ref_valid(const char *ref)
{
    if (!ref || strlen(ref) > REF_MAX)
        return false;
    const char *name = str_starts(ref, "refs/heads/")  ? ref + strlen("refs/heads/")
                       : str_starts(ref, "refs/tags/") ? ref + strlen("refs/tags/")
                                                       : "";
    if (!*name || *name == '-' || *name == '/' || str_ends(name, "/") || str_ends(name, "."))
        return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("~^:?*[\\", *c))
            return false;
    if (strstr(name, "..") || strstr(name, "//") || strstr(name, "@{") || str_eq(name, "@"))
        return false;
    auto_strv struct strv parts = STRV_INIT;
    strv_split(&parts, name, "/");
    strv_each (part, &parts)
        if (**part == '.' || str_ends(*part, ".lock"))
            return false;
    return true;
}

static char *read_id(const struct request *rq, const struct format *f)
{
    for (size_t i = 0; i < countof(f->id_headers) && f->id_headers[i]; i++) {
        const char *id = request_header(rq, f->id_headers[i]);
        if (!id || !*id)
            continue;
        /* One event goes to every hook of a GitLab project: the hook is part of the name. */
        const char *hook = str_eq(f->id_headers[i], "x-gitlab-event-uuid")
                               ? request_header(rq, "x-gitlab-webhook-uuid")
                               : NULL;
        auto_free char *whole =
            xasprintf("%s:%s%s%s", f->name, id, hook ? ":" : "", hook ? hook : "");
        bool plain = strlen(whole) <= ID_MAX;
        for (const char *c = whole; *c; c++)
            plain = plain && *c > ' ' && *c < 0x7f;
        if (plain)
            return take(whole);
        char hex[DIGEST_HEX_LEN + 1];
        digest_hex(hex, whole, strlen(whole));
        return xasprintf("%s:%s", f->name, hex);
    }
    return NULL;
}

static void read_urls(struct strv *out, const json_t *payload)
{
    static const char *const paths[] = {
        "repository.clone_url",   "repository.ssh_url",      "repository.html_url",
        "project.git_http_url",   "project.git_ssh_url",     "project.web_url",
        "repository.git_ssh_url", "repository.git_http_url", "repository.url",
    };
    for (size_t i = 0; i < countof(paths); i++) {
        const char *url = json_str(payload, paths[i]);
        if (url && strlen(url) <= URL_MAX)
            strv_add(out, url);
    }
}

static bool is_push(const struct request *rq, const struct format *f)
{
    if (!f->event_header)
        return true;
    const char *event = request_header(rq, f->event_header);
    for (size_t i = 0; i < countof(f->push_events); i++)
        if (str_eq(event, f->push_events[i]))
            return true;
    return false;
}

static enum deliver_verdict read_push(struct delivery *d, const json_t *payload)
{
    const char *ref = json_str(payload, "ref");
    const char *after = json_str(payload, "after");
    /* For a tag with a message `after` is the tag; these are the commit. */
    const char *commit = json_str(payload, "checkout_sha");
    if (!commit && ref && str_starts(ref, "refs/tags/"))
        commit = json_str(payload, "head_commit.id");
    if (!commit)
        commit = after;
    read_urls(&d->urls, payload);
    if (ref && !str_starts(ref, "refs/heads/") && !str_starts(ref, "refs/tags/")) {
        d->why = "neither a branch nor a tag";
        return DELIVER_IGNORED;
    }
    if (json_bool(payload, "deleted", false) || (after && *after && !after[strspn(after, "0")])) {
        d->why = "the ref was deleted";
        return DELIVER_IGNORED;
    }
    if (!deliver_ref_valid(ref) || !deliver_commit_valid(commit)) {
        d->why = "ref or commit is missing or malformed";
        return DELIVER_BAD;
    }
    d->ref = xstrdup(ref);
    d->commit = xstrdup(commit);
    return DELIVER_PUSH;
}

enum deliver_verdict deliver_read(struct delivery *out, const struct request *rq, const char *forge,
                                  const struct secret *key, int64_t now_s)
{
    const struct format *f = find_format(rq, forge);
    const struct proof *p = find_proof(rq, f);
    if (!p)
        return DELIVER_REFUSED;

    auto_str struct str payload = STR_INIT_MAX(rq->len);
    bool form = is_form(rq), decoded = form && f->form && form_payload(&payload, rq->body, rq->len);
    const char *text = form ? payload.buf : rq->body;
    size_t len = form ? payload.len : rq->len;
    if (decoded && f->form_signs_payload ? !proven(rq, p, key, text, len, now_s)
                                         : !proven(rq, p, key, rq->body, rq->len, now_s))
        return DELIVER_REFUSED;

    *out = (struct delivery){ .forge = f->name, .id = read_id(rq, f) };
    if (!is_push(rq, f)) {
        out->why = str_eq(request_header(rq, f->event_header), "ping") ? "ping" : "not a push";
        return DELIVER_IGNORED;
    }
    if (form && !decoded) {
        out->why = "a form without a payload";
        return DELIVER_BAD;
    }
    auto_json json_t *json = json_parse(text, len, "payload", NULL);
    if (!json_is_object(json)) {
        out->why = "not a JSON object";
        return DELIVER_BAD;
    }
    if (!f->event_header && str_eq(json_str(json, "event"), "ping")) {
        out->why = "ping";
        return DELIVER_IGNORED;
    }
    return read_push(out, json);
}

void delivery_clear(struct delivery *d)
{
    free(d->id);
    free(d->ref);
    free(d->commit);
    strv_clear(&d->urls);
    *d = (struct delivery){ 0 };
}

/* --- which repository --- */

char *deliver_repository(const char *url)
{
    static const struct {
        const char *scheme, *port;
    } known[] = { { "https://", ":443" },
                  { "http://", ":80" },
                  { "ssh://", ":22" },
                  { "git://", ":9418" },
                  { "file://", "" } };
    const char *rest = url, *port = "";
    bool scheme = false;
    for (size_t i = 0; i < countof(known) && !scheme; i++)
        if (str_starts(url, known[i].scheme)) {
            rest = url + strlen(known[i].scheme);
            port = known[i].port;
            scheme = true;
        }
    size_t host_len = strcspn(rest, scheme ? "/" : "/:");
    const char *at = memchr(rest, '@', host_len);
    if (at) {
        host_len -= (size_t)(at + 1 - rest);
        rest = at + 1;
    }
    /* A path of this machine has no host. */
    bool scp = !scheme && rest[host_len] == ':';
    if (!scheme && !scp)
        host_len = 0;
    auto_str struct str out = STR_INIT;
    for (size_t i = 0; i < host_len; i++)
        str_addc(&out, (char)tolower((unsigned char)rest[i]));
    if (*port && str_ends(out.buf, port))
        str_truncate(&out, out.len - strlen(port));
    size_t slash = out.len;
    rest += host_len + scp;
    rest += strspn(rest, "/");
    str_addf(&out, "/%s", rest);
    while (out.len > slash + 1 && str_ends(out.buf, "/"))
        str_truncate(&out, out.len - 1);
    if (str_ends(out.buf, ".git"))
        str_truncate(&out, out.len - strlen(".git"));
    return str_detach(&out);
}

bool deliver_same_repository(const char *a, const char *b)
{
    auto_free char *x = deliver_repository(a);
    auto_free char *y = deliver_repository(b);
    return str_eq(x, y);
}
