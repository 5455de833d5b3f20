/*
 * What the files of the loader share; nobody outside src/model includes it.
 *
 * One `struct loader` lives for one stack_load(). Everything it makes lives in the arena of the
 * stack. Mistakes in files go to `d`; what makes loading impossible (no file, a folder that cannot
 * be read) is an error.
 */
#ifndef MODEL_LOADER_H
#define MODEL_LOADER_H

#include "base/error.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "base/vec.h"
#include "model/load.h"
#include "model/lockfile.h"
#include "model/model.h"
#include "model/schema.h"
#include "text/dotenv.h"
#include "text/interpolate.h"

#define LOAD_MAX_INCLUDE_DEPTH 64 /* include and extends chains */
#define LOAD_MAX_FILES 1000       /* read for one stack, manifests included */

/* Variables by name. What a parent has wins: the process over .env, .env over an include's own. */
struct env {
    struct strmap map; /* name -> text in the arena */
    const struct env *parent;
};

void env_init(struct env *e, const struct env *parent);
void env_clear(struct env *e);
/* The value that holds, or NULL. */
const char *env_get(const struct env *e, const char *name);
/* The STACK_ twin of a COMPOSE_ variable where it is set and not empty, else the variable. */
const char *env_setting(const struct env *e, const char *name);
/* Whether that is 1, t or true. */
bool env_truth(const struct env *e, const char *name);
/* Adds NAME=value entries; those that are there stay. */
void env_add_environ(struct env *e, struct arena *a, const char *const *environ);
void env_set(struct env *e, struct arena *a, const char *name, const char *value);
/* Adds the variables of files that are one level together: what is there already stays, of the
 * files the last one wins. 0, or -1 after adding errors to d. */
int env_add_files(struct env *e, struct arena *a, const char *const *paths, size_t n,
                  struct diag *d);

/* Where a stack was found: find.c. Texts live in the arena. */
struct found {
    const char *cwd;      /* absolute */
    const char *dir;      /* what relative paths start from */
    const char *name;     /* -p or the environment's, or what the place says; may be NULL */
    bool name_given;      /* by -p or the environment: must be right as it stands */
    const char *instance; /* or NULL: the main one */
    bool docstack;        /* no stack file: `dir` is a project's own checkout */
    const char **files;   /* absolute or "-", in merge order, NULL-terminated; empty: docstack */
    size_t nfiles;
    const char **env_files;
    size_t nenv_files;
};

/* Fills *out and *env. ERR_NOFILE when there is nothing, ERR_USAGE for a bad name on the command
 * line. Mistakes in .env files go to d. */
int find_stack(struct found *out, struct env *env, struct arena *a, const struct load_options *opt,
               struct diag *d, struct error *err);

/* Lower case, only [a-z0-9_-], not beginning with '_' or '-'; may become "". */
const char *find_normal_name(struct arena *a, const char *name);

enum dialect { DIALECT_COMPOSE, DIALECT_NATIVE, DIALECT_FIG, DIALECT_MANIFEST };

/* One image of a project's `images:`. */
struct image_decl {
    const char *name;
    const char *project;
    struct node *build; /* canonical, paths absolute */
    const char *ref;    /* from image:, or NULL */
    struct span span;
};

struct loader {
    struct arena *a;
    struct diag *d;
    const struct load_options *opt;
    struct stack *st;
    struct found found;
    struct env env;
    size_t files_read;
    struct strmap documents;    /* path -> struct node *: extended files, expanded */
    struct strmap trees;        /* path -> struct node *: read, not yet used */
    struct strmap sources;      /* path -> const struct source * */
    struct strmap projects;     /* service -> name of its source project (const char *) */
    struct strmap project_dirs; /* source project -> absolute root */
    struct {
        VEC(struct image_decl);
    } images;
    struct {
        VEC(struct fault);
    } faults;
    struct {
        VEC(struct env *);
    } envs;                      /* of included files */
    bool native;                 /* some file is in the native form, or docstack */
    struct strmap secret_values; /* secret -> value of its `environment`, in the arena */
    struct node *variables;
    struct lockfile lock; /* empty unless opt->locked */
};

/* load.c: an error, or a fault of the stack when it is loaded leniently. The texts live in the
 * arena. */
void loader_fault(struct loader *ld, const struct fault *f);

/* instance.c: what the file names itself gets a name of the instance; what is external keeps its
 * own. */
void instance_rename(struct loader *ld, struct node *doc);

/* locked.c: images by digest, for --locked; and the reference that an image of the stack has in the
 * lock file, or NULL. */
void locked_images(struct loader *ld, struct node *doc);
const char *locked_ref(const struct loader *ld, const char *image);

/* document.c: one file as an expanded Compose document. */

struct context {
    const struct env *env;       /* what interpolation sees */
    const char *dir;             /* what include and extends paths start from: absolute */
    const char *root;            /* `extends` stays below it, or NULL */
    const char *const *included; /* files that are being included, outermost first */
    size_t nincluded;
};

/* Reads a file: source text, cached. NULL after adding an error at `from`. */
const struct source *document_source(struct loader *ld, const char *path, struct span from);
/* The `name:` of a file, variables replaced, or NULL. */
const char *document_name(struct loader *ld, const struct source *src);
/* Reads, interpolates, converts from its dialect, checks and expands; no extends, no include.
 * NULL after adding errors; an empty document is an empty map. */
struct node *document_read(struct loader *ld, const struct source *src, const struct env *env,
                           bool manifest, enum dialect *out_dialect);
/* The same with extends and include resolved: what is merged onto other files. */
struct node *document_load(struct loader *ld, const struct source *src, const struct context *ctx);
/* The dialect by a document's shape. */
enum dialect document_dialect(const struct node *doc);

/* fig.c: services at the root -> Compose form, on the document as it was read. */
struct node *fig_convert(struct loader *ld, struct node *doc);
/* Whether a mapping looks like a service of the fig form. */
bool fig_is_service(const struct node *n);
/* Before `over` is merged onto `base`, two services or all of two documents: in the fig form a
 * service has an image or a build, so that either takes the other's place. False after adding an
 * error: they are of different forms. */
bool fig_give_way(struct loader *ld, const char *name, struct node *base, const struct node *over);
void fig_give_way_all(struct loader *ld, const struct node *base, const struct node *over);
/* On the merged document: names that may be a service's or a container's, told apart. */
void fig_resolve(struct loader *ld, struct node *doc);
/* fig and native form: depends_on entries without a condition wait for readiness. On a document
 * before expansion. */
void wait_for_ready(struct loader *ld, struct node *services);

/* native.c: projects, infrastructure, requires, images -> services. */
void native_take_infrastructure(struct loader *ld, struct node *doc);
/* On the merged document; its native keys are gone afterwards. */
void native_resolve(struct loader *ld, struct node *doc);
/* The document of a folder that is a project itself. */
struct node *native_own_project(struct loader *ld, const char *dir);

/* extends.c and include.c, in place. */
void extends_resolve(struct loader *ld, struct node *doc, const struct source *src,
                     const struct context *ctx);
void include_resolve(struct loader *ld, struct node *doc, const struct source *src,
                     const struct context *ctx);

/* paths.c */

/* Makes relative paths of the document absolute from `base` (or relative to where `base` is
 * relative to). */
void paths_resolve(struct arena *a, struct node *doc, const char *base);
/* Errors for host paths of a project's document that leave `root`. */
void paths_confine(struct loader *ld, struct node *doc, const char *root, const char *project);
/* Where relative paths of a file in `dir` start: there, or relative to `from` when the printed
 * document keeps paths relative. */
const char *paths_base(struct loader *ld, const char *dir, const char *from);
bool paths_is_remote(const char *context);
/* Whether a path is below `root` when symbolic links of both are followed, as far as they exist. */
bool paths_stay_inside(const char *root, const char *path);

/* profiles.c: moves services that no active profile enables from the document to st->disabled. */
void profiles_apply(struct loader *ld, struct node *doc);

/* normalise.c */
void normalise(struct loader *ld, struct node *doc);
/* On a document before expansion: entries of `environment` lists that name a variable alone get
 * its value from `env`. Those of maps (NAME: null) only ever see the stack's variables. */
void resolve_listed(struct loader *ld, struct node *doc, const struct env *env);
/* Configs and secrets that variables hold. */
void resolve_files(struct loader *ld, struct node *doc, const struct env *env);
/* env_file and label_file of enabled services become environment and labels. */
void resolve_environment(struct loader *ld, struct node *doc);

/* validate.c: references, cycles, duplicates; on the normalised document. */
void validate(struct loader *ld, const struct node *doc);

/* extract.c: the structs of model.h from the finished document. */
void extract(struct loader *ld, struct node *doc);

/* hash.c: fills the hashes of services, networks, volumes. */
void hash_stack(struct stack *st);

/* Small helpers that many of them need. */

/* The map at `key`, made when it is missing or null. NULL when something else stands there. */
struct node *map_at(struct loader *ld, struct node *map, const char *key);
/* Hint "did you mean" from the names of a map's entries. */
void suggest_key(struct loader *ld, const char *found, const struct node *map);

#endif
