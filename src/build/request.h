/* POST /build: from an image of the stack to the parameters of the engine. */
#ifndef BUILD_REQUEST_H
#define BUILD_REQUEST_H

#include "build/build.h"
#include "build/recipe.h"

struct build_request {
    const struct recipe *recipe;
    const struct build_options *options;
    const char *fingerprint, *source; /* values of LABEL_FINGERPRINT, LABEL_SOURCE; or NULL */
    bool buildkit;
    const char *session;    /* id of an open session, or NULL */
    const char *dockerfile; /* its name where the folder is fetched through the session, or NULL */
};

/* What the engine or its classic builder cannot do: ERR_INPUT that names the key. */
int build_request_check(const struct build_request *in, struct error *err);
/* Method, path and kind of answer; body and credentials are the caller's affair. */
int build_request(struct engine_request *rq, const struct build_request *in, struct error *err);

#endif
