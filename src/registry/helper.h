/* Credential helpers: the programs docker-credential-<name>. */
#ifndef REGISTRY_HELPER_H
#define REGISTRY_HELPER_H

#include "base/error.h"
#include "base/str.h"

/* Whether `name` can be part of a program's name: letters, digits, '.', '_', '-'. */
bool helper_name_valid(const char *name);

/* What a helper's `get` answered. `none`: it has nothing for this registry. */
struct helper_credentials {
    bool none;
    char *username;       /* owned; NULL with an identity token */
    char *password;       /* owned */
    char *identity_token; /* owned */
};

/* From its exit status and output. The texts are secrets: helper_credentials_clear() wipes them.
 * ERR_SYSTEM with what the helper said. */
int helper_parse(struct helper_credentials *out, const char *name, int status,
                 const struct str *output, const struct str *errors, struct error *err);
void helper_credentials_clear(struct helper_credentials *c);

#endif
