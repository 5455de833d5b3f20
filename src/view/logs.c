/* Lines of containers: "web-1  | text", a colour for each service; or an object for each. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "view/private.h"

/* Compose's order of colours, the bright ones after. */
static const int prefix_colors[] = { 36, 33, 32, 35, 34, 96, 93, 92, 95, 94 };

static int color_of(struct view *v, const char *service)
{
    void *known = strmap_get(&v->prefixes, service);
    if (!known) {
        known = (void *)(uintptr_t)(strmap_len(&v->prefixes) % countof(prefix_colors) + 1);
        strmap_set(&v->prefixes, service, known);
    }
    return prefix_colors[(uintptr_t)known - 1];
}

void view_log_label(struct view *v, const char *label)
{
    size_t width = safe_width(label);
    if (width > v->prefix_width)
        v->prefix_width = width;
}

static void add_prefix(struct str *line, struct view *v, const struct event *e)
{
    auto_free char *label = safe_text(e->label ? e->label : e->service, SAFE_LINE);
    view_log_label(v, label);
    if (v->color_out)
        str_addf(line, "\x1b[%dm", color_of(v, e->service));
    str_addf(line, "%s%*s  | ", label, (int)(v->prefix_width - safe_width(label)), "");
    if (v->color_out)
        str_add(line, "\x1b[0m");
}

/* All of it ASCII: what would drive a terminal is escaped. Bytes that are no UTF-8 are shown as
 * \\xNN.
 */
static void write_json(struct view *v, const struct event *e)
{
    auto_str struct str clean = STR_INIT;
    json_t *text = json_stringn(e->text, e->len);
    if (!text) {
        safe_add(&clean, e->text, e->len, SAFE_LINE);
        text = json_stringn(clean.buf, clean.len);
    }
    auto_json json_t *line =
        json_pack("{s:s?, s:s, s:s, s:s, s:o}", "time", e->time, "service", e->service, "container",
                  e->name, "stream", e->stream == 2 ? "stderr" : "stdout", "line", text);
    json_dumpf(line, v->out, JSON_COMPACT | JSON_ENSURE_ASCII);
    fputc('\n', v->out);
}

void log_event(struct view *v, const struct event *e)
{
    if (v->opt.log_json) {
        write_json(v, e);
        return;
    }
    auto_str struct str line = STR_INIT;
    if (v->opt.log_prefix && e->service)
        add_prefix(&line, v, e);
    if (v->opt.timestamps && e->time) {
        safe_add(&line, e->time, strlen(e->time), SAFE_LINE);
        str_addc(&line, ' ');
    }
    safe_add(&line, e->text, e->len, v->color_out ? SAFE_SGR : SAFE_LINE);
    if (v->color_out && memchr(e->text, 0x1b, e->len))
        str_add(&line, "\x1b[0m");
    str_addc(&line, '\n');
    FILE *f = v->opt.log_split && e->stream == 2 ? v->err : v->out;
    if (f == v->err)
        fflush(v->out); /* both may lead to one file: the order stays */
    fwrite(line.buf, 1, line.len, f);
}
