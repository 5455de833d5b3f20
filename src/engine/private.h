/* What the files of this room share of a connection to an engine. */
#ifndef ENGINE_PRIVATE_H
#define ENGINE_PRIVATE_H

#include "base/strv.h"
#include "engine/engine.h"
#include "net/ssh.h"

struct engine {
    struct loop *loop;
    struct http *http;
    struct ssh *ssh; /* carries the connections of ssh:// */
    struct engine_endpoint endpoint;
    struct strv headers;       /* the user's own, for every request */
    struct engine_call *calls; /* all that have not ended */
    struct engine_call *ping;  /* the one that asks for the version */
    int api;
    bool pinned;          /* api is the user's, DOCKER_API_VERSION */
    bool answered;        /* at least once */
    struct error too_old; /* set when it is */
    char *server;
    unsigned sent;
    int64_t silence_ms; /* STACK_SILENCE_MS: for every request instead of its own; 0: not set */
};

/* "1.51" gives 51; 0 for anything else. */
int engine_parse_version(const char *text);
/* Ends the call, wherever it is, without a word to anybody. */
void engine_call_free(struct engine_call *c);

#endif
