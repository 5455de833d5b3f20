/* Files of containers of the engine made of JSON: tars in and out, containers as images. */
#include "fake_private.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

static json_t *named(struct exchange *x)
{
    json_t *container = fake_find_container(x->f, x->name);
    if (!container)
        fake_answer_error(x, 404, "No such container: %s", x->name);
    return container;
}

static int64_t octal(const char *field, size_t len)
{
    int64_t value = 0;
    for (size_t i = 0; i < len && field[i]; i++)
        if (field[i] >= '0' && field[i] <= '7')
            value = value * 8 + (field[i] - '0');
    return value;
}

static void drop_file(json_t *files, const char *path)
{
    size_t i;
    json_t *file;
    json_array_foreach (files, i, file) {
        if (str_eq(json_str(file, "path"), path)) {
            json_array_remove(files, i);
            return;
        }
    }
}

/* Regular files of a tar, with what they are to be; other entries are passed over. */
void fake_container_archive_put(struct exchange *x)
{
    json_t *container = named(x);
    const char *below = fake_query_text(x, "path");
    if (!container)
        return;
    if (json_bool(container, "HostConfig.ReadonlyRootfs", false)) {
        fake_answer_error(x, 500, "container rootfs is marked read-only");
        return;
    }
    json_t *files = json_object_get(json_object_get(container, "Fake"), "files");
    for (size_t at = 0; at + 512 <= x->raw_len && x->raw[at];) {
        const char *entry = x->raw + at;
        size_t size = (size_t)octal(entry + 124, 12);
        if (at + 512 + size > x->raw_len)
            break;
        if (entry[156] == '0' || !entry[156]) {
            auto_free char *name = xstrndup(entry, 100);
            auto_free char *path = xasprintf("%s%s%s", below ? below : "/",
                                             below && str_ends(below, "/") ? "" : "/", name);
            auto_free char *content = xstrndup(entry + 512, size);
            drop_file(files, path);
            json_array_append_new(files,
                                  json_pack("{s:s, s:I, s:I, s:I, s:s}", "path", path, "mode",
                                            (json_int_t)octal(entry + 100, 8), "uid",
                                            (json_int_t)octal(entry + 108, 8), "gid",
                                            (json_int_t)octal(entry + 116, 8), "content", content));
        }
        at += 512 + (size + 511) / 512 * 512;
    }
    x->status = 200;
}

void fake_archive(struct fake *f, const char *stat, const char *tar, size_t len)
{
    free(f->path_stat);
    f->path_stat = xstrdup(stat);
    str_clear(&f->archive);
    str_addn(&f->archive, tar, len);
}

void fake_container_archive_stat(struct exchange *x)
{
    if (!named(x))
        return;
    if (!x->f->path_stat) {
        fake_answer_error(x, 404, "Could not find the file in container");
        return;
    }
    auto_free char *encoded = base64_encode(x->f->path_stat, strlen(x->f->path_stat), false);
    x->header = xasprintf("X-Docker-Container-Path-Stat: %s", encoded);
    x->status = 200;
}

void fake_container_archive_get(struct exchange *x)
{
    fake_container_archive_stat(x);
    if (x->status != 200)
        return;
    x->type = "application/x-tar";
    str_addn(&x->text, x->f->archive.buf, x->f->archive.len);
}

void fake_container_export(struct exchange *x)
{
    if (named(x))
        str_addn(&x->text, x->f->archive.buf, x->f->archive.len);
}

void fake_container_commit(struct exchange *x)
{
    x->json = json_pack("{s:s}", "Id", "sha256:committed");
    x->status = 201;
}
