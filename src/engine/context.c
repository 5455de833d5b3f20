/* Where the engine is. */
#include "engine/context.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/*
 * Measured with docker's own CLI, against what its reference says: $DOCKER_HOST wins over
 * $DOCKER_CONTEXT, and giving both options is an error. The context "default" is $DOCKER_HOST or
 * the default socket; it has no entry in the store.
 */

#define DEFAULT_SOCKET "/var/run/docker.sock"

void engine_endpoint_clear(struct engine_endpoint *ep)
{
    free(ep->host);
    free(ep->context);
    free(ep->why);
    free(ep->ca_file);
    free(ep->cert_file);
    free(ep->key_file);
    *ep = (struct engine_endpoint){ 0 };
}

/* The variable's value, or NULL where it is not set or empty. */
static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static char *config_dir(void)
{
    const char *dir = env("DOCKER_CONFIG");
    return dir ? path_clean(dir) : path_expand_home("~/.docker");
}

/* --- hosts --- */

static bool is_this_machine(const char *host, size_t len)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < countof(names); i++)
        if (strlen(names[i]) == len && strncasecmp(host, names[i], len) == 0)
            return true;
    return false;
}

/* Whether all of it is ASCII letters, digits and bytes of `others`. */
static bool made_of(const char *text, size_t len, const char *others)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && (!text[i] || !strchr(others, text[i])))
            return false;
    return true;
}

/* Cuts "host[:port]": the length of the host's name, and where the port begins or NULL. */
static size_t cut_port(const char *authority, size_t len, const char **port)
{
    size_t name = len;
    for (size_t i = 0; i < len; i++) {
        if (authority[i] == ']')
            name = len; /* colons so far were part of an IPv6 address */
        else if (authority[i] == ':')
            name = i;
    }
    *port = name + 1 < len ? authority + name + 1 : NULL;
    return name;
}

#define PATH_BYTES "/-._~%+@:,="

/* "host[:port][/path]" after "tcp://". */
static int parse_tcp(struct engine_endpoint *out, const char *text, const char *address,
                     struct error *err)
{
    const char *port;
    size_t authority = strcspn(address, "/");
    size_t name = cut_port(address, authority, &port);
    const char *path = address + authority;
    size_t path_len = strlen(path);
    if (!made_of(address, authority, ".-_:[]") || !made_of(path, path_len, PATH_BYTES))
        return error_set(err, ERR_INPUT, 0, "the engine's address '%s' is not a valid one", text);
    if (name == 0)
        return error_set(err, ERR_INPUT, 0, "the engine's address '%s' names no host", text);
    while (path_len > 0 && path[path_len - 1] == '/')
        path_len--;
    int port_len = port ? (int)(address + authority - port) : 4;
    if (!port)
        port = out->tls ? "2376" : "2375";
    out->host =
        xasprintf("tcp://%.*s:%.*s%.*s", (int)name, address, port_len, port, (int)path_len, path);
    out->local = is_this_machine(address, name);
    return 0;
}

/* "[user@]host[:port][/socket]" after "ssh://". All of it but the socket becomes arguments of ssh,
 * and must not look like options. */
static int parse_ssh(struct engine_endpoint *out, const char *text, const char *address,
                     struct error *err)
{
    size_t authority = strcspn(address, "/");
    const char *path = address + authority;
    const char *at = NULL; /* the last one */
    for (const char *p = address; p < path; p++)
        if (*p == '@')
            at = p;
    size_t user = at ? (size_t)(at - address) : 0;
    const char *host = at ? at + 1 : address;
    size_t host_len = authority - (size_t)(host - address);
    if (memchr(address, ':', user)) {
        error_set(err, ERR_INPUT, 0, "the engine's ssh:// address holds a password");
        return error_hint(err, "use a key, or ssh-agent");
    }
    if (host_len == 0 || *host == ':')
        return error_set(err, ERR_INPUT, 0, "the engine's address '%s' names no host", text);
    if (!made_of(address, user, "._-+@") || !made_of(host, host_len, ".-_:[]") ||
        !made_of(path, strlen(path), PATH_BYTES) || *address == '-' || *host == '-')
        return error_set(err, ERR_INPUT, 0, "the engine's address '%s' is not a valid one", text);
    out->host = xstrdup(text);
    out->local = false;
    return 0;
}

int context_parse_host(struct engine_endpoint *out, const char *text, struct error *err)
{
    const char *sep = strstr(text, "://");
    const char *rest = sep ? sep + strlen("://") : text;
    if (!sep || str_starts(text, "tcp://"))
        return parse_tcp(out, text, rest, err);
    if (str_starts(text, "ssh://"))
        return parse_ssh(out, text, rest, err);
    if (str_starts(text, "unix://")) {
        if (*rest != '/')
            return error_set(err, ERR_INPUT, 0, "the engine's address '%s' needs an absolute path",
                             text);
        out->host = xstrdup(text);
        out->local = true;
        return 0;
    }
    if (str_starts(text, "http://") || str_starts(text, "https://")) {
        out->tls = out->tls || str_starts(text, "https://");
        return parse_tcp(out, text, rest, err);
    }
    error_set(err, ERR_INPUT, 0, "the engine's address '%s' is of a kind that stack does not speak",
              text);
    return error_hint(err, "unix:///path, tcp://host:port and ssh://user@host work");
}

/* --- TLS --- */

/* dir/name where it exists, else NULL. */
static char *existing(const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    return file_exists(path) ? take(path) : NULL;
}

static bool find_tls_files(struct engine_endpoint *out, const char *dir)
{
    out->ca_file = existing(dir, "ca.pem");
    out->cert_file = existing(dir, "cert.pem");
    out->key_file = existing(dir, "key.pem");
    return out->ca_file || out->cert_file || out->key_file;
}

/* What DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH say; for tcp:// only. */
static void tls_from_env(struct engine_endpoint *out, const char *host)
{
    bool verify = env("DOCKER_TLS_VERIFY");
    if ((!verify && !env("DOCKER_TLS")) || str_starts(host, "unix:") || str_starts(host, "ssh:"))
        return;
    auto_free char *dir = env("DOCKER_CERT_PATH") ? xstrdup(env("DOCKER_CERT_PATH")) : config_dir();
    out->tls = true;
    out->skip_verify = !verify;
    find_tls_files(out, dir);
}

/* --- the context store --- */

int context_parse_meta(struct engine_endpoint *out, const char *text, size_t len, struct error *err)
{
    auto_json json_t *meta = json_parse(text, len, "it", err);
    if (!meta) {
        if (err)
            err->kind = ERR_INPUT;
        return -1;
    }
    const char *host = json_str(meta, "Endpoints.docker.Host");
    if (!host || !*host)
        return error_set(err, ERR_INPUT, 0, "it has no Endpoints.docker.Host");
    out->skip_verify = json_bool(meta, "Endpoints.docker.SkipTLSVerify", false);
    out->tls = out->tls || out->skip_verify;
    return context_parse_host(out, host, err);
}

static int from_store(struct engine_endpoint *out, const char *name, struct error *err)
{
    char id[DIGEST_HEX_LEN + 1];
    digest_hex(id, name, strlen(name));
    auto_free char *dir = config_dir();
    auto_free char *path = xasprintf("%s/contexts/meta/%s/meta.json", dir, id);
    auto_free char *tls = xasprintf("%s/contexts/tls/%s/docker", dir, id);
    if (!file_exists(path)) {
        error_set(err, ERR_NOTFOUND, 0, "there is no context '%s'", name);
        return error_hint(err, "`docker context ls` lists those that exist");
    }
    auto_free char *text = NULL;
    size_t len;
    if (file_read(&text, &len, path, CONTEXT_MAX_FILE, err))
        return error_wrap(err, "context '%s'", name);
    out->tls = find_tls_files(out, tls);
    if (context_parse_meta(out, text, len, err))
        return error_wrap(err, "context '%s': '%s'", name, path);
    if (!str_starts(out->host, "tcp:"))
        out->tls = false;
    return 0;
}

char *context_config_path(void)
{
    auto_free char *dir = config_dir();
    return path_join(dir, "config.json");
}

/* "currentContext" of config.json, NULL where there is none; owned. */
static int current_context(char **out, struct error *err)
{
    auto_free char *path = context_config_path();
    *out = NULL;
    if (!file_exists(path))
        return 0;
    auto_free char *text = NULL;
    size_t len;
    if (file_read(&text, &len, path, CONTEXT_MAX_FILE, err))
        return -1;
    auto_json json_t *config = json_parse(text, len, path, err);
    if (!config)
        return error_hint(err, "repair that file, or name the engine with -H or DOCKER_HOST");
    const char *name = json_str(config, "currentContext");
    if (name && *name)
        *out = xstrdup(name);
    return 0;
}

/* --- the default --- */

static const char *const known_places[] = {
    DEFAULT_SOCKET,
    "~/.docker/run/docker.sock", /* Docker Desktop */
    "~/.docker/desktop/docker.sock",
    "~/.orbstack/run/docker.sock",
    "~/.rd/docker.sock", /* Rancher Desktop */
    "~/.colima/default/docker.sock",
    "~/.lima/default/sock/docker.sock",
    "$XDG_RUNTIME_DIR/docker.sock", /* rootless */
    "$XDG_RUNTIME_DIR/podman/podman.sock",
    "/run/podman/podman.sock",
    "~/.local/share/containers/podman/machine/podman.sock",
};

void context_places(struct strv *out)
{
    const char *runtime = env("XDG_RUNTIME_DIR");
    for (size_t i = 0; i < countof(known_places); i++) {
        const char *place = known_places[i];
        if (*place != '$')
            strv_take(out, path_expand_home(place));
        else if (runtime)
            strv_addf(out, "%s%s", runtime, strchr(place, '/'));
    }
}

char *engine_places(void)
{
    auto_strv struct strv shown = STRV_INIT;
    for (size_t i = 0; i < countof(known_places); i++)
        if (*known_places[i] != '$' || env("XDG_RUNTIME_DIR"))
            strv_add(&shown, known_places[i]);
    return strv_join(&shown, ", ");
}

const char *context_first_socket(const struct strv *places)
{
    strv_each (it, places) {
        struct stat st;
        if (stat(*it, &st) == 0 && S_ISSOCK(st.st_mode))
            return *it;
    }
    return NULL;
}

static int from_env_or_default(struct engine_endpoint *out, struct error *err)
{
    const char *host = env("DOCKER_HOST");
    if (host) {
        out->why = xstrdup("DOCKER_HOST");
        tls_from_env(out, host);
        return context_parse_host(out, host, err);
    }
    auto_strv struct strv places = STRV_INIT;
    context_places(&places);
    const char *found = context_first_socket(&places);
    if (found && !str_eq(found, DEFAULT_SOCKET))
        out->why = xasprintf("the first socket found, as " DEFAULT_SOCKET " does not exist");
    else
        out->why = xstrdup("the default");
    out->host = xasprintf("unix://%s", found ? found : DEFAULT_SOCKET);
    out->local = true;
    return 0;
}

static int from_context(struct engine_endpoint *out, const char *name, const char *source,
                        struct error *err)
{
    if (str_eq(name, "default"))
        return from_env_or_default(out, err);
    free(out->context);
    out->context = xstrdup(name);
    out->why = xasprintf("context '%s' in %s", name, source);
    return from_store(out, name, err);
}

static int choose(struct engine_endpoint *out, const struct engine_options *opt, struct error *err)
{
    if (opt && opt->context && opt->host)
        return error_set(err, ERR_USAGE, 0,
                         "both a context and a host are given: name one of them");
    out->context = xstrdup("default");
    if (opt && opt->context)
        return from_context(out, opt->context, "--context", err);
    if (opt && opt->host) {
        out->why = xstrdup("-H");
        tls_from_env(out, opt->host);
        return context_parse_host(out, opt->host, err);
    }
    if (env("DOCKER_HOST"))
        return from_env_or_default(out, err);
    if (env("DOCKER_CONTEXT"))
        return from_context(out, env("DOCKER_CONTEXT"), "DOCKER_CONTEXT", err);

    auto_free char *name = NULL;
    if (current_context(&name, err))
        return -1;
    if (!name)
        return from_env_or_default(out, err);
    const char *dir = env("DOCKER_CONFIG");
    auto_free char *source = xasprintf("%s/config.json", dir ? dir : "~/.docker");
    return from_context(out, name, source, err);
}

int engine_find(struct engine_endpoint *out, const struct engine_options *opt, struct error *err)
{
    struct engine_endpoint found = { 0 };
    if (choose(&found, opt, err)) {
        engine_endpoint_clear(&found);
        return -1;
    }
    *out = found;
    return 0;
}
