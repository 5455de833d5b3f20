/* Faults at every request: sweep.h. */
#include "sweep.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "trial.h"

#define MOST_FAULTS 24
/* Sanitizers make a run ten times as long: every fault still meets every kind of request, but not
 * each request of every situation. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 5
#define SHARES 1
#else
#define STRIDE 1
#define SHARES 2 /* of the requests, for workers side by side: most of a run is waiting */
#endif
#define MOST_REQUESTS 400 /* of one command: more means that it never ends */

struct worker {
    const struct scenario *s;
    struct fake *f;
    FILE *report;
    json_t *prepared; /* before the command */
    char *wanted;     /* what an undisturbed run leaves */
};

static void write_file(const char *text)
{
    FILE *file = fopen("compose.yaml", "w");
    assert(file);
    fputs(text, file);
    fclose(file);
}

static void complain(struct worker *w, const struct sweep_fault *fault, size_t k, const char *what,
                     const char *details)
{
    auto_strv struct strv lines = STRV_INIT;
    fprintf(w->report, "# %s: %s at request %zu: %s\n", w->s->name, fault->name, k, what);
    strv_split(&lines, details, "\n");
    strv_each (line, &lines)
        fprintf(w->report, "#     %s\n", *line);
}

/* The lines that only one of two texts has. */
static char *difference(const char *got, const char *wanted)
{
    auto_strv struct strv a = STRV_INIT, b = STRV_INIT;
    struct str out = STR_INIT;
    strv_split(&a, got, "\n");
    strv_split(&b, wanted, "\n");
    strv_each (line, &a)
        if (!strv_has(&b, *line))
            str_addf(&out, "has    %s\n", *line);
    strv_each (line, &b)
        if (!strv_has(&a, *line))
            str_addf(&out, "lacks  %s\n", *line);
    return str_detach(&out);
}

/* NULL: the state is the wanted one. */
static char *off(const struct worker *w)
{
    auto_free char *now = fake_summary(w->f);
    return strcmp(now, w->wanted) == 0 ? NULL : difference(now, w->wanted);
}

/* An error says where (an object, a service or the engine) and what to do. */
static const char *unhelpful(const char *text)
{
    static const char *const places[] = {
        "alpha", "beta", "gamma", "delta", "t_", "engine", "list"
    };
    bool placed = false;
    for (size_t i = 0; i < countof(places); i++)
        placed |= strstr(text, places[i]) != NULL;
    if (!*text)
        return "it failed without a word";
    if (!placed)
        return "the error names neither object nor engine";
    return strstr(text, "hint: ") ? NULL : "the error has no next step";
}

static bool interrupts(const struct sweep_fault *fault)
{
    return fault->fault == FAULT_KILL_BEFORE || fault->fault == FAULT_KILL_AFTER;
}

static void check_run(struct worker *w, const struct sweep_fault *fault, size_t k,
                      const struct trial *t)
{
    bool killed = interrupts(fault) && t->code == 128 + fault->arg;
    auto_free char *state = off(w);
    if (t->late)
        complain(w, fault, k, "it did not end", t->err);
    else if (t->code >= 128 && !killed)
        complain(w, fault, k, "it crashed", t->err);
    /* What the engine says is not there need not be removed. */
    bool gone = fault->fault == FAULT_STATUS && fault->arg == 404;
    if (t->code == 0 && state && !gone)
        complain(w, fault, k, "it says 0, and that is not so", state);
    if (!text_is_safe(t->err) || !text_is_safe(t->out))
        complain(w, fault, k, "its output drives the terminal", "");
    const char *lack = t->code && !interrupts(fault) && !t->late ? unhelpful(t->err) : NULL;
    if (lack)
        complain(w, fault, k, lack, t->err);
}

/* Without a fault: everything is as it was wanted. */
static void check_second(struct worker *w, const struct sweep_fault *fault, size_t k,
                         const char *first)
{
    auto_trial struct trial t = { 0 };
    trial_run(&t, w->f, w->s->again ? w->s->again : w->s->args);
    auto_free char *state = off(w);
    auto_free char *both =
        xasprintf("first run:\n%s\nsecond run:\n%s\n%s", first, t.err, state ? state : "");
    if (t.code != 0)
        complain(w, fault, k, "the second run failed", both);
    else if (state)
        complain(w, fault, k, "the second run leaves something else", both);
}

/* False when the command has no k-th request. */
static bool disturb(struct worker *w, const struct sweep_fault *fault, size_t k)
{
    bool silent = fault->fault == FAULT_SILENT || fault->fault == FAULT_MUTE;
    auto_trial struct trial t = { 0 };
    fake_restore(w->f, w->prepared);
    fake_spoil(w->f, fault->fault, fault->arg, k);
    if (silent)
        setenv("STACK_SILENCE_MS", "60", 1);
    trial_run(&t, w->f, w->s->args);
    unsetenv("STACK_SILENCE_MS");
    if (!fake_spoiled(w->f))
        return false;
    check_run(w, fault, k, &t);
    fake_hang_up(w->f);
    fake_forget(w->f);
    check_second(w, fault, k, t.err);
    return true;
}

/* From the first file to what the undisturbed command leaves of it. */
static void prepare(struct worker *w)
{
    auto_trial struct trial before = { 0 }, undisturbed = { 0 };
    static const struct sweep_fault none = { "no fault", FAULT_NONE, 0 };
    fake_image(w->f, "base", NULL);
    fake_remote(w->f, "far:1", NULL);
    fake_stranger(w->f, "t-alpha-1-not");
    fake_set_age(w->f, 1);
    if (w->s->before) {
        write_file(w->s->before);
        trial_run(&before, w->f, "up -d");
        if (before.code)
            complain(w, &none, 0, "the first file does not come up", before.err);
    }
    if (w->s->new_image)
        fake_image(w->f, "base", json_pack("{s:{s:s}}", "Labels", "generation", "2"));
    write_file(w->s->after);
    fake_set_age(w->f, 2);
    fake_forget(w->f);
    w->prepared = fake_save(w->f);
    trial_run(&undisturbed, w->f, w->s->args);
    if (undisturbed.code)
        complain(w, &none, 0, "the command fails", undisturbed.err);
    w->wanted = fake_summary(w->f);
}

/* An engine of its own, and folders for locks and caches; the project's folder is everybody's. */
static void settle_in(struct worker *w, const char *dir, size_t number)
{
    auto_free char *own = xasprintf("%s/%zu", dir, number);
    auto_free char *socket = xasprintf("%s/engine", own);
    mkdir(own, 0700);
    setenv("XDG_CACHE_HOME", own, 1);
    setenv("XDG_RUNTIME_DIR", own, 1);
    w->f = fake_new(socket);
    fake_become(w->f, w->s->kind);
}

static void work(struct worker *w, const struct sweep_fault *faults, size_t n, const char *dir,
                 size_t number)
{
    settle_in(w, dir, number);
    fake_set_age(w->f, 2);
    for (size_t k = 1 + number / n + number % STRIDE; k < MOST_REQUESTS; k += SHARES * STRIDE)
        if (!disturb(w, &faults[number % n], k))
            break;
    fake_free(w->f);
}

static size_t show(FILE *report)
{
    char line[4096];
    size_t complaints = 0;
    rewind(report);
    while (fgets(line, sizeof(line), report)) {
        complaints += strncmp(line, "#     ", 6) != 0;
        fputs(line, stdout);
    }
    fclose(report);
    return complaints;
}

size_t sweep(const struct scenario *s, const struct sweep_fault *faults, size_t n, const char *dir)
{
    pid_t pids[MOST_FAULTS * SHARES];
    FILE *reports[MOST_FAULTS * SHARES];
    struct worker w = { .s = s, .report = tmpfile() };
    auto_free char *project = xasprintf("%s/project", dir);
    assert(n <= MOST_FAULTS && mkdir(project, 0700) == 0 && chdir(project) == 0);
    settle_in(&w, dir, MOST_FAULTS * SHARES);
    prepare(&w);
    fake_free(w.f);
    size_t failures = show(w.report);
    fflush(NULL);
    for (size_t i = 0; i < n * SHARES; i++) {
        reports[i] = w.report = tmpfile();
        pids[i] = fork();
        assert(reports[i] && pids[i] >= 0);
        if (pids[i] == 0) {
            work(&w, faults, n, dir, i);
            fflush(w.report);
            _exit(0);
        }
    }
    for (size_t i = 0; i < n * SHARES; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        failures += show(reports[i]);
        if (status != 0) {
            printf("# %s: the test itself ended with status %d\n", s->name, status);
            failures++;
        }
    }
    json_decref(w.prepared);
    free(w.wanted);
    return failures;
}
