/*
 * The planner alone: 1,000 and 10,000 services, half of them changed, against a recorded state.
 * Prints the milliseconds of plan_up(); the file is loaded and the snapshot read before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "model/load.h"
#include "plan/plan.h"

static struct stack *load(const char *path, int n)
{
    FILE *f = fopen(path, "w");
    struct stack *st = NULL;
    struct error err = ERROR_INIT;
    struct diag d;
    auto_(arena_freep) struct arena *arena = arena_new();
    fprintf(f, "name: benchplan\nservices:\n");
    for (int i = 1; i <= n; i++) {
        fprintf(f, "  s%d:\n    image: busybox\n    command: sleep %d\n", i, i);
        if (i > 1)
            fprintf(f, "    depends_on: [ s%d ]\n", i / 2);
    }
    fclose(f);
    diag_init(&d, arena);
    const char *files[] = { path, NULL };
    struct load_options opt = { .files = files };
    if (stack_load(&st, &opt, &d, &err) < 0) {
        fprintf(stderr, "plan: %s\n", err.msg);
        exit(1);
    }
    diag_clear(&d);
    return st;
}

static struct snapshot *snapshot(const struct stack *st)
{
    struct snapshot *now = snapshot_new();
    json_t *list = json_array();
    for (size_t i = 0; i < st->nservices; i++) {
        const struct service *s = &st->services[i];
        auto_free char *id = xasprintf("%064zx", i + 1);
        auto_free char *name = xasprintf("/benchplan-%s-1", s->name);
        json_t *labels =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", LABEL_STACK, st->name,
                      LABEL_SERVICE, s->name, LABEL_NUMBER, "1", LABEL_ONEOFF, "False", LABEL_HASH,
                      i % 2 ? s->hash : "1:old", LABEL_IMAGE, "sha256:b", LABEL_FILE, st->files[0],
                      LABEL_CONFIG_FILES, st->files[0]);
        json_array_append_new(
            list, json_pack("{s:s, s:[s], s:s, s:s, s:s, s:s, s:o, s:{s:{s:{s:s}}}, s:[]}", "Id",
                            id, "Names", name, "Image", "busybox", "ImageID", "sha256:b", "State",
                            "running", "Status", "Up 2 hours", "Labels", labels, "NetworkSettings",
                            "Networks", "benchplan_default", "NetworkID", "net", "Mounts"));
    }
    snapshot_read_containers(now, list, NULL);
    json_decref(list);
    list = json_pack("[{s:s, s:s, s:s, s:{s:s, s:s}}]", "Id", "net", "Name", "benchplan_default",
                     "Driver", "bridge", "Labels", LABEL_STACK, st->name, LABEL_HASH,
                     st->networks[0].hash);
    snapshot_read_networks(now, list, NULL);
    json_decref(list);
    list = json_pack("[{s:s, s:[s], s:i, s:i}]", "Id", "sha256:b", "RepoTags", "busybox:latest",
                     "Created", 1, "Size", 1);
    snapshot_read_images(now, list, NULL);
    json_decref(list);
    now->api = 41;
    return now;
}

static void measure(const char *path, int n, const char *goal)
{
    struct stack *st = load(path, n);
    struct snapshot *now = snapshot(st);
    struct plan_options opt = { .timeout_s = -1 };
    struct error err = ERROR_INIT;
    struct plan *plan = NULL;
    int64_t begin = clock_unix_ns();
    if (plan_up(&plan, st, now, NULL, 0, &opt, &err) < 0) {
        fprintf(stderr, "plan: %s\n", err.msg);
        exit(1);
    }
    printf("plan, %d services, %zu operations: %.1f (%s)\n", n, plan->nops,
           (double)(clock_unix_ns() - begin) / 1e6, goal);
    plan_free(plan);
    snapshot_free(now);
    stack_free(st);
}

int main(void)
{
    char path[] = "/tmp/stack-bench-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    if (fd < 0)
        return 1;
    close(fd);
    measure(path, 1000, "under 50");
    measure(path, 10000, "linear");
    unlink(path);
    return 0;
}
