/*
 * Making sure that the engine has what a Dockerfile is FROM. BuildKit without a session pulls no
 * private image, and what it pulls is not seen by others: so absent bases are pulled by
 * POST /images/create, with the credentials of the docker CLI, before the build.
 */
#ifndef BUILD_BASES_H
#define BUILD_BASES_H

#include "build/survey.h"

struct bases;

struct bases_handlers {
    void (*step)(void *ctx, const struct build_step *step); /* progress of pulls */
    /* Once, last, unless cancelled. ERR_PULL, or what the rooms below report. */
    void (*done)(void *ctx, const struct error *err);
    void *ctx;
};

/* Looks for the bases of `recipe` whose identity the survey does not know, pulls those that are
 * absent (all of them with `pull`), one after the other, and notes the identities. */
struct bases *bases_start(struct engine *e, struct survey_detail *d, const struct recipe *recipe,
                          bool pull, const struct bases_handlers *hd);
void bases_cancel(struct bases *b);

#endif
