/* What the engine may ask us for during one build. */
#include "build/services.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "session/agents.h"
#include "session/logins.h"
#include "session/secrets.h"
#include "session/session.h"

struct services {
    struct services_handlers hd;
    bool open;
    struct session *session;
    struct secrets *secrets;
    struct agents *agents;
    struct logins *logins;
    struct filesync *files; /* or NULL */
};

static const struct node *config(const struct recipe *r, const char *key)
{
    return node_get(r->image->config, key);
}

static bool has_items(const struct node *n)
{
    return n && n->len > 0;
}

/* Whether the engine may pull by itself: what it brings in is not known here, or not looked up. */
static bool pulls_by_itself(const struct recipe *r)
{
    if (r->image->remote_context || r->dockerfile.syntax)
        return true;
    for (size_t i = 0; i < r->dockerfile.nuses; i++)
        if (recipe_uses(r, i) && r->sources[i].base && !recipe_observable(r, i))
            return true;
    return false;
}

enum services_need services_need(const struct recipe *r, const struct build_options *opt)
{
    if (r->dockerfile.session_mounts || has_items(config(r, "secrets")) ||
        has_items(config(r, "ssh")) || has_items(opt->ssh))
        return SERVICES_NEEDED;
    return pulls_by_itself(r) ? SERVICES_WISHED : SERVICES_NOT;
}

/* Secrets. */

static const struct file_object *secret_named(const struct stack *st, const char *key)
{
    for (size_t i = 0; key && i < st->nsecrets; i++)
        if (strcmp(st->secrets[i].key, key) == 0)
            return &st->secrets[i];
    return NULL;
}

static int add_secret(struct secrets *s, const struct stack *st, const struct node *use,
                      struct error *err)
{
    const char *key = node_text_at(use, "source");
    const char *target = node_text_at(use, "target");
    const struct file_object *object = secret_named(st, key);
    if (!object) /* the loader has said so */
        return 0;
    const char *id = target && *target ? target : key;
    if (object->file)
        return secrets_add_file(s, id, object->file, err);
    if (object->content)
        return secrets_add_value(s, id, object->content, err);
    if (object->environment)
        return error_set(err, ERR_INPUT, 0, "build.secrets: the variable '%s' of '%s' is not set",
                         object->environment, key);
    return error_set(err, ERR_INPUT, 0,
                     "build.secrets: '%s' has no 'file' and no 'environment' to take it from", key);
}

static int add_secrets(struct services *s, const struct recipe *r, struct error *err)
{
    const struct node *uses = config(r, "secrets");
    s->secrets = secrets_new();
    node_each (i, uses)
        if (add_secret(s->secrets, r->stack, uses->items[i], err) < 0)
            return -1;
    session_serve(s->session, &secrets_get, s->secrets);
    return 0;
}

/* SSH agents. */

static int add_agents_of(struct agents *a, const struct node *map, struct error *err)
{
    node_each (i, map) {
        const char *socket = node_text(map->items[i]);
        if (agents_add(a, map->keys[i], socket && *socket ? socket : NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int add_agents(struct services *s, struct engine *e, const struct recipe *r,
                      const struct build_options *opt, struct error *err)
{
    s->agents = agents_new(engine_loop(e));
    agents_attach(s->agents, s->session);
    if (add_agents_of(s->agents, config(r, "ssh"), err) < 0 ||
        add_agents_of(s->agents, opt->ssh, err) < 0)
        return -1;
    session_serve(s->session, &agents_check, s->agents);
    session_serve(s->session, &agents_forward, s->agents);
    return 0;
}

/* The session. */

/* The same for every build of the folder by this user on this machine, and of no other folder:
 * what the engine keeps under it is compared with what is there. */
static char *shared_key(const char *root)
{
    char host[256] = "", hex[DIGEST_HEX_LEN + 1];
    gethostname(host, sizeof(host) - 1);
    struct digest *d = digest_new();
    digest_add_str(d, "stack");
    digest_add_str(d, host);
    digest_add_str(d, root);
    digest_end(d, hex);
    return xstrdup(hex);
}

static void on_open(void *ctx)
{
    struct services *s = ctx;
    s->open = true;
    s->hd.open(s->hd.ctx);
}

static void on_closed(void *ctx, const struct error *err)
{
    struct services *s = ctx;
    auto_error struct error problem = ERROR_INIT;
    if (err)
        error_copy(&problem, err);
    else
        error_set(&problem, ERR_NETWORK, 0, "the engine closed it");
    error_wrap(&problem,
               s->open ? "the session of the build broke off" : "open a session for the build");
    s->hd.failed(s->hd.ctx, &problem);
}

int services_start(struct services **out, struct engine *e, const struct recipe *r,
                   const struct build_options *opt, const struct filesync_input *files,
                   const struct services_handlers *hd, struct error *err)
{
    struct services *s = xnew(struct services);
    const struct session_handlers session_hd = { on_open, on_closed, s };
    auto_free char *key = files ? shared_key(files->root) : NULL;
    s->hd = *hd;
    if (session_new(&s->session, e, key, &session_hd, err) < 0 || add_secrets(s, r, err) < 0 ||
        add_agents(s, e, r, opt, err) < 0) {
        services_close(s, NULL, NULL);
        return -1;
    }
    if (files) {
        s->files = filesync_new(engine_loop(e), files);
        filesync_attach(s->files, s->session);
        session_serve(s->session, &filesync_diff_copy, s->files);
    }
    s->logins = logins_new(engine_loop(e));
    logins_attach(s->logins, s->session);
    session_serve(s->session, &logins_credentials, s->logins);
    session_start(s->session);
    *out = take(s);
    return 0;
}

const char *services_session(const struct services *s)
{
    return session_id(s->session);
}

const struct error *services_error(const struct services *s)
{
    return s->files ? filesync_error(s->files) : NULL;
}

void services_close(struct services *s, void (*gone)(void *ctx), void *ctx)
{
    if (!s)
        return;
    session_close(s->session);
    secrets_free(s->secrets);
    agents_free(s->agents);
    logins_free(s->logins);
    if (s->files)
        filesync_free(s->files, gone, ctx);
    else if (gone)
        gone(ctx);
    free(s);
}
