/* Asking for a digest, with the credentials of the docker CLI. */
#include "cli/registry.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/requests.h"
#include "registry/auth.h"

int registry_digest(char **out, struct cli *cli, const char *ref, struct error *err)
{
    char *auth = NULL;
    auto_json json_t *answer = NULL;
    struct engine_request rq;
    if (cli_engine(cli, err) < 0 || registry_auth(&auth, cli_loop(cli), ref, err) < 0)
        return -1;
    rq_distribution(&rq, ref, auth);
    if (auth)
        wipe(auth, strlen(auth));
    free(auth);
    if (engine_do(&answer, cli->engine, &rq, err) < 0)
        return error_wrap(err, "digest of '%s'", ref);
    const char *digest = json_str(answer, "Descriptor.digest");
    if (!digest)
        return error_set(err, ERR_PROTOCOL, 0, "the registry names no digest of '%s'", ref);
    *out = xstrdup(digest);
    return 0;
}
