/*
 * Contents of configs and secrets into a container that was created and not yet started: one tar,
 * extracted below /. No file of the host is involved, nothing is in labels or argv.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/tar.h"
#include "engine/requests.h"
#include "run/private.h"

#define FILE_MAX_BYTES ((size_t)4 << 20) /* of one config or secret */

struct files {
    struct str tar;
    size_t at;
    struct http_upload upload;
};

static void add_entry(struct str *tar, const char *data, size_t len, const struct file_use *use)
{
    struct tar_entry e = {
        .type = TAR_FILE, .name = use->target, .mode = (unsigned)use->mode, .size = (int64_t)len
    };
    num_int(&e.uid, use->uid ? use->uid : "0");
    num_int(&e.gid, use->gid ? use->gid : "0");
    tar_header(tar, &e);
    str_addn(tar, data, len);
    tar_pad(tar, e.size);
}

static int add_file(struct str *tar, const struct file_use *use, struct error *err)
{
    const struct file_object *object = use->object;
    const char *kind = object->secret ? "secret" : "config";
    if (object->content) {
        add_entry(tar, object->content, strlen(object->content), use);
        return 0;
    }
    if (!object->file)
        return error_set(err, ERR_INPUT, 0, "%s '%s' has no content here", kind, object->key);
    char *data = NULL;
    size_t len = 0;
    if (file_read(&data, &len, object->file, FILE_MAX_BYTES, err) < 0)
        return error_wrap(err, "%s '%s'", kind, object->key);
    add_entry(tar, data, len, use);
    wipe(data, len);
    free(data);
    return 0;
}

static long read_tar(void *ctx, char *buf, size_t max)
{
    struct files *f = ctx;
    size_t n = f->tar.len - f->at < max ? f->tar.len - f->at : max;
    memcpy(buf, f->tar.buf + f->at, n);
    f->at += n;
    return (long)n;
}

static void free_files(struct files *f)
{
    wipe(f->tar.buf, f->tar.len);
    str_clear(&f->tar);
    free(f);
}

static void cancel_files(struct task *t)
{
    if (t->call)
        engine_cancel(t->call);
    free_files(t->data);
    t->data = NULL;
}

static void on_put(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    (void)answer;
    t->call = NULL;
    free_files(t->data);
    t->data = NULL;
    t->cancel = NULL;
    if (!err) {
        task_done(t, OUTCOME_DONE);
        return;
    }
    /* Extracting the same files again changes nothing: a lost answer is simply asked for again. */
    if (answer_lost(err) && t->attempts < 3) {
        start_files(t);
        return;
    }
    task_fail_copy(t, err);
}

void start_files(struct task *t)
{
    struct files *f = xnew(struct files);
    struct error err = ERROR_INIT;
    f->tar = STR_INIT;
    for (size_t i = 0; i < t->op->service->nfiles; i++) {
        const struct file_use *use = &t->op->service->files[i];
        if (!file_use_is_bind(use) && add_file(&f->tar, use, &err) < 0) {
            free_files(f);
            task_fail(t, &err);
            return;
        }
    }
    tar_end(&f->tar);
    f->upload = (struct http_upload){ .read = read_tar, .ctx = f };
    t->data = f;
    t->cancel = cancel_files;
    t->attempts++;
    struct engine_request rq;
    rq_container_archive_put(&rq, task_target_id(t), "/", &f->upload, false);
    task_send(t, &rq, on_put);
}
