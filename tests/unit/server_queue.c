/* The queue: its order, and what is left of it after a kill. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/queue.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static struct queue *open_queue(void)
{
    auto_error struct error err = ERROR_INIT;
    struct queue *q = NULL;
    if (queue_open(&q, "q", NULL, &err) < 0)
        fail_msg("%s", err.msg);
    return q;
}

static int64_t add(struct queue *q, const char *project, const char *ref, const char *delivery)
{
    auto_error struct error err = ERROR_INIT;
    int64_t id = 0;
    auto_free char *p = xstrdup(project), *r = xstrdup(ref), *d = xstrdup(delivery);
    auto_free char *commit = xstrdup(COMMIT), *forge = xstrdup("github");
    struct job job = { .project = p, .ref = r, .commit = commit, .forge = forge, .delivery = d };
    job.received_ns = clock_unix_ns();
    if (queue_add(&id, q, &job, &err) < 0)
        fail_msg("%s", err.msg);
    return id;
}

static enum job_state state_of(const struct queue *q, int64_t id)
{
    assert_non_null(queue_job(q, id));
    return queue_job(q, id)->state;
}

#define MAIN "refs/heads/main"

static void newest_wins_per_ref(void **state)
{
    (void)state;
    auto_(queue_closep) struct queue *q = open_queue();
    int64_t a = add(q, "nova", MAIN, NULL), b = add(q, "nova", "refs/heads/x", NULL);
    int64_t c = add(q, "nova", MAIN, NULL), d = add(q, "glance", MAIN, NULL);
    assert_int_equal(state_of(q, a), JOB_SUPERSEDED);
    assert_int_equal(queue_job(q, a)->superseded_by, c);
    assert_int_equal(state_of(q, b), JOB_QUEUED);
    assert_int_equal(queue_next(q)->id, b);

    /* One of a project at a time; others go on. */
    assert_int_equal(queue_begin(q, b, NULL), 0);
    assert_int_equal(queue_next(q)->id, d);
    assert_int_equal(queue_begin(q, d, NULL), 0);
    assert_null(queue_next(q));
    assert_int_equal(queue_running(q), 2);

    /* A push while its ref runs waits. */
    int64_t e = add(q, "nova", "refs/heads/x", NULL);
    assert_int_equal(state_of(q, b), JOB_RUNNING);
    assert_int_equal(queue_end(q, b, JOB_SUCCESS, NULL, NULL), 0);
    assert_int_equal(queue_next(q)->id, c);
    assert_int_equal(queue_newest(q, "nova", "refs/heads/x")->id, e);
    assert_null(queue_newest(q, "nova", "refs/heads/y"));
}

static void what_was_running_runs_again(void **state)
{
    (void)state;
    auto_(queue_closep) struct queue *q = open_queue();
    int64_t a = add(q, "nova", MAIN, "d1"), b = add(q, "glance", MAIN, "d1");
    queue_begin(q, a, NULL);
    queue_begin(q, b, NULL);
    int64_t c = add(q, "glance", MAIN, "d2");
    for (int i = 1; i <= JOB_INTERRUPTED_MAX; i++) {
        queue_close(q);
        q = open_queue();
        assert_int_equal(queue_job(q, a)->interrupted, i);
        assert_int_equal(state_of(q, a), i < JOB_INTERRUPTED_MAX ? JOB_QUEUED : JOB_FAILED);
        /* A newer push was there: that one. */
        assert_int_equal(state_of(q, b), JOB_SUPERSEDED);
        assert_int_equal(state_of(q, c), JOB_QUEUED);
        if (i < JOB_INTERRUPTED_MAX)
            queue_begin(q, a, NULL);
    }
    assert_string_equal(queue_job(q, a)->message, "the server died 3 times while it ran");
}

static void a_stop_is_no_interruption(void **state)
{
    (void)state;
    auto_(queue_closep) struct queue *q = open_queue();
    int64_t a = add(q, "nova", MAIN, NULL);
    queue_begin(q, a, NULL);
    assert_int_equal(queue_again(q, a, NULL), 0);
    queue_close(q);
    q = open_queue();
    assert_int_equal(state_of(q, a), JOB_QUEUED);
    assert_int_equal(queue_job(q, a)->interrupted, 0);
}

static void everything_is_on_disk(void **state)
{
    (void)state;
    auto_(queue_closep) struct queue *q = open_queue();
    int64_t a = add(q, "nova", MAIN, "github:1");
    queue_begin(q, a, NULL);
    queue_end(q, a, JOB_FAILED, "exit code 7", NULL);
    queue_reported(q, a, NULL);
    queue_close(q);
    q = open_queue();
    const struct job *job = queue_job(q, a);
    assert_string_equal(job->project, "nova");
    assert_string_equal(job->ref, MAIN);
    assert_string_equal(job->commit, COMMIT);
    assert_string_equal(job->delivery, "github:1");
    assert_string_equal(job->message, "exit code 7");
    assert_true(job->reported);
    assert_true(job->received_ns > 0 && job->started_ns >= job->received_ns &&
                job->ended_ns >= job->started_ns);
    assert_int_equal(add(q, "nova", MAIN, NULL), a + 1);
}

static void deliveries_stay_known(void **state)
{
    (void)state;
    auto_(queue_closep) struct queue *q = open_queue();
    int64_t a = add(q, "nova", MAIN, "github:1");
    assert_int_equal(queue_known(q, "nova", "github:1"), a);
    assert_int_equal(queue_known(q, "glance", "github:1"), 0);
    for (int i = 2; i <= 10; i++) {
        auto_free char *delivery = xasprintf("github:%d", i);
        add(q, "nova", MAIN, delivery);
    }
    auto_free char *log = queue_log_path(q, a);
    file_write_atomic(log, "x", 1, 0600, NULL);
    assert_int_equal(queue_prune(q, 3, NULL), 0);
    assert_int_equal(queue_len(q), 4); /* one waits, three are kept */
    assert_false(file_exists(log));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(queue_known(q, "nova", "github:1"), -1);
        assert_int_equal(queue_known(q, "nova", "github:9"), 9);
        assert_int_equal(queue_known(q, "nova", "github:11"), 0);
        queue_close(q);
        q = open_queue();
    }
    assert_int_equal(add(q, "nova", MAIN, NULL), 11);
}

static void the_ids_remembered_are_bounded(void **state)
{
    (void)state;
    auto_str struct str lines = STR_INIT;
    for (int i = 0; i < QUEUE_DELIVERIES_MAX + 5; i++)
        str_addf(&lines, "nova github:old%d\n", i);
    str_add(&lines, "cut of"); /* by a kill */
    mkdir("q", 0700);
    assert_int_equal(file_write_atomic("q/deliveries", lines.buf, lines.len, 0600, NULL), 0);
    auto_(queue_closep) struct queue *q = open_queue();
    assert_int_equal(queue_known(q, "nova", "github:old0"), 0);
    assert_int_equal(queue_known(q, "nova", "github:old10004"), -1);
    for (int i = 0; i < 3; i++) {
        auto_free char *delivery = xasprintf("github:%d", i);
        add(q, "nova", MAIN, delivery);
    }
    queue_prune(q, 1, NULL);
    queue_close(q);
    q = open_queue();
    assert_int_equal(queue_known(q, "nova", "github:0"), -1);
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(file_mkdirs("q/jobs", 0700, NULL), 0);
    for (int i = 1; i <= QUEUE_WAITING_MAX; i++) {
        auto_free char *path = xasprintf("q/jobs/%010d.json", i);
        auto_fclose FILE *f = fopen(path, "w");
        fprintf(f,
                "{\"id\":%d,\"project\":\"nova\",\"ref\":\"refs/tags/v%d\",\"commit\":\"" COMMIT
                "\",\"forge\":\"github\",\"state\":\"queued\"}",
                i, i);
    }
    auto_(queue_closep) struct queue *q = open_queue();
    auto_free char *p = xstrdup("nova"), *r = xstrdup("refs/tags/more"), *c = xstrdup(COMMIT);
    struct job job = { .project = p, .ref = r, .commit = c, .forge = p };
    int64_t id;
    assert_int_equal(queue_add(&id, q, &job, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
    /* One that takes the place of another has room. */
    add(q, "nova", "refs/tags/v7", NULL);
}

static void one_server_at_a_time(void **state)
{
    (void)state;
    auto_(queue_closep) struct queue *q = open_queue();
    struct queue *other;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(queue_open(&other, "q", NULL, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);
}

static void files_that_are_no_jobs(void **state)
{
    (void)state;
    queue_close(open_queue());
    static const char *const files[][2] = {
        { "0000000001.json", "" },
        { "0000000002.json", "{\"id\":2" },
        { "0000000003.json",
          "{\"id\":3,\"project\":\"../x\",\"ref\":\"" MAIN "\",\"commit\":\"" COMMIT
          "\",\"forge\":\"github\",\"state\":\"queued\"}" },
        { "0000000004.json", "{\"id\":5,\"project\":\"x\",\"ref\":\"" MAIN "\",\"commit\":\"" COMMIT
                             "\",\"forge\":\"github\",\"state\":\"queued\"}" },
        { "0000000006.json", "{\"id\":6,\"project\":\"x\",\"ref\":\"" MAIN "\",\"commit\":\"" COMMIT
                             "\",\"forge\":\"github\",\"state\":\"queued\"}" },
        { ".0000000007.json.AbCdEf", "{" },
    };
    for (size_t i = 0; i < countof(files); i++) {
        auto_free char *path = xasprintf("q/jobs/%s", files[i][0]);
        assert_int_equal(file_write_atomic(path, files[i][1], strlen(files[i][1]), 0600, NULL), 0);
    }
    size_t bad = 0;
    auto_(queue_closep) struct queue *q = NULL;
    assert_int_equal(queue_open(&q, "q", &bad, NULL), 0);
    assert_int_equal(bad, 4);
    assert_int_equal(queue_len(q), 1);
    assert_int_equal(queue_next(q)->id, 6);
    assert_true(file_exists("q/jobs/0000000001.json.bad"));
    assert_false(file_exists("q/jobs/.0000000007.json.AbCdEf"));
}

/* --- killed while it works --- */

/* In a child: adds, begins and ends jobs for ever; tells each id once it was promised. */
static void __attribute__((noreturn)) work(int fd)
{
    struct queue *q = NULL;
    if (queue_open(&q, "q", NULL, NULL) < 0)
        _exit(1);
    for (int i = 0;; i++) {
        char ref[64], delivery[64], project[16] = "nova", forge[] = "github", commit[] = COMMIT;
        int64_t id;
        snprintf(ref, sizeof(ref), "refs/heads/b%d", i % 3);
        snprintf(delivery, sizeof(delivery), "github:%d:%d", (int)getpid(), i);
        struct job job = {
            .project = project, .ref = ref, .commit = commit, .forge = forge, .delivery = delivery
        };
        if (queue_add(&id, q, &job, NULL) < 0 || write(fd, &id, sizeof(id)) != sizeof(id))
            _exit(1);
        const struct job *next = queue_next(q);
        if (next && i % 2) {
            int64_t began = next->id;
            queue_begin(q, began, NULL);
            queue_end(q, began, JOB_SUCCESS, NULL, NULL);
        }
        if (i % 16 == 15)
            queue_prune(q, 1000, NULL);
    }
}

static void killed_at_any_moment(void **state)
{
    (void)state;
    int64_t last = 0;
    for (int round = 0; round < 15; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            work(fds[1]);
        close(fds[1]);
        int64_t id, n = 0;
        /* At a moment that differs: after some promises, in the middle of the next. */
        while (n++ < 3 + round && read(fds[0], &id, sizeof(id)) == sizeof(id))
            last = id;
        for (volatile int spin = 0; spin < round * 20000; spin++)
            ;
        kill(pid, SIGKILL);
        while (read(fds[0], &id, sizeof(id)) == sizeof(id))
            last = id;
        close(fds[0]);
        waitpid(pid, NULL, 0);

        size_t bad = 0, waiting = 0;
        auto_(queue_closep) struct queue *q = NULL;
        assert_int_equal(queue_open(&q, "q", &bad, NULL), 0);
        assert_int_equal(bad, 0);
        /* None is missing of those promised, and none waits twice. */
        for (int64_t i = 1; i <= last; i++)
            assert_non_null(queue_job(q, i));
        for (size_t i = 0; i < queue_len(q); i++) {
            const struct job *job = queue_at(q, i);
            assert_int_not_equal(job->state, JOB_RUNNING);
            waiting += job->state == JOB_QUEUED;
            if (job->state == JOB_QUEUED)
                assert_ptr_equal(queue_newest(q, "nova", job->ref), job);
        }
        assert_true(waiting <= 3);
        if (queue_len(q))
            last = queue_at(q, queue_len(q) - 1)->id;
    }
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(newest_wins_per_ref),       IN_DIR(what_was_running_runs_again),
        IN_DIR(a_stop_is_no_interruption), IN_DIR(everything_is_on_disk),
        IN_DIR(deliveries_stay_known),     IN_DIR(the_ids_remembered_are_bounded),
        IN_DIR(what_waits_is_bounded),     IN_DIR(one_server_at_a_time),
        IN_DIR(files_that_are_no_jobs),    IN_DIR(killed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
