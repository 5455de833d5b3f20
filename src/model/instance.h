/*
 * Instances: one stack several times on one engine, side by side.
 *
 * An instance has a name, from --instance, STACK_INSTANCE, or the linked git work tree that the
 * stack lies in. The stack's name, and the names of containers, networks and volumes that the file
 * gives, end in it; its fixed host ports move into a block of PORT_BLOCK ports that is leased for
 * it. The main work tree is no instance.
 */
#ifndef MODEL_INSTANCE_H
#define MODEL_INSTANCE_H

#include "model/model.h"

#define PORT_BLOCK 100

/* The linked work tree that the folder lies in. Format: the file `.git`, "gitdir: PATH", where PATH
 * ends in "worktrees/NAME" (git-worktree(1), "DETAILS"; gitrepository-layout(5)). */
struct worktree {
    const char *name; /* NULL: none */
    const char *top;  /* its folder */
    const char *main; /* the folder of the main work tree, or NULL where it has none */
};
void instance_worktree(struct worktree *out, struct arena *a, const char *dir);

/* A fixed host port, or a range of them, of the stack's services. */
struct instance_port {
    int first, last;
    int offset; /* of `first` in the block; as its last two digits where nothing else has it */
};
/* Each of them once; *out is the caller's. Fails when they are more than a block has room for. */
int instance_ports(struct instance_port **out, size_t *n, const struct stack *st,
                   struct error *err);
/* Publishes them from the block that begins at `block`, and hashes the stack anew. To be called
 * before anything else has looked at the stack's ports. */
void instance_move_ports(struct stack *st, const struct instance_port *ports, size_t n, int block);

#endif
