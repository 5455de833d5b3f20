/* The stack as a picture: what any name does to each form, and that boxes never meet. */
#include "unit.h"

#include "base/json.h"
#include "base/safe.h"
#include "view/graph.h"
#include "view/graph_layout.h"

static const char evil[] = "a\"b\\N<i>&amp;'`|[x]\x1b[2J\n--\xff\xef\xbf\xbf";

static void add_service(struct view_graph *g, const char *name)
{
    *vec_push(&g->services) = (struct graph_service){ .name = name, .replicas = 1 };
}

static void add_edge(struct view_graph *g, size_t from, size_t to)
{
    *vec_push(&g->edges) = (struct graph_edge){ .from = from, .to = to, .condition = "started" };
}

/* Two services, everything about which is called by a name that wants to break out. */
static void evil_graph(struct view_graph *g)
{
    *g = (struct view_graph){ .stack = evil, .live = true };
    for (size_t i = 0; i < 2; i++) {
        add_service(g, evil);
        struct graph_service *s = &g->services.items[i];
        s->project = s->image = evil;
        s->state = xstrdup(evil);
        strv_add(&s->ports, evil);
        strv_add(&s->networks, evil);
        strv_add(&s->volumes, evil);
        *vec_push(&g->networks) = (struct graph_shared){ .key = evil, .name = evil };
        *vec_push(&g->networks.items[i].users) = 0;
        *vec_push(&g->volumes) = (struct graph_shared){ .key = evil, .name = evil };
        *vec_push(&g->volumes.items[i].users) = 1;
        *vec_push(&g->images) = (struct graph_image){ .name = evil, .ref = evil, .project = evil };
        strv_add(&g->images.items[i].bases, evil);
    }
    *vec_push(&g->images.items[0].from) = 1;
    *vec_push(&g->edges) =
        (struct graph_edge){ .from = 0, .to = 1, .condition = "healthy", .link = evil };
}

static void assert_plain(const char *text)
{
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || (unsigned char)*p >= ' ');
    assert_null(strstr(text, "\xff"));
}

static void names_stay_names(void **state)
{
    (void)state;
    struct view_graph g;
    struct str out = STR_INIT;
    evil_graph(&g);

    view_graph_text(&out, &g, 80, false);
    assert_plain(out.buf);
    str_clear(&out);

    view_graph_dot(&out, &g);
    assert_plain(out.buf);
    assert_non_null(strstr(out.buf, "\"a\\\"b\\\\N<i>&amp;'`|[x]\\\\x1b[2J\\\\n--\\\\xff"));
    str_clear(&out);

    view_graph_mermaid(&out, &g);
    assert_plain(out.buf);
    assert_non_null(strstr(out.buf, "[\"a#34;b#92;N#60;i#62;#38;amp;'#96;#124;#91;x#93;"));
    assert_null(strstr(out.buf, "a\"b"));
    str_clear(&out);

    view_graph_svg(&out, &g);
    assert_plain(out.buf);
    assert_non_null(strstr(out.buf, "a&quot;b\\N&lt;i&gt;&amp;amp;"));
    assert_null(strstr(out.buf, "<i>"));
    assert_null(strstr(out.buf, "\xef\xbf\xbf"));
    str_clear(&out);

    view_graph_json(&out, &g);
    auto_json json_t *j = json_parse(out.buf, out.len, "the graph", NULL);
    assert_int_equal(json_array_size(json_object_get(j, "services")), 2);
    str_clear(&out);
    view_graph_clear(&g);
}

/* Sixty services: each needs some before it. */
static void large_graph(struct view_graph *g, char names[60][40])
{
    *g = (struct view_graph){ .stack = "large" };
    for (size_t i = 0; i < 60; i++) {
        snprintf(names[i], 40, "a-service-with-a-long-name-%02zu", i);
        add_service(g, names[i]);
    }
    for (size_t i = 4; i < 60; i++)
        for (size_t k = 1; k <= 5 && k * k * 2 <= i; k++)
            add_edge(g, i, i - k * k * 2);
}

static void text_keeps_to_the_width(void **state)
{
    (void)state;
    char names[60][40];
    struct view_graph g;
    struct str out = STR_INIT;
    large_graph(&g, names);
    g.live = true;
    for (size_t i = 0; i < 60; i++)
        g.services.items[i].state = xstrdup("healthy");
    view_graph_text(&out, &g, 80, false);
    for (const char *line = out.buf; *line;) {
        size_t len = strcspn(line, "\n");
        char *copy = xstrndup(line, len);
        assert_in_range(safe_width(copy), 0, 80);
        free(copy);
        line += len + (line[len] == '\n');
    }
    str_clear(&out);
    view_graph_clear(&g);
}

static void boxes_do_not_meet_and_lines_lead_to_the_right(void **state)
{
    (void)state;
    char names[60][40];
    double heights[60];
    struct view_graph g;
    large_graph(&g, names);
    for (size_t i = 0; i < 60; i++)
        heights[i] = 40 + 10 * (double)(i % 3);
    struct layout *l = layout_new(&g, 150, heights);
    for (size_t i = 0; i < 60; i++) {
        assert_true(l->boxes[i].x >= 0 && l->boxes[i].x + 150 <= l->width + 0.1);
        assert_true(l->boxes[i].y >= 0 && l->boxes[i].y + heights[i] <= l->height + 0.1);
        for (size_t k = 0; k < i; k++)
            assert_true(l->boxes[i].x != l->boxes[k].x ||
                        l->boxes[i].y >= l->boxes[k].y + heights[k] + 5 ||
                        l->boxes[k].y >= l->boxes[i].y + heights[i] + 5);
    }
    for (size_t i = 0; i < l->nlines; i++) {
        const struct layout_line *line = &l->lines[i];
        assert_true(line->points[0].x == l->boxes[g.edges.items[i].from].x + 150);
        assert_true(line->points[line->n - 1].x == l->boxes[g.edges.items[i].to].x);
        for (size_t k = 1; k < line->n; k++)
            assert_true(line->points[k].x > line->points[k - 1].x);
    }
    layout_free(l);
    view_graph_clear(&g);
}

/* No valid stack has a circle, but a picture of one must end. */
static void a_circle_and_nothing_at_all(void **state)
{
    (void)state;
    struct view_graph g = { .stack = "none" };
    struct str out = STR_INIT;
    view_graph_svg(&out, &g);
    view_graph_text(&out, &g, 80, true);
    assert_non_null(strstr(out.buf, "none: 0 services"));
    add_service(&g, "a");
    add_service(&g, "b");
    add_edge(&g, 0, 1);
    add_edge(&g, 1, 0);
    view_graph_svg(&out, &g);
    view_graph_text(&out, &g, 20, true);
    str_clear(&out);
    view_graph_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_names),
        cmocka_unit_test(text_keeps_to_the_width),
        cmocka_unit_test(boxes_do_not_meet_and_lines_lead_to_the_right),
        cmocka_unit_test(a_circle_and_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
