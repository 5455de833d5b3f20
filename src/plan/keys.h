/*
 * Which keys of a service changed, told from two labels: LABEL_KEYS holds 16 bits of a digest for
 * each key of the configuration that its container was made from.
 */
#ifndef PLAN_KEYS_H
#define PLAN_KEYS_H

#include "model/model.h"

/* "command=1f3a environment.DEBUG=09bc ...", sorted; owned by the caller. */
char *keys_text(const struct service *s);

/* Compares the text of a container's label with the service: "environment.DEBUG changed,
 * stack.yaml:42", at most three keys by name. Owned by the caller; never NULL. */
char *keys_changed(const struct service *s, const char *label);

#endif
