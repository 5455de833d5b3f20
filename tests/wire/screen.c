/*
 * `stack up` of sixty services on a terminal of 24 lines and 80 columns, as a person sees it: what
 * is written goes to a screen that is drawn here, and every painting of the block is looked at.
 */
#include "../support/fake.h"
#include "../unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"
#include "cli/cli.h"

#define SERVICES 60
#define ROWS 24
#define COLS 80
#define LIMIT_MS 30000

/* Cells hold one character of UTF-8 each; all that comes here is one column wide. */
struct screen {
    char cells[ROWS][COLS + 1][5];
    size_t row, col;
    bool hidden;   /* the cursor */
    size_t folded; /* lines that were too long */
    char sequence[32];
    size_t in_sequence;
    size_t frames;   /* paintings of the block that were looked at */
    size_t most;     /* lines of the tallest one */
    size_t with_bad; /* frames in which the failure was seen */
};

static void line_text(const struct screen *s, size_t row, struct str *out)
{
    for (size_t i = 0; i < COLS; i++)
        str_add(out, s->cells[row][i][0] ? s->cells[row][i] : " ");
    while (out->len && out->buf[out->len - 1] == ' ')
        str_truncate(out, out->len - 1);
}

/* Before the block is painted anew, it stands on the screen as a person has read it: its head, then
 * rows, then a count of the others, which together are all services and the network. */
static void look(struct screen *s)
{
    size_t head = ROWS, rows = 0, more = 0;
    bool bad = false;
    for (size_t i = 0; i < s->row; i++) {
        struct str line = STR_INIT;
        unsigned long n;
        line_text(s, i, &line);
        if (str_starts(line.buf, "[+] up ")) {
            assert_int_equal(head, ROWS); /* only one */
            head = i;
        } else if (sscanf(line.buf, "   … and %lu more", &n) == 1) {
            more = n;
            assert_int_equal(i + 1, s->row); /* the last line */
        } else if (head < ROWS) {
            assert_true(strstr(line.buf, " service ") || strstr(line.buf, " network "));
            assert_true(strstr(line.buf, " s") || strstr(line.buf, "·") || strstr(line.buf, "-"));
            rows++;
        }
        bad |= strstr(line.buf, "broken") && strstr(line.buf, "failed");
        str_clear(&line);
    }
    assert_true(head < ROWS);
    assert_int_equal(rows + more, SERVICES + 1);
    assert_int_equal(s->folded, 0);
    s->frames++;
    s->with_bad += bad;
    s->most = s->row - head > s->most ? s->row - head : s->most;
}

static void feed_line(struct screen *s)
{
    s->row++;
    if (s->row < ROWS)
        return;
    memmove(s->cells[0], s->cells[1], sizeof(s->cells) - sizeof(s->cells[0]));
    memset(s->cells[ROWS - 1], 0, sizeof(s->cells[0]));
    s->row = ROWS - 1;
}

/* Of what terminals understand the few things that the block uses; nothing else may come. */
static void obey(struct screen *s)
{
    const char *text = s->sequence + 2;
    char last = s->sequence[s->in_sequence - 1];
    unsigned n = 0;
    if (str_eq(text, "?25l") || str_eq(text, "?25h")) {
        s->hidden = last == 'l';
    } else if (last == 'A' && sscanf(text, "%u", &n) == 1) {
        assert_true(n <= s->row); /* else lines of the block have left the screen */
        look(s);
        s->row -= n;
    } else if (last == 'J' && s->in_sequence == 3) {
        memset(s->cells[s->row], 0, (ROWS - s->row) * sizeof(s->cells[0]));
    } else {
        assert_int_equal(last, 'm');
    }
    s->in_sequence = 0;
}

static void draw(struct screen *s, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = data[i];
        if (s->in_sequence || c == '\x1b') {
            assert_true(s->in_sequence + 1 < sizeof(s->sequence));
            s->sequence[s->in_sequence++] = c;
            s->sequence[s->in_sequence] = '\0';
            if (s->in_sequence > 2 && c >= '@')
                obey(s);
        } else if (c == '\r') {
            s->col = 0;
        } else if (c == '\n') {
            feed_line(s);
        } else if (((unsigned char)c & 0xc0) == 0x80) {
            char *cell = s->cells[s->row][s->col - 1];
            cell[strlen(cell)] = c;
        } else {
            if (s->col == COLS) { /* terminals fold */
                s->folded++;
                s->col = 0;
                feed_line(s);
            }
            memset(s->cells[s->row][s->col], 0, sizeof(s->cells[0][0]));
            s->cells[s->row][s->col++][0] = c;
        }
    }
}

/* Six layers of ten, each waiting for the health of the one before; one of the first fails. */
static void write_stack(void)
{
    FILE *file = fopen("compose.yaml", "w");
    assert_non_null(file);
    fprintf(file, "name: t\nservices:\n  broken: {image: base, command: ['exit 3']}\n"
                  "  held: {image: base, depends_on: {broken: "
                  "{condition: service_completed_successfully}}}\n");
    for (int i = 2; i < SERVICES; i++) {
        fprintf(file,
                "  a-service-with-a-rather-long-name-%02d: {image: base, "
                "healthcheck: {test: 'exit 0'}",
                i);
        if (i >= 12)
            fprintf(file,
                    ", depends_on: {a-service-with-a-rather-long-name-%02d: "
                    "{condition: service_healthy}}",
                    i - 10);
        fprintf(file, "}\n");
    }
    fclose(file);
}

static pid_t start(int *master, const char *host)
{
    struct winsize size = { .ws_row = ROWS, .ws_col = COLS };
    pid_t pid = forkpty(master, NULL, NULL, &size);
    assert_true(pid >= 0);
    if (pid == 0) {
        char words[][8] = { "stack", "up", "-d" };
        char *argv[] = { words[0], words[1], words[2], NULL };
        static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
        for (size_t i = 0; i < countof(signals); i++)
            signal(signals[i], SIG_DFL);
        setenv("DOCKER_HOST", host, 1);
        setenv("TERM", "xterm", 1);
        exit(cli_main(3, argv));
    }
    fcntl(*master, F_SETFL, O_NONBLOCK);
    return pid;
}

static void sixty_services_on_a_small_screen(void **state)
{
    auto_free char *socket = xasprintf("%s/engine", (char *)*state);
    auto_free struct screen *s = xnew(struct screen);
    struct fake *f = fake_new(socket);
    int master, status = 0;
    char data[65536];
    ssize_t n;
    fake_image(f, "base", NULL);
    write_stack();
    pid_t pid = start(&master, fake_host(f));
    fake_set_client(f, pid);
    int64_t end = clock_ms() + LIMIT_MS;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        /* An engine that takes its time, so that there is something to paint meanwhile. */
        struct pollfd painted = { .fd = master, .events = POLLIN };
        poll(&painted, 1, 20);
        fake_serve(f, 5);
        while ((n = read(master, data, sizeof(data))) > 0)
            draw(s, data, (size_t)n);
        if (clock_ms() > end)
            kill(pid, SIGKILL);
    }
    while ((n = read(master, data, sizeof(data))) > 0)
        draw(s, data, (size_t)n);
    close(master);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_UNREADY);
    assert_true(s->frames > 2);
    assert_in_range(s->most, ROWS / 2, ROWS - 1);
    assert_true(s->with_bad > 0);
    assert_false(s->hidden);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sixty_services_on_a_small_screen, unit_dir_make,
                                        unit_dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
