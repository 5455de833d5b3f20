/* The repainting block, drawn on a screen that understands what it uses of a terminal. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/safe.h"
#include "base/str.h"
#include "loop/loop.h"
#include "view/view.h"

#define SERVICES 60
#define ROWS 24
#define COLS 80

/* Everything that was ever written below each other; the screen is its last ROWS lines. */
struct paper {
    struct str lines[512];
    size_t row, used;
    size_t tallest; /* lines that the cursor went up at once */
    bool hidden;    /* the cursor */
};

/* A line break, a carriage return, colours, "up", "erase what is below", and the cursor hidden and
 * shown again: nothing else may come. */
static void draw(struct paper *p, const char *text)
{
    while (*text) {
        if (*text == '\n') {
            p->row++;
            if (p->row > p->used)
                p->used = p->row;
            assert_true(p->used < 512);
            text++;
        } else if (*text == '\r') {
            text++;
        } else if (*text == '\x1b') {
            assert_true(text[1] == '[');
            if (strncmp(text, "\x1b[?25l", 6) == 0 || strncmp(text, "\x1b[?25h", 6) == 0) {
                p->hidden = text[5] == 'l';
                text += 6;
                continue;
            }
            const char *end = text + 2;
            size_t n = 0;
            for (; *end >= '0' && *end <= '9'; end++)
                n = 10 * n + (size_t)(*end - '0');
            if (*end == 'A') {
                assert_true(n <= p->row);
                p->row -= n;
                p->tallest = n > p->tallest ? n : p->tallest;
            } else if (*end == 'J') {
                for (size_t i = p->row; i <= p->used; i++)
                    str_truncate(&p->lines[i], 0);
                p->used = p->row;
            } else {
                assert_true(*end == 'm');
            }
            text = end + 1;
        } else {
            str_addc(&p->lines[p->row], *text++);
        }
    }
}

struct scene {
    struct loop *loop;
    struct view *view;
    struct sink sink;
    FILE *file;
    struct plan plan;
    struct op ops[SERVICES];
    struct op *list[SERVICES];
    char names[SERVICES][32];
    struct paper paper;
};

static void set_up(struct scene *s, size_t services)
{
    memset(s, 0, sizeof(*s));
    for (size_t i = 0; i < 512; i++)
        s->paper.lines[i] = STR_INIT;
    for (size_t i = 0; i < services; i++) {
        snprintf(s->names[i], sizeof(s->names[i]), "service%02zu", i);
        s->ops[i] = (struct op){
            .kind = OP_START, .index = i, .subject = s->names[i], .service_name = s->names[i]
        };
        s->list[i] = &s->ops[i];
    }
    s->plan.ops = s->list;
    s->plan.nops = services;
    s->loop = loop_new();
    s->file = tmpfile();
    assert_non_null(s->file);
    struct view_options opt = { .mode = VIEW_TTY,
                                .ansi = ANSI_ALWAYS,
                                .verb = "up",
                                .out = s->file,
                                .err = s->file,
                                .rows = ROWS,
                                .cols = COLS };
    s->view = view_new(s->loop, &opt);
    s->sink = view_sink(s->view);
}

static void tear_down(struct scene *s)
{
    view_free(s->view);
    loop_free(s->loop);
    fclose(s->file);
    for (size_t i = 0; i < 512; i++)
        str_clear(&s->paper.lines[i]);
}

static void tell(struct scene *s, struct event e)
{
    e.plan = &s->plan;
    s->sink.event(s->sink.ctx, &e);
}

static void on_timer(void *ctx)
{
    *(bool *)ctx = true;
}

/* Lets the display paint what is due. */
static void paint(struct scene *s)
{
    bool over = false;
    struct loop_timer *timer = NULL;
    loop_after(&timer, s->loop, 90, on_timer, &over);
    loop_wait(s->loop, &over);
}

static void look(struct scene *s)
{
    char text[4096];
    size_t n;
    struct str all = STR_INIT;
    fflush(s->file);
    rewind(s->file);
    while ((n = fread(text, 1, sizeof(text), s->file)) > 0)
        str_addn(&all, text, n);
    draw(&s->paper, all.buf);
    str_clear(&all);
    assert_true(s->paper.tallest < ROWS);
    for (size_t i = 0; i <= s->paper.used; i++)
        if (s->paper.lines[i].len)
            assert_in_range(safe_width(s->paper.lines[i].buf), 0, COLS - 1);
}

static size_t count(const struct scene *s, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i <= s->paper.used; i++)
        n += s->paper.lines[i].len && strstr(s->paper.lines[i].buf, text) != NULL;
    return n;
}

static void a_large_plan_fits_the_screen(void **state)
{
    (void)state;
    struct scene s;
    set_up(&s, SERVICES);
    tell(&s, (struct event){ .kind = EVENT_BEGIN });
    for (size_t i = 0; i < SERVICES; i += 20) {
        for (size_t k = i; k < i + 20; k++)
            tell(&s, (struct event){ .kind = EVENT_STARTED, .op = &s.ops[k] });
        paint(&s);
        for (size_t k = i; k < i + 20; k++)
            tell(&s, (struct event){ .kind = EVENT_ENDED, .op = &s.ops[k] });
        paint(&s);
    }
    tell(&s, (struct event){ .kind = EVENT_END });
    look(&s);
    assert_true(s.paper.tallest > 20); /* it does use the room */
    assert_int_equal(s.paper.used, ROWS - 2);
    assert_int_equal(count(&s, "[+] up 60/60"), 1);
    assert_int_equal(count(&s, "and 40 more"), 1);
    assert_int_equal(count(&s, "started"), 20);
    tear_down(&s);
}

static void a_failure_is_never_folded_away(void **state)
{
    (void)state;
    struct scene s;
    struct error err = ERROR_INIT;
    error_set(&err, ERR_ENGINE, 0, "no\x1b[2Jroom\n%0200d", 0);
    set_up(&s, SERVICES);
    tell(&s, (struct event){ .kind = EVENT_BEGIN });
    for (size_t i = 0; i < SERVICES; i++) {
        bool last = i == SERVICES - 1;
        tell(&s, (struct event){ .kind = EVENT_STARTED, .op = &s.ops[i] });
        tell(&s, (struct event){ .kind = EVENT_ENDED,
                                 .op = &s.ops[i],
                                 .outcome = last ? OUTCOME_FAILED : OUTCOME_DONE,
                                 .err = last ? &err : NULL });
    }
    tell(&s, (struct event){ .kind = EVENT_END });
    look(&s);
    assert_int_equal(count(&s, "service59"), 1);
    assert_int_equal(count(&s, "failed: no\\x1b[2Jroom\\n000"), 1);
    error_clear(&err);
    tear_down(&s);
}

/* A line without its last column, of times, which differ, and with one form of what turns. */
static void assert_reads(const char *line, const char *wanted)
{
    char text[256], *turning;
    size_t len = strlen(line);
    assert_in_range(len, 9, sizeof(text) - 1);
    memcpy(text, line, len - 9);
    text[len - 9] = '\0';
    while ((len = strlen(text)) && text[len - 1] == ' ')
        text[len - 1] = '\0';
    if ((turning = strstr(text, "\xe2\xa0"))) { /* U+2800 to U+283F */
        *turning = '~';
        memmove(turning + 1, turning + 3, strlen(turning + 3) + 1);
    }
    assert_string_equal(text, wanted);
}

/* One painting as it is read: failures, then what works, then what waits. */
static void what_matters_comes_first(void **state)
{
    static const char *const wanted[] = {
        " ✘ service  service10              failed: no such image",
        " ~ service  service12              starting: 3/5 layers 12.3 MB/45.7…",
        " ~ service  service13              starting: a text that is too long…",
        " ~ service  service14              starting",
        " · service  service15",
        " · service  service16",
    };
    (void)state;
    struct scene s;
    struct error err = ERROR_INIT;
    set_up(&s, SERVICES);
    tell(&s, (struct event){ .kind = EVENT_BEGIN });
    error_set(&err, ERR_ENGINE, 0, "no such image");
    for (size_t i = 0; i < 15; i++)
        tell(&s, (struct event){ .kind = EVENT_STARTED, .op = &s.ops[i] });
    for (size_t i = 0; i < 12; i++)
        tell(&s, (struct event){ .kind = EVENT_ENDED,
                                 .op = &s.ops[i],
                                 .outcome = i == 10   ? OUTCOME_FAILED
                                            : i == 11 ? OUTCOME_HELD
                                                      : OUTCOME_DONE,
                                 .err = i == 10 ? &err : NULL });
    static const char layers[] = "3/5 layers", longer[] = "a text that is too long for the line";
    tell(&s, (struct event){ .kind = EVENT_PROGRESS,
                             .op = &s.ops[12],
                             .text = layers,
                             .len = strlen(layers),
                             .current = 12345678,
                             .total = 45678901 });
    tell(&s, (struct event){
                 .kind = EVENT_PROGRESS, .op = &s.ops[13], .text = longer, .len = strlen(longer) });
    paint(&s);
    look(&s);
    assert_int_equal(count(&s, "[+] up 12/60  "), 1);
    for (size_t i = 0; i < countof(wanted); i++)
        assert_reads(s.paper.lines[i + 1].buf, wanted[i]);
    assert_int_equal(count(&s, "   … and 40 more"), 1);
    assert_int_equal(s.paper.used, ROWS - 2);
    error_clear(&err);
    tear_down(&s);
}

static void lines_of_output_stand_above_the_block(void **state)
{
    (void)state;
    struct scene s;
    set_up(&s, 3);
    tell(&s, (struct event){ .kind = EVENT_BEGIN });
    for (size_t i = 0; i < 3; i++) {
        tell(&s, (struct event){ .kind = EVENT_STARTED, .op = &s.ops[i] });
        paint(&s);
        tell(&s, (struct event){ .kind = EVENT_NOTE, .text = "a note", .len = 6 });
        paint(&s);
    }
    tell(&s, (struct event){ .kind = EVENT_ENDED, .op = &s.ops[1] });
    tell(&s, (struct event){ .kind = EVENT_END });
    look(&s);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(s.paper.lines[i].buf, "a note");
    assert_int_equal(count(&s, "[+] up 1/3"), 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(count(&s, s.names[i]), 1);
    assert_int_equal(s.paper.used, 3 + 1 + 3);
    tear_down(&s);
}

static void the_foot_stays_below_everything(void **state)
{
    (void)state;
    struct scene s;
    set_up(&s, 1);
    view_foot(s.view, "d detach");
    for (size_t i = 0; i < 3; i++) {
        tell(&s, (struct event){
                     .kind = EVENT_LOG, .service = "web", .stream = 1, .text = "line", .len = 4 });
        if (i != 1)
            paint(&s);
    }
    tell(&s, (struct event){ .kind = EVENT_BEGIN });
    tell(&s, (struct event){ .kind = EVENT_STARTED, .op = &s.ops[0] });
    paint(&s);
    tell(&s, (struct event){ .kind = EVENT_ENDED, .op = &s.ops[0] });
    tell(&s, (struct event){ .kind = EVENT_END });
    view_foot(s.view, "w watch files");
    paint(&s);
    look(&s);
    assert_string_equal(s.paper.lines[2].buf, "line");
    assert_int_equal(count(&s, "line"), 3);
    assert_int_equal(count(&s, "[+] up 1/1"), 1);
    assert_int_equal(count(&s, "d detach"), 0);
    assert_string_equal(s.paper.lines[5].buf, "w watch files");
    assert_int_equal(s.paper.used, 5);
    assert_true(s.paper.hidden);
    tear_down(&s);
}

static void the_foot_goes_without_a_trace(void **state)
{
    (void)state;
    struct scene s;
    set_up(&s, 0);
    view_foot(s.view, "d detach");
    paint(&s);
    view_foot(s.view, NULL);
    paint(&s);
    look(&s);
    assert_int_equal(count(&s, "d detach"), 0);
    assert_false(s.paper.hidden);
    tear_down(&s);
}

static void nothing_to_do_paints_nothing(void **state)
{
    (void)state;
    struct scene s;
    struct run_result result = { 0 };
    struct seen_container runs = { .state = CONTAINER_RUNNING };
    struct seen_container ended = { .state = CONTAINER_EXITED };
    const struct seen_container *const kept[] = { &runs, &ended, &runs };
    set_up(&s, 0);
    s.plan.kept = kept;
    s.plan.nkept = 3;
    tell(&s, (struct event){ .kind = EVENT_BEGIN });
    tell(&s, (struct event){ .kind = EVENT_END });
    view_report(s.view, &result);
    look(&s);
    assert_string_equal(s.paper.lines[0].buf, "nothing to do, 2 running");
    assert_int_equal(s.paper.used, 1);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_plan_fits_the_screen),
        cmocka_unit_test(a_failure_is_never_folded_away),
        cmocka_unit_test(what_matters_comes_first),
        cmocka_unit_test(lines_of_output_stand_above_the_block),
        cmocka_unit_test(the_foot_stays_below_everything),
        cmocka_unit_test(the_foot_goes_without_a_trace),
        cmocka_unit_test(nothing_to_do_paints_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
