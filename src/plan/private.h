/* What the files of this room share. */
#ifndef PLAN_PRIVATE_H
#define PLAN_PRIVATE_H

#include "base/strmap.h"
#include "base/vec.h"
#include "plan/graph.h"
#include "plan/labels.h"

#define SHORT_ID 12 /* characters of a container's id in names and labels */

/* common.c: what every plan is made with. */
struct planner {
    struct arena *arena; /* of the plan to be */
    struct graph graph;
    const struct stack *st; /* NULL: from labels */
    const char *name;       /* of the stack */
    const struct snapshot *now;
    const struct plan_options *opt;
    struct {
        VEC(const char *);
    } notes;
    struct {
        VEC(const struct seen_container *);
    } kept;
    bool again;
};

void planner_init(struct planner *p, const struct stack *st, const char *name,
                  const struct snapshot *now, const struct plan_options *opt);
void planner_clear(struct planner *p);
void planner_note(struct planner *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Orders the operations and hands everything over to a plan. */
int planner_finish(struct plan **out, struct planner *p, struct error *err);

/* Whether the container belongs to the stack. */
bool container_is_ours(const struct planner *p, const struct seen_container *c);
/* Running, or on its way: needs a stop before it can be removed. */
bool container_is_up(const struct seen_container *c);
const char *container_label(const struct seen_container *c, const char *key);
/* ERR_CONFLICT when containers of this stack were made from a stack file of another folder. */
int check_owner(const struct planner *p, struct error *err);
/* Whether `c` was made from our stack file, or one beside it. */
bool container_is_from_our_file(const struct planner *p, const struct seen_container *c);
/* The file that it was made from, as far as labels say: "" otherwise. */
const char *container_file(const struct planner *p, const struct seen_container *c);

/* Dependencies before those that depend on them. */
struct service_list {
    VEC(const struct service *);
};
/* Appends `from` and all below it that is not marked in `seen` (by service->index). Not recursive:
 * chains may be long. ERR_INPUT with the path when services depend on each other. */
int services_collect(struct service_list *out, unsigned char *seen, const struct service *from,
                     struct error *err);
/* ERR_NOTFOUND with a suggestion. */
int no_such_service(const struct planner *p, const char *name, struct error *err);

/* Operations on a container that is there; `s` may be NULL. STOP comes with its pre_stop hooks, all
 * after `before` (may be NULL); it is NULL when there is nothing to stop. */
struct op *add_container_op(struct planner *p, enum op_kind kind, const struct service *s,
                            const struct seen_container *c, const char *reason);
struct op *add_stop(struct planner *p, const struct service *s, const struct seen_container *c,
                    struct op *before, const char *reason);

/* labels.c */

/* The id of the image that a service's containers are made from: what the run brought, else what
 * is seen, else what its container runs; "" when that is all unknown. */
const char *image_id_of(const struct service *s, const struct snapshot *now,
                        const struct plan_ids *ids);
/* Fills digests[s->index]: what `s` is and all that it depends on, whose digests are there. */
typedef char hex_digest[DIGEST_HEX_LEN + 1];
void digest_service(hex_digest *digests, const struct service *s, const struct snapshot *now,
                    const struct plan_ids *ids);
/* Texts of LABEL_DEPS and LABEL_LINKS, appended. */
void deps_text(struct str *out, const struct service *s, hex_digest *digests);
void links_text(struct str *out, const struct service *s, const struct snapshot *now,
                const struct plan_ids *ids);

#endif
