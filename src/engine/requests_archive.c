/* Requests that move files: tars of a container's paths, and a container as an image. */
#include "engine/requests_private.h"

static struct str archive_path(const char *id, const char *where)
{
    struct str path = request_path("/containers/", id, "/archive");
    engine_query(&path, "path", where);
    return path;
}

void rq_container_archive_get(request_out rq, const char *id, const char *path)
{
    struct str to = archive_path(id, path);
    request_make(rq, "GET", &to);
    rq->answer = ENGINE_BYTES;
    rq->silence_ms = LONG_MS;
}

void rq_container_archive_stat(request_out rq, const char *id, const char *path)
{
    struct str to = archive_path(id, path);
    request_make(rq, "HEAD", &to);
}

void rq_container_archive_put(request_out rq, const char *id, const char *path,
                              const struct http_upload *tar, bool copy_uid_gid)
{
    struct str to = archive_path(id, path);
    request_flag(&to, "noOverwriteDirNonDir", true);
    request_flag(&to, "copyUIDGID", copy_uid_gid);
    request_make(rq, "PUT", &to);
    rq->upload = tar;
    rq->silence_ms = LONG_MS;
}

void rq_container_archive_replace(request_out rq, const char *id, const char *path,
                                  const struct http_upload *tar)
{
    struct str to = archive_path(id, path);
    request_flag(&to, "copyUIDGID", true);
    request_make(rq, "PUT", &to);
    rq->upload = tar;
    rq->silence_ms = LONG_MS;
}

void rq_container_export(request_out rq, const char *id)
{
    struct str path = request_path("/containers/", id, "/export");
    request_make(rq, "GET", &path);
    rq->answer = ENGINE_BYTES;
    rq->silence_ms = LONG_MS;
}

void rq_container_commit(request_out rq, const char *id, const struct commit_options *opt)
{
    struct str path = request_plain("/commit");
    engine_query(&path, "container", id);
    engine_query(&path, "repo", opt->repo);
    engine_query(&path, "tag", opt->tag);
    engine_query(&path, "author", opt->author);
    engine_query(&path, "comment", opt->message);
    for (const char *const *change = opt->changes; change && *change; change++)
        engine_query(&path, "changes", *change);
    engine_query(&path, "pause", opt->pause ? "1" : "0");
    request_make(rq, "POST", &path);
    rq->silence_ms = LONG_MS;
}
