/*
 * The labels on engine objects: all that is known between two runs, there is no state file.
 *
 * com.docker.compose.* are those of docker compose, so that its own `ps`, Docker Desktop and
 * editors see the stack; dev.stack.* are ours. Neither ever holds a value from `environment`, a
 * secret or the content of a config.
 */
#ifndef MODEL_LABELS_H
#define MODEL_LABELS_H

#define LABEL_STACK "com.docker.compose.project"
#define LABEL_SERVICE "com.docker.compose.service"
#define LABEL_NUMBER "com.docker.compose.container-number"
#define LABEL_ONEOFF "com.docker.compose.oneoff" /* "True" / "False" */
#define LABEL_CONFIG_HASH "com.docker.compose.config-hash"
#define LABEL_IMAGE "com.docker.compose.image"           /* id of the image it was made from */
#define LABEL_DEPENDS_ON "com.docker.compose.depends_on" /* "db:service_healthy:false,..." */
#define LABEL_WORKING_DIR "com.docker.compose.project.working_dir"
#define LABEL_CONFIG_FILES "com.docker.compose.project.config_files" /* comma list */
#define LABEL_ENV_FILE "com.docker.compose.project.environment_file"
#define LABEL_VERSION "com.docker.compose.version"
#define LABEL_SLUG "com.docker.compose.slug" /* one-off runs */
#define LABEL_NETWORK "com.docker.compose.network"
#define LABEL_VOLUME "com.docker.compose.volume"

#define LABEL_HASH "dev.stack.hash" /* service->hash, network->hash, volume->hash */
#define LABEL_KEYS                                                                   \
    "dev.stack.keys" /* "image=1f3a environment.DEBUG=09bc ...": 16 bits of a digest \
                        per key, enough to say which one changed, too little to      \
                        test guesses of its value */
#define LABEL_DEPS "dev.stack.deps" /* jobs: digest of what it depended on when it was made */
#define LABEL_PARENTS \
    "dev.stack.parents"               /* "db=<12 of its id> ...": containers that this one names */
#define LABEL_LINKS "dev.stack.links" /* digest of what link variables were made from */
#define LABEL_FINGERPRINT "dev.stack.fingerprint" /* images: what went into them */
#define LABEL_INSTANCE "dev.stack.instance"
#define LABEL_PORT_BLOCK "dev.stack.ports" /* first port of the instance's lease */
#define LABEL_SOURCE "dev.stack.source"    /* images: the same without what bases are */
#define LABEL_FILE "dev.stack.file"        /* the first stack file, absolute */

#endif
