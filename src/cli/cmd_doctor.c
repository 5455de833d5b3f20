/* `stack doctor`: whether all is there that stacks need, a line for each thing. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "cli/doctor.h"

struct doctor_options {
    bool hub;
    const char *format;
};
#define OPTIONS doctor_options

static const char *const formats[] = { "text", "json", NULL };
static const struct option rows[] = {
    ROW_CHOICE(0, "format", format, formats, "Form of the output (default text)"),
    ROW_FLAG(0, "hub", hub, "Let the engine look whether it reaches Docker Hub, too"),
};

static const char *const level_words[] = { "ok", "warning", "error" };

void doctor_add(struct doctor *d, enum finding_level level, const char *about, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *vec_push(&d->findings) = (struct finding){ level, about, xvasprintf(fmt, ap), NULL };
    va_end(ap);
}

void doctor_next(struct doctor *d, const char *fmt, ...)
{
    struct finding *last = &d->findings.items[d->findings.len - 1];
    va_list ap;
    va_start(ap, fmt);
    free(last->next);
    last->next = xvasprintf(fmt, ap);
    va_end(ap);
}

void doctor_add_error(struct doctor *d, enum finding_level level, const char *about,
                      const struct error *err)
{
    doctor_add(d, level, about, "%s", err->msg);
    if (err->hint)
        doctor_next(d, "%s", err->hint);
}

void doctor_clear(struct doctor *d)
{
    vec_each (f, &d->findings) {
        free(f->text);
        free(f->next);
    }
    vec_free(&d->findings);
    json_decref(d->info);
    json_decref(d->running);
}

static size_t count(const struct doctor *d, enum finding_level level)
{
    size_t n = 0;
    for (size_t i = 0; i < d->findings.len; i++)
        n += d->findings.items[i].level == level;
    return n;
}

static void print_text(const struct doctor *d)
{
    size_t errors = count(d, FINDING_ERROR), warnings = count(d, FINDING_WARNING);
    for (size_t i = 0; i < d->findings.len; i++) {
        const struct finding *f = &d->findings.items[i];
        auto_free char *text = safe_text(f->text, SAFE_LINE);
        auto_free char *next = safe_text(f->next ? f->next : "", SAFE_LINE);
        printf("%-8s %-10s %s\n", level_words[f->level], f->about, text);
        if (f->next)
            printf("%-8s %-10s next: %s\n", "", "", next);
    }
    if (errors + warnings == 0)
        puts("nothing is wrong");
    else
        printf("%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
               warnings == 1 ? "" : "s");
}

static void print_json(const struct doctor *d)
{
    auto_json json_t *all = json_object();
    json_t *checks = json_array();
    for (size_t i = 0; i < d->findings.len; i++) {
        const struct finding *f = &d->findings.items[i];
        auto_free char *text = safe_text(f->text, SAFE_LINE);
        auto_free char *next = f->next ? safe_text(f->next, SAFE_LINE) : NULL;
        json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:s?}", "about", f->about, "level",
                                                level_words[f->level], "text", text, "next", next));
    }
    json_object_set_new(all, "checks", checks);
    json_object_set_new(all, "errors", json_integer((json_int_t)count(d, FINDING_ERROR)));
    json_object_set_new(all, "warnings", json_integer((json_int_t)count(d, FINDING_WARNING)));
    auto_free char *text = json_dumps(all, JSON_INDENT(2));
    printf("%s\n", text);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct doctor_options *o = values;
    struct doctor d = { .cli = cli, .hub = o->hub };
    (void)args, (void)err;
    doctor_look_at_engine(&d);
    doctor_look_here(&d);
    doctor_look_at_stack(&d);
    if (str_eq(o->format, "json"))
        print_json(&d);
    else
        print_text(&d);
    int code = count(&d, FINDING_ERROR) ? EXIT_FAILED : EXIT_DONE;
    doctor_clear(&d);
    return code;
}

static const char *const examples[] = {
    "stack doctor",
    "before asking for help",
    "stack -H ssh://build@host doctor --hub",
    "another engine, and its way to Docker Hub",
    NULL,
};

extern const struct command cmd_doctor;
const struct command cmd_doctor = {
    .name = "doctor",
    .group = "Inspect",
    .usage = "[OPTIONS]",
    .summary = "Check the engine, this machine and the stack's ports",
    .text = "Says which engine is used and why, its version and kind, how it builds, its memory, "
            "disk and clock; which programs and libraries are missing here; whether the stack file "
            "is valid, and who has the ports that it publishes. Each warning and error has its "
            "next step. No question waits longer than 15 seconds, and nothing is changed.\n"
            "Ends with 1 when there is an error; warnings do not count.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct doctor_options),
    .run = run,
};
