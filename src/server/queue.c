/* Jobs in memory and, step by step, in files. */
#include "server/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "base/vec.h"

enum {
    JOB_FILE_MAX = 16 << 10,
    DELIVERIES_FILE_MAX = 16 << 20,
};

struct queue {
    char *dir;
    int lock_fd, jobs_fd;
    struct {
        VEC(struct job *); /* by id */
    } jobs;
    struct {
        VEC(int64_t);
    } unsaved;              /* superseded ones whose files do not say so yet */
    struct strmap known;    /* "PROJECT DELIVERY" -> id, or -1 when only that is left */
    struct strv remembered; /* those with -1, oldest first */
    int64_t last_id;
};

/* --- files --- */

static char *job_path(const struct queue *q, int64_t id)
{
    return xasprintf("%s/jobs/%010lld.json", q->dir, (long long)id);
}

char *queue_log_path(const struct queue *q, int64_t id)
{
    return xasprintf("%s/logs/%lld.log", q->dir, (long long)id);
}

char *queue_project_lock(const struct queue *q, const char *project)
{
    return xasprintf("%s/locks/%s", q->dir, project);
}

const char *queue_dir(const struct queue *q)
{
    return q->dir;
}

static int save(const struct queue *q, const struct job *job, struct error *err)
{
    auto_json json_t *j = job_to_json(job);
    auto_free char *text = json_dumps(j, JSON_INDENT(2));
    auto_free char *path = job_path(q, job->id);
    return file_write_atomic(path, text, strlen(text), 0600, err);
}

/* A job that is promised to somebody: its name outlives a loss of power too. Of the steps that come
 * after, one that is lost is made again. */
static int save_new(const struct queue *q, const struct job *job, struct error *err)
{
    if (save(q, job, err) < 0)
        return -1;
    return fsync(q->jobs_fd) < 0 ? error_errno(err, "sync '%s/jobs'", q->dir) : 0;
}

static char *known_key(const char *project, const char *delivery)
{
    return xasprintf("%s %s", project, delivery);
}

static void know(struct queue *q, const struct job *job, int64_t id)
{
    if (!job->delivery)
        return;
    auto_free char *key = known_key(job->project, job->delivery);
    strmap_set(&q->known, key, (void *)(intptr_t)id);
}

/* --- looking --- */

size_t queue_len(const struct queue *q)
{
    return q->jobs.len;
}

const struct job *queue_at(const struct queue *q, size_t i)
{
    return q->jobs.items[i];
}

static struct job *find(const struct queue *q, int64_t id)
{
    size_t low = 0, high = q->jobs.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->jobs.items[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < q->jobs.len && q->jobs.items[low]->id == id ? q->jobs.items[low] : NULL;
}

const struct job *queue_job(const struct queue *q, int64_t id)
{
    return find(q, id);
}

int64_t queue_known(const struct queue *q, const char *project, const char *delivery)
{
    auto_free char *key = known_key(project, delivery);
    return (int64_t)(intptr_t)strmap_get(&q->known, key);
}

const struct job *queue_newest(const struct queue *q, const char *project, const char *ref)
{
    for (size_t i = q->jobs.len; i-- > 0;) {
        const struct job *job = q->jobs.items[i];
        if (str_eq(job->project, project) && str_eq(job->ref, ref))
            return job;
    }
    return NULL;
}

static size_t count(const struct queue *q, enum job_state state, const char *project)
{
    size_t n = 0;
    for (size_t i = 0; i < q->jobs.len; i++)
        n += q->jobs.items[i]->state == state &&
             (!project || str_eq(q->jobs.items[i]->project, project));
    return n;
}

size_t queue_running(const struct queue *q)
{
    return count(q, JOB_RUNNING, NULL);
}

const struct job *queue_next(const struct queue *q)
{
    for (size_t i = 0; i < q->jobs.len; i++) {
        const struct job *job = q->jobs.items[i];
        if (job->state == JOB_QUEUED && !count(q, JOB_RUNNING, job->project))
            return job;
    }
    return NULL;
}

/* --- steps --- */

/* The newest that waits for the project and ref, other than the job itself. */
static struct job *waiting_like(const struct queue *q, const struct job *job)
{
    for (size_t i = q->jobs.len; i-- > 0;) {
        struct job *other = q->jobs.items[i];
        if (other != job && other->state == JOB_QUEUED && str_eq(other->project, job->project) &&
            str_eq(other->ref, job->ref))
            return other;
    }
    return NULL;
}

static void supersede(struct job *old, const struct job *by)
{
    old->state = JOB_SUPERSEDED;
    old->superseded_by = by->id;
    old->ended_ns = clock_unix_ns();
}

int queue_add(int64_t *id, struct queue *q, const struct job *job, struct error *err)
{
    struct job *old = waiting_like(q, job);
    if (!old && count(q, JOB_QUEUED, NULL) >= QUEUE_WAITING_MAX)
        return error_set(err, ERR_CONFLICT, 0, "%d jobs are waiting", QUEUE_WAITING_MAX);
    struct job *added = xnew(struct job);
    *added = (struct job){
        .id = q->last_id + 1,
        .project = xstrdup(job->project),
        .ref = xstrdup(job->ref),
        .commit = xstrdup(job->commit),
        .forge = xstrdup(job->forge),
        .delivery = xstrdup(job->delivery),
        .received_ns = job->received_ns,
    };
    if (save_new(q, added, err) < 0) {
        job_clear(added);
        free(added);
        return -1;
    }
    *vec_push(&q->jobs) = added;
    q->last_id = *id = added->id;
    know(q, added, added->id);
    /* Of two files that wait queue_open() sees the older one as what it is: its own can wait. */
    if (old) {
        supersede(old, added);
        *vec_push(&q->unsaved) = old->id;
    }
    return 0;
}

static void save_rest(struct queue *q)
{
    vec_each (id, &q->unsaved) {
        auto_error struct error err = ERROR_INIT;
        const struct job *job = find(q, *id);
        if (job && save(q, job, &err) < 0)
            log_debug("hook: %s", err.msg);
    }
    q->unsaved.len = 0;
}

int queue_begin(struct queue *q, int64_t id, struct error *err)
{
    struct job *job = find(q, id);
    job->state = JOB_RUNNING;
    job->started_ns = clock_unix_ns();
    return save(q, job, err);
}

int queue_end(struct queue *q, int64_t id, enum job_state state, const char *message,
              struct error *err)
{
    struct job *job = find(q, id);
    job->state = state;
    job->ended_ns = clock_unix_ns();
    free(job->message);
    job->message = message ? xstrndup(message, JOB_MESSAGE_MAX) : NULL;
    save_rest(q);
    return save(q, job, err);
}

/* One that ran, and whose end nobody saw. */
static void wait_again(const struct queue *q, struct job *job)
{
    const struct job *newer = waiting_like(q, job);
    job->started_ns = 0;
    if (newer) {
        supersede(job, newer);
    } else if (job->interrupted >= JOB_INTERRUPTED_MAX) {
        job->state = JOB_FAILED;
        job->ended_ns = clock_unix_ns();
        free(job->message);
        job->message = xasprintf("the server died %d times while it ran", job->interrupted);
    } else {
        job->state = JOB_QUEUED;
    }
}

int queue_again(struct queue *q, int64_t id, struct error *err)
{
    struct job *job = find(q, id);
    wait_again(q, job);
    return save(q, job, err);
}

int queue_reported(struct queue *q, int64_t id, struct error *err)
{
    struct job *job = find(q, id);
    job->reported = true;
    return save(q, job, err);
}

/* --- remembering deliveries --- */

static int deliveries_write(const struct queue *q, struct error *err)
{
    auto_free char *path = path_join(q->dir, "deliveries");
    auto_free char *text = strv_join(&q->remembered, "\n");
    auto_free char *whole = xasprintf("%s%s", text, q->remembered.len ? "\n" : "");
    return file_write_atomic(path, whole, strlen(whole), 0600, err);
}

/* The oldest half goes, so that the file is written anew only once in a while. */
static void forget_half(struct queue *q)
{
    struct strv kept = STRV_INIT;
    for (size_t i = 0; i < q->remembered.len; i++)
        if (i >= q->remembered.len - QUEUE_DELIVERIES_MAX)
            strv_add(&kept, q->remembered.items[i]);
        else if ((intptr_t)strmap_get(&q->known, q->remembered.items[i]) < 0)
            strmap_remove(&q->known, q->remembered.items[i]);
    strv_clear(&q->remembered);
    q->remembered = kept;
}

static int deliveries_append(struct queue *q, const struct strv *lines, struct error *err)
{
    strv_each (it, lines)
        strv_add(&q->remembered, *it);
    if (q->remembered.len > 2 * QUEUE_DELIVERIES_MAX) {
        forget_half(q);
        return deliveries_write(q, err);
    }
    auto_free char *path = path_join(q->dir, "deliveries");
    auto_free char *text = strv_join(lines, "\n");
    /* The end of one that a kill cut off is a line by itself, which nobody asks for. */
    auto_free char *whole = xasprintf("\n%s\n", text);
    auto_close int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, whole, strlen(whole)) != (ssize_t)strlen(whole) || fsync(fd) < 0)
        return error_errno(err, "write '%s'", path);
    return 0;
}

static int deliveries_read(struct queue *q, struct error *err)
{
    auto_free char *path = path_join(q->dir, "deliveries");
    auto_free char *text = NULL;
    size_t len;
    if (!file_exists(path))
        return 0;
    if (file_read(&text, &len, path, DELIVERIES_FILE_MAX, err) < 0)
        return -1;
    strv_split(&q->remembered, text, "\n");
    strv_each (it, &q->remembered)
        if (!strmap_has(&q->known, *it))
            strmap_set(&q->known, *it, (void *)(intptr_t)-1);
    if (q->remembered.len > QUEUE_DELIVERIES_MAX)
        forget_half(q);
    return 0;
}

static void remove_files(const struct queue *q, int64_t id)
{
    auto_free char *log = queue_log_path(q, id);
    auto_free char *older = xasprintf("%s.1", log);
    auto_free char *path = job_path(q, id);
    unlink(log);
    unlink(older);
    unlink(path);
}

/* Whether it is one too many: `seen` counts finished and superseded ones of each project. */
static bool too_many(struct strmap *seen, const struct job *job, int keep)
{
    if (job->state == JOB_QUEUED || job->state == JOB_RUNNING)
        return false;
    auto_free char *key = xasprintf("%s %d", job->project, job->state == JOB_SUPERSEDED);
    intptr_t n = (intptr_t)strmap_get(seen, key) + 1;
    strmap_set(seen, key, (void *)n);
    return n > keep;
}

int queue_prune(struct queue *q, int keep, struct error *err)
{
    struct strmap seen = STRMAP_INIT;
    auto_strv struct strv lines = STRV_INIT;
    bool *goes = xcalloc(q->jobs.len + 1, sizeof(*goes));
    for (size_t i = q->jobs.len; i-- > 0;) {
        const struct job *job = q->jobs.items[i];
        /* The highest number is not given twice. */
        goes[i] = too_many(&seen, job, keep) && job->id != q->last_id;
    }
    strmap_clear(&seen, NULL);
    for (size_t i = 0; i < q->jobs.len; i++)
        if (goes[i] && q->jobs.items[i]->delivery)
            strv_take(&lines, known_key(q->jobs.items[i]->project, q->jobs.items[i]->delivery));
    /* First what is remembered, then the removal: a kill between them forgets nothing. */
    int result = lines.len ? deliveries_append(q, &lines, err) : 0;
    size_t left = 0;
    for (size_t i = 0; result == 0 && i < q->jobs.len; i++) {
        struct job *job = q->jobs.items[i];
        if (!goes[i]) {
            q->jobs.items[left++] = job;
            continue;
        }
        know(q, job, -1);
        remove_files(q, job->id);
        job_clear(job);
        free(job);
    }
    if (result == 0)
        q->jobs.len = left;
    free(goes);
    return result;
}

/* --- opening --- */

static int read_job(struct queue *q, const char *name, struct error *err)
{
    auto_free char *path = xasprintf("%s/jobs/%s", q->dir, name);
    auto_free char *text = NULL;
    size_t len;
    struct job job = { 0 };
    if (file_read(&text, &len, path, JOB_FILE_MAX, err) < 0 ||
        job_from_json(&job, text, len, err) < 0)
        return error_wrap(err, "%s", name);
    auto_free char *own = job_path(q, job.id);
    if (!str_eq(path_base(own), name)) {
        job_clear(&job);
        return error_set(err, ERR_PROTOCOL, 0, "%s: it is another job's", name);
    }
    struct job *kept = *vec_push(&q->jobs) = xnew(struct job);
    *kept = job;
    know(q, kept, kept->id);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = (*(struct job *const *)a)->id, y = (*(struct job *const *)b)->id;
    return (x > y) - (x < y);
}

static int read_jobs(struct queue *q, size_t *bad, struct error *err)
{
    auto_free char *folder = path_join(q->dir, "jobs");
    DIR *dir = opendir(folder);
    if (!dir)
        return error_errno(err, "open '%s'", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        auto_free char *path = path_join(folder, entry->d_name);
        auto_error struct error why = ERROR_INIT;
        if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..") ||
            str_ends(entry->d_name, ".bad"))
            continue;
        if (entry->d_name[0] == '.') { /* a write that a kill cut off */
            unlink(path);
            continue;
        }
        if (read_job(q, entry->d_name, &why) == 0)
            continue;
        log_debug("hook: %s", why.msg);
        auto_free char *aside = xasprintf("%s.bad", path);
        if (rename(path, aside) == 0)
            ++*bad;
    }
    closedir(dir);
    if (q->jobs.len)
        qsort(q->jobs.items, q->jobs.len, sizeof(*q->jobs.items), by_id);
    q->last_id = q->jobs.len ? q->jobs.items[q->jobs.len - 1]->id : 0;
    return 0;
}

/* What a kill left half done. */
static int recover(struct queue *q, struct error *err)
{
    for (size_t i = q->jobs.len; i-- > 0;) {
        struct job *job = q->jobs.items[i];
        const struct job *newer = job->state == JOB_QUEUED ? waiting_like(q, job) : NULL;
        if (job->state == JOB_RUNNING) {
            job->interrupted++;
            wait_again(q, job);
        } else if (newer && newer->id > job->id) {
            supersede(job, newer);
        } else {
            continue;
        }
        if (save(q, job, err) < 0)
            return -1;
    }
    return 0;
}

static int take_lock(struct queue *q, struct error *err)
{
    auto_free char *path = path_join(q->dir, "lock");
    q->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (q->lock_fd < 0)
        return error_errno(err, "open '%s'", path);
    if (flock(q->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        error_set(err, ERR_CONFLICT, 0, "another hook uses the queue '%s'", q->dir);
        return error_hint(err, "stop it, or give this one a queue of its own");
    }
    return 0;
}

int queue_open(struct queue **out, const char *dir, size_t *bad, struct error *err)
{
    auto_(queue_closep) struct queue *q = xnew(struct queue);
    size_t ignored = 0;
    q->dir = path_clean(dir);
    q->lock_fd = q->jobs_fd = -1;
    static const char *const folders[] = { "jobs", "logs", "locks" };
    for (size_t i = 0; i < countof(folders); i++) {
        auto_free char *folder = path_join(q->dir, folders[i]);
        if (file_mkdirs(folder, 0700, err) < 0)
            return -1;
    }
    auto_free char *jobs = path_join(q->dir, "jobs");
    q->jobs_fd = open(jobs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (q->jobs_fd < 0)
        return error_errno(err, "open '%s'", jobs);
    if (take_lock(q, err) < 0 || read_jobs(q, bad ? bad : &ignored, err) < 0 ||
        deliveries_read(q, err) < 0 || recover(q, err) < 0)
        return -1;
    *out = take(q);
    return 0;
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    save_rest(q);
    vec_free(&q->unsaved);
    vec_each (it, &q->jobs) {
        job_clear(*it);
        free(*it);
    }
    vec_free(&q->jobs);
    strmap_clear(&q->known, NULL);
    strv_clear(&q->remembered);
    auto_close_p(&q->lock_fd);
    auto_close_p(&q->jobs_fd);
    free(q->dir);
    free(q);
}

char *queue_usual_dir(struct error *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && path_is_abs(state))
        return path_join(state, "stack/hook");
    if (home && path_is_abs(home))
        return path_join(home, ".local/state/stack/hook");
    error_set(err, ERR_USAGE, 0, "no folder for the queue: HOME is not set");
    error_hint(err, "set HOME or XDG_STATE_HOME, or write 'queue: DIR' into the configuration");
    return NULL;
}
