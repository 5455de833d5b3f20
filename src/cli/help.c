/* Help texts. Everything comes from the tables, wrapped at 80 columns. */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HELP_COLUMNS 80

/* Appends words of text, wrapped, each further line indented by `indent`; the cursor is at
 * `column`. */
static void add_wrapped(struct str *out, const char *text, size_t column, size_t indent)
{
    bool first = true;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (!first && column + 1 + word > HELP_COLUMNS) {
            str_addf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            str_addc(out, ' ');
            column++;
        }
        str_addn(out, text, word);
        column += word;
        first = false;
        text += word;
        text += strspn(text, " ");
    }
    str_addc(out, '\n');
}

void help_option(struct str *out, const struct option *o)
{
    if (o->letter)
        str_addf(out, "-%c, ", o->letter);
    else
        str_add(out, "    ");
    str_addf(out, "--%s", o->name);
    if (o->kind == OPT_CHOICE && !o->arg) {
        for (const char *const *v = o->values; *v; v++)
            str_addf(out, "%s%s", v == o->values ? " " : "|", *v);
    } else if (o->kind != OPT_FLAG) {
        str_addf(out, o->optional_arg ? "[=%s]" : " %s", o->arg ? o->arg : "VALUE");
    }
}

static void add_options(struct str *out, const struct option *options, size_t n)
{
    const size_t indent = 30;
    for (size_t i = 0; i < n; i++) {
        if (options[i].hidden)
            continue;
        size_t start = out->len;
        str_add(out, "  ");
        help_option(out, &options[i]);
        size_t used = out->len - start;
        if (used + 2 > indent) {
            str_addf(out, "\n%*s", (int)indent, "");
            used = indent;
        } else {
            str_addf(out, "%*s", (int)(indent - used), "");
            used = indent;
        }
        add_wrapped(out, options[i].help, used, indent);
    }
}

void help_overview(struct str *out)
{
    str_add(out, "Bring a development cluster of many projects up and down with one command\n\n"
                 "Usage: stack [OPTIONS] COMMAND\n");
    const char *group = NULL;
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->hidden)
            continue;
        if (!str_eq(group, (*c)->group)) {
            group = (*c)->group;
            str_addf(out, "\n%s:\n", group);
        }
        str_addf(out, "  %-12s ", (*c)->name);
        add_wrapped(out, (*c)->summary, 15, 15);
    }
    str_add(out, "\nOptions:\n");
    add_options(out, global_options, global_options_len);
    str_add(out, "\n'stack COMMAND --help' says more of a command.\n");
}

void help_command(struct str *out, const struct command *c)
{
    add_wrapped(out, c->summary, 0, 0);
    str_addf(out, "\nUsage: stack %s %s\n", c->name, c->usage);
    if (c->text) {
        const char *text = c->text;
        while (*text) {
            size_t len = strcspn(text, "\n");
            char *paragraph = xstrndup(text, len);
            str_addc(out, '\n');
            add_wrapped(out, paragraph, 0, 0);
            free(paragraph);
            text += len;
            text += strspn(text, "\n");
        }
    }
    if (c->examples) {
        str_add(out, "\nExamples:\n");
        for (const char *const *e = c->examples; e[0]; e += 2)
            str_addf(out, "  %-34s  %s\n", e[0], e[1]);
    }
    if (c->noptions) {
        str_add(out, "\nOptions:\n");
        add_options(out, c->options, c->noptions);
    }
    str_add(out, "\nGlobal options ('stack --help') may stand before or after the command.\n");
}
