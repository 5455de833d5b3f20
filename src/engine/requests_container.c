/* Requests on containers, and on commands in them. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "engine/requests_private.h"

/* --- containers --- */

static void container(request_out rq, const char *method, const char *id, const char *after)
{
    struct str path = request_path("/containers/", id, after);
    request_make(rq, method, &path);
}

void rq_containers(request_out rq, const char *stack, bool all)
{
    request_list(rq, "/containers/json", stack, all);
}

void rq_containers_any(request_out rq, const char *filter_kind, const char *filter_value)
{
    struct str path = request_plain("/containers/json?all=1");
    engine_query_filters(&path, filter_kind, filter_value, NULL);
    request_make(rq, "GET", &path);
}

void rq_container_inspect(request_out rq, const char *id)
{
    container(rq, "GET", id, "/json");
}

void rq_container_create(request_out rq, const char *name, const char *platform, json_t *body)
{
    struct str path = request_plain("/containers/create");
    engine_query(&path, "name", name);
    engine_query(&path, "platform", platform);
    request_make(rq, "POST", &path);
    rq->body = body;
    rq->silence_ms = SLOW_MS;
}

void rq_container_start(request_out rq, const char *id)
{
    container(rq, "POST", id, "/start");
    rq->already_ok = true;
    rq->silence_ms = SLOW_MS;
}

/* Without a timeout of ours the engine waits as long as the container was made to be waited for. */
static int64_t grace_ms(int timeout_s)
{
    return timeout_s < 0 ? LONG_MS : SLOW_MS + (int64_t)timeout_s * 1000;
}

static void stop_or_restart(request_out rq, const char *id, const char *verb, const char *signal,
                            int timeout_s)
{
    struct str path = request_path("/containers/", id, verb);
    engine_query(&path, "signal", signal);
    if (timeout_s >= 0)
        engine_query_int(&path, "t", timeout_s);
    request_make(rq, "POST", &path);
    rq->silence_ms = grace_ms(timeout_s);
}

void rq_container_stop(request_out rq, const char *id, const char *signal, int timeout_s)
{
    stop_or_restart(rq, id, "/stop", signal, timeout_s);
    rq->already_ok = true;
}

void rq_container_restart(request_out rq, const char *id, int timeout_s)
{
    stop_or_restart(rq, id, "/restart", NULL, timeout_s);
}

void rq_container_kill(request_out rq, const char *id, const char *signal)
{
    struct str path = request_path("/containers/", id, "/kill");
    engine_query(&path, "signal", signal);
    request_make(rq, "POST", &path);
}

void rq_container_pause(request_out rq, const char *id)
{
    container(rq, "POST", id, "/pause");
}

void rq_container_unpause(request_out rq, const char *id)
{
    container(rq, "POST", id, "/unpause");
}

void rq_container_remove(request_out rq, const char *id, bool force, bool volumes)
{
    struct str path = request_path("/containers/", id, "");
    request_flag(&path, "force", force);
    request_flag(&path, "v", volumes);
    request_make(rq, "DELETE", &path);
    rq->missing_ok = true;
    rq->silence_ms = SLOW_MS;
}

void rq_container_rename(request_out rq, const char *id, const char *name)
{
    struct str path = request_path("/containers/", id, "/rename");
    engine_query(&path, "name", name);
    request_make(rq, "POST", &path);
}

void rq_container_wait(request_out rq, const char *id, const char *condition)
{
    struct str path = request_path("/containers/", id, "/wait");
    engine_query(&path, "condition", condition);
    request_make(rq, "POST", &path);
    rq->quiet_ok = true;
}

void rq_container_top(request_out rq, const char *id, const char *ps_args)
{
    struct str path = request_path("/containers/", id, "/top");
    engine_query(&path, "ps_args", ps_args);
    request_make(rq, "GET", &path);
}

void rq_container_stats(request_out rq, const char *id, bool stream)
{
    struct str path = request_path("/containers/", id, "/stats");
    engine_query(&path, "stream", stream ? "1" : "0");
    request_make(rq, "GET", &path);
    rq->answer = stream ? ENGINE_STREAM : ENGINE_JSON;
    rq->quiet_ok = stream;
}

void rq_container_update(request_out rq, const char *id, json_t *body)
{
    container(rq, "POST", id, "/update");
    rq->body = body;
}

static void resize(request_out rq, struct str path, int rows, int cols)
{
    engine_query_int(&path, "h", rows);
    engine_query_int(&path, "w", cols);
    request_make(rq, "POST", &path);
}

void rq_container_resize(request_out rq, const char *id, int rows, int cols)
{
    resize(rq, request_path("/containers/", id, "/resize"), rows, cols);
}

void rq_container_logs(request_out rq, const char *id, const struct logs_options *opt)
{
    struct str path = request_path("/containers/", id, "/logs");
    request_flag(&path, "stdout", !opt->no_stdout);
    request_flag(&path, "stderr", !opt->no_stderr);
    request_flag(&path, "follow", opt->follow);
    request_flag(&path, "timestamps", opt->timestamps);
    if (opt->tail >= 0)
        engine_query_int(&path, "tail", opt->tail);
    engine_query(&path, "since", opt->since);
    engine_query(&path, "until", opt->until);
    request_make(rq, "GET", &path);
    rq->answer = ENGINE_BYTES;
    rq->quiet_ok = opt->follow;
}

/* --- exec --- */

void rq_exec_create(request_out rq, const char *container_id, json_t *body)
{
    container(rq, "POST", container_id, "/exec");
    rq->body = body;
}

static void exec_start(request_out rq, const char *id, bool detach, bool tty)
{
    struct str path = request_path("/exec/", id, "/start");
    request_make(rq, "POST", &path);
    rq->body = json_pack("{s:b, s:b}", "Detach", detach, "Tty", tty);
}

void rq_exec_start_detached(request_out rq, const char *id, bool tty)
{
    exec_start(rq, id, true, tty);
}

void rq_exec_start(request_out rq, const char *id)
{
    exec_start(rq, id, false, false);
    rq->answer = ENGINE_BYTES;
    rq->quiet_ok = true;
}

void rq_exec_inspect(request_out rq, const char *id)
{
    struct str path = request_path("/exec/", id, "/json");
    request_make(rq, "GET", &path);
}

void rq_exec_resize(request_out rq, const char *id, int rows, int cols)
{
    resize(rq, request_path("/exec/", id, "/resize"), rows, cols);
}
