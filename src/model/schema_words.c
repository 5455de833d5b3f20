/*
 * Splitting a command as Compose does: blanks between words, single and double quotes, backslashes.
 * Nothing is expanded. `...` and $(...) are kept together as they stand; at a ; & | < or > outside
 * of them the command ends. Compose's reader knows no `{}`, `#` or `~`, nor does this one.
 */
#include <string.h>

#include "base/cleanup.h"
#include "model/schema_run.h"

struct words {
    struct arena *arena;
    struct node *list;
    struct str word;
    struct span span;
    bool in_word; /* a word has begun, if only with an empty pair of quotes */
};

static void end_word(struct words *w)
{
    if (w->in_word)
        node_append(w->arena, w->list, node_string(w->arena, w->word.buf, w->span));
    str_truncate(&w->word, 0);
    w->in_word = false;
}

static int split(struct words *w, const char *p)
{
    bool escaped = false, single = false, dbl = false, back = false, dollar = false;

    for (; *p; p++) {
        char c = *p;
        if (escaped) {
            escaped = false;
        } else if (c == '\\' && !single) {
            escaped = true;
            continue;
        } else if (strchr(" \t\r\n", c) && c) {
            if (single || dbl || back || dollar)
                str_addc(&w->word, c);
            else
                end_word(w);
            continue;
        } else if (c == '`' && !single && !dbl && !dollar) {
            back = !back;
        } else if (c == ')' && !single && !dbl && !back) {
            dollar = !dollar;
        } else if (c == '(' && !single && !dbl && !back) {
            if (dollar || !str_ends(w->word.buf, "$"))
                return -1;
            dollar = true;
        } else if (c == '"' && !single && !dollar) {
            w->in_word |= dbl;
            dbl = !dbl;
            continue;
        } else if (c == '\'' && !dbl && !dollar) {
            w->in_word |= single;
            single = !single;
            continue;
        } else if (strchr(";&|<>", c) && !single && !dbl && !back && !dollar) {
            /* "2>file": the number belongs to what is cut off. */
            if (c == '>' && w->word.buf[0] >= '0' && w->word.buf[0] <= '9')
                w->in_word = false;
            break;
        }
        w->in_word = true;
        str_addc(&w->word, c);
    }
    end_word(w);
    return escaped || single || dbl || back || dollar ? -1 : 0;
}

int words_split(struct arena *a, struct node *list, const char *text, struct span span)
{
    struct words w = { .arena = a, .list = list, .word = STR_INIT, .span = span };
    int result = split(&w, text);

    str_clear(&w.word);
    return result;
}

int schema_split(struct strv *out, const char *text)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *list = node_new(a, NODE_LIST, (struct span){ 0 });
    if (words_split(a, list, text, list->span) < 0)
        return -1;
    node_each (i, list)
        strv_add(out, node_text(list->items[i]));
    return 0;
}
