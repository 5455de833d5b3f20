/* The command table as Markdown and as man pages. */
#include "cli/manual.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "cli/help.h"

static const struct {
    int code;
    const char *meaning;
} codes[] = {
    { EXIT_DONE, "done; for `up`, the declared state was observed" },
    { EXIT_FAILED,
      "something else went wrong, the message says what; or the answer to a question was no, "
      "and nothing was changed" },
    { EXIT_USAGE, "the command line is wrong" },
    { EXIT_ENGINE, "no engine answers, or it is too old" },
    { EXIT_UNREADY,
      "the declared state was not reached: a service failed, died at once, or was not "
      "ready in time" },
    { EXIT_CONFLICT, "somebody else holds it: another command has the lock, containers belong to "
                     "another stack file, a port is taken, a volume differs from its definition" },
    { EXIT_NOFILE, "no stack file was found" },
    { EXIT_INPUT, "the stack file, or a file that it leads to, is invalid" },
    { EXIT_BUILD, "an image could not be built" },
    { EXIT_PULL, "an image could not be pulled or pushed" },
    { EXIT_INTERRUPTED, "interrupted by SIGINT; 143 by SIGTERM, 129 by SIGHUP" },
};

void manual_exit_codes(struct str *out)
{
    str_add(out, "# Exit codes\n\nPrinted from the table in the code by `make docs`.\n\n"
                 "| code | meaning |\n| --- | --- |\n");
    for (size_t i = 0; i < countof(codes); i++)
        str_addf(out, "| %d | %s |\n", codes[i].code, codes[i].meaning);
    str_add(out,
            "\n`stack run`, `exec`, `attach` and `wait` end with the code of the command or "
            "container: 126 for one that cannot run, 127 for one that is not there, 137 for one "
            "that was killed.\n");
}

static void add_cell(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            str_addc(out, '\\');
        str_addc(out, *text);
    }
}

static void markdown_options(struct str *out, const struct option *options, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (options[i].hidden)
            continue;
        auto_str struct str text = STR_INIT;
        help_option(&text, &options[i]);
        if (!any)
            str_add(out, "\n| option | |\n| --- | --- |\n");
        any = true;
        str_add(out, "| `");
        add_cell(out, text.buf + strspn(text.buf, " "));
        str_add(out, "` | ");
        add_cell(out, options[i].help);
        str_add(out, " |\n");
    }
}

static void markdown_command(struct str *out, const struct command *c)
{
    str_addf(out, "\n## stack %s\n\n%s.\n\n```\nstack %s %s\n```\n", c->name, c->summary, c->name,
             c->usage);
    if (c->text)
        str_addf(out, "\n%s\n", c->text);
    markdown_options(out, c->options, c->noptions);
    if (!c->examples)
        return;
    str_add(out, "\n| example | |\n| --- | --- |\n");
    for (const char *const *e = c->examples; e[0]; e += 2) {
        str_add(out, "| `");
        add_cell(out, e[0]);
        str_addf(out, "` | %s |\n", e[1]);
    }
}

void manual_markdown(struct str *out)
{
    str_add(out, "# Commands\n\nPrinted from the command table by `make docs`.\n\n"
                 "```\nstack [OPTIONS] COMMAND\n```\n\nOptions of every command:\n");
    markdown_options(out, global_options, global_options_len);
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->hidden)
            markdown_command(out, *c);
}

/* Text for troff: a leading dot or quote is no request, a backslash none either. */
static void roff(struct str *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            str_add(out, "\\&");
        if (*text == '\\')
            str_add(out, "\\e");
        else if (*text == '-')
            str_add(out, "\\-");
        else
            str_addc(out, *text);
        start = *text == '\n';
    }
}

static void roff_options(struct str *out, const struct option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (options[i].hidden)
            continue;
        auto_str struct str text = STR_INIT;
        help_option(&text, &options[i]);
        str_add(out, ".TP\n.B ");
        roff(out, text.buf + strspn(text.buf, " "));
        str_addc(out, '\n');
        roff(out, options[i].help);
        str_add(out, ".\n");
    }
}

static void overview_page(struct str *out)
{
    str_add(out, ".TH STACK 1 \"\" \"stack " STACK_VERSION "\"\n.SH NAME\nstack \\- bring a "
                 "development cluster of many projects up and down\n.SH SYNOPSIS\n.B stack\n"
                 "[OPTIONS] COMMAND\n.SH COMMANDS\n");
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->hidden)
            continue;
        str_addf(out, ".TP\n.BR stack\\-%s (1)\n", (*c)->name);
        roff(out, (*c)->summary);
        str_addc(out, '\n');
    }
    str_add(out, ".SH OPTIONS\n");
    roff_options(out, global_options, global_options_len);
    str_add(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < countof(codes); i++) {
        str_addf(out, ".TP\n%d\n", codes[i].code);
        roff(out, codes[i].meaning);
        str_addc(out, '\n');
    }
}

void manual_page(struct str *out, const struct command *c)
{
    if (!c) {
        overview_page(out);
        return;
    }
    str_addf(out, ".TH STACK\\-%s 1 \"\" \"stack " STACK_VERSION "\"\n.SH NAME\nstack\\-%s \\- ",
             c->name, c->name);
    roff(out, c->summary);
    str_addf(out, "\n.SH SYNOPSIS\n.B stack %s\n", c->name);
    roff(out, c->usage);
    str_addc(out, '\n');
    if (c->text) {
        str_add(out, ".SH DESCRIPTION\n");
        roff(out, c->text);
        str_addc(out, '\n');
    }
    if (c->noptions) {
        str_add(out, ".SH OPTIONS\n");
        roff_options(out, c->options, c->noptions);
    }
    if (c->examples) {
        str_add(out, ".SH EXAMPLES\n");
        for (const char *const *e = c->examples; e[0]; e += 2) {
            str_add(out, ".TP\n.B ");
            roff(out, e[0]);
            str_addc(out, '\n');
            roff(out, e[1]);
            str_addc(out, '\n');
        }
    }
    str_add(out, ".SH SEE ALSO\n.BR stack (1)\n");
}
