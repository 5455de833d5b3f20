/*
 * The stat of a path in a container. Engines put it into a header: JSON in base64, its mode in the
 * bits of Go's os.FileMode (https://pkg.go.dev/io/fs#FileMode).
 */
#include "engine/path_stat.h"

#include <sys/stat.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/requests.h"

static const struct {
    unsigned bit; /* of Go's mode */
    mode_t type;
} types[] = {
    { 31, S_IFDIR }, { 27, S_IFLNK }, { 21, S_IFCHR },
    { 26, S_IFBLK }, { 25, S_IFIFO }, { 24, S_IFSOCK },
};

static mode_t read_mode(uint32_t go)
{
    mode_t mode = go & 0777;
    mode |= go & 1U << 23 ? S_ISUID : 0;
    mode |= go & 1U << 22 ? S_ISGID : 0;
    mode |= go & 1U << 20 ? S_ISVTX : 0;
    for (size_t i = 0; i < countof(types); i++)
        if (go & 1U << types[i].bit)
            return mode | types[i].type;
    return mode | S_IFREG;
}

void path_stat_clear(struct path_stat *st)
{
    free(st->link);
    *st = (struct path_stat){ 0 };
}

int path_stat_parse(struct path_stat *out, const char *header, struct error *err)
{
    static const char what[] = "the engine's stat of a path";
    auto_free uint8_t *text = NULL;
    size_t len = 0;
    if (base64_decode(&text, &len, header, err) < 0)
        return error_set(err, ERR_PROTOCOL, 0, "%s is not base64", what);
    auto_json json_t *j = json_parse((char *)text, len, what, err);
    if (!j)
        return -1;
    int64_t mode = json_int(j, "mode", -1);
    if (mode < 0 || mode > UINT32_MAX)
        return error_set(err, ERR_PROTOCOL, 0, "%s has no mode", what);
    struct path_stat st = { .mode = read_mode((uint32_t)mode), .size = json_int(j, "size", 0) };
    const char *link = json_str(j, "linkTarget");
    if (S_ISLNK(st.mode) && link && path_is_abs(link))
        st.link = path_clean(link);
    *out = st;
    return 0;
}

struct asking {
    bool done;
    int result;
    struct path_stat *out;
    struct error *err;
};

static void on_answer(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct asking *a = ctx;
    const char *header = answer ? http_header(answer->http, "x-docker-container-path-stat") : NULL;
    a->done = true;
    if (err && err->kind == ERR_ENGINE && err->code == 404)
        a->result = 0;
    else if (err || !header)
        a->result = -1;
    else
        a->result = path_stat_parse(a->out, header, a->err) < 0 ? -1 : 1;
    if (err && a->err)
        error_copy(a->err, err);
    else if (!header)
        error_set(a->err, ERR_PROTOCOL, 0, "the engine does not say what is at that path");
}

int path_stat_get(struct path_stat *out, struct engine *e, const char *container, const char *path,
                  struct error *err)
{
    struct asking a = { .out = out, .err = err };
    struct engine_request rq;
    rq_container_archive_stat(&rq, container, path);
    struct engine_call *call =
        engine_start(e, &rq, &(struct engine_handlers){ .done = on_answer, .ctx = &a });
    if (!loop_wait(engine_loop(e), &a.done)) {
        engine_cancel(call);
        return error_set(err, ERR_SYSTEM, 0, "the event loop ended before the engine answered");
    }
    if (a.result == 0)
        error_clear(err);
    return a.result;
}
