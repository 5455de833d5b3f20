/* A tree as JSON, as Go's encoder writes it without HTML escaping. See yaml.h. */
#include <string.h>

#include "text/scalar.h"
#include "text/yaml.h"

/* Bytes that are no UTF-8 cannot come here: sources are checked when they are read. */
static void write_string(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (const char *s = text; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c == '\n')
            str_add(out, "\\n");
        else if (c == '\r')
            str_add(out, "\\r");
        else if (c == '\t')
            str_add(out, "\\t");
        else if (c == '\b')
            str_add(out, "\\b");
        else if (c == '\f')
            str_add(out, "\\f");
        else if (c < 0x20)
            str_addf(out, "\\u%04x", c);
        else if (strncmp(s, "\xE2\x80\xA8", 3) == 0 || strncmp(s, "\xE2\x80\xA9", 3) == 0) {
            /* Line separators, which JavaScript takes for ends of lines. */
            str_add(out, (unsigned char)s[2] == 0xA8 ? "\\u2028" : "\\u2029");
            s += 2;
        } else {
            str_addc(out, (char)c);
        }
    }
    str_addc(out, '"');
}

static void write_float(struct str *out, const struct node *n)
{
    char buf[SCALAR_FLOAT_MAX];
    const char *text = scalar_float_json(buf, n->real);

    if (n->value[strspn(n->value, "0123456789")] == '\0')
        str_add(out, n->value); /* a whole number past int64_t, all digits kept */
    else if (strchr(text, 'n'))
        write_string(out, text); /* .inf and .nan: JSON has no number for them */
    else
        str_add(out, text);
}

static void new_line(struct str *out, enum node_json style, int depth)
{
    if (style == NODE_JSON_PRETTY)
        str_addf(out, "\n%*s", 2 * depth, "");
}

static void write_node(struct str *out, const struct node *n, enum node_json style, int depth)
{
    bool is_map = n->kind == NODE_MAP;

    switch (n->kind) {
    case NODE_NULL:
        str_add(out, "null");
        return;
    case NODE_BOOL:
    case NODE_INT:
        str_add(out, n->value);
        return;
    case NODE_FLOAT:
        write_float(out, n);
        return;
    case NODE_STRING:
        write_string(out, n->value);
        return;
    case NODE_LIST:
    case NODE_MAP:
        break;
    }
    str_addc(out, is_map ? '{' : '[');
    node_each (i, n) {
        if (i)
            str_addc(out, ',');
        new_line(out, style, depth + 1);
        if (is_map) {
            write_string(out, n->keys[i]);
            str_add(out, style == NODE_JSON_PRETTY ? ": " : ":");
        }
        write_node(out, n->items[i], style, depth + 1);
    }
    if (n->len)
        new_line(out, style, depth);
    str_addc(out, is_map ? '}' : ']');
}

void node_write_json(struct str *out, const struct node *n, enum node_json style)
{
    write_node(out, n, style, 0);
}
