/* Volumes, binds, tmpfs, and the configs and secrets that are plain files. */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/create_private.h"

/* An anonymous volume of the container that is replaced, for the same target. */
static const char *carried_over(const struct create_input *in, const char *target)
{
    for (const char *const *a = in->anonymous; a && a[0]; a += 2)
        if (str_eq(a[0], target))
            return a[1];
    return NULL;
}

static void set_text(json_t *object, const char *field, const struct node *map, const char *path)
{
    const char *text = node_text_at(map, path);
    if (text)
        json_object_set_new(object, field, json_string_nocheck(text));
}

static json_t *bind_options(const struct node *config)
{
    json_t *options = json_object();
    set_text(options, "Propagation", config, "bind.propagation");
    const char *recursive = node_text_at(config, "bind.recursive");
    if (str_eq(recursive, "disabled"))
        json_object_set_new(options, "NonRecursive", json_true());
    else if (str_eq(recursive, "writable"))
        json_object_set_new(options, "ReadOnlyNonRecursive", json_true());
    else if (str_eq(recursive, "readonly"))
        json_object_set_new(options, "ReadOnlyForceRecursive", json_true());
    return options;
}

static json_t *volume_options(const struct node *config)
{
    json_t *options = json_object();
    if (node_bool_at(config, "volume.nocopy", false))
        json_object_set_new(options, "NoCopy", json_true());
    set_text(options, "Subpath", config, "volume.subpath");
    const struct node *labels = node_at(config, "volume.labels");
    if (labels)
        json_object_set_new(options, "Labels", create_text_map(labels));
    return options;
}

static json_t *tmpfs_options(const struct node *config)
{
    json_t *options = json_object();
    const struct node *size = node_at(config, "tmpfs.size"), *mode = node_at(config, "tmpfs.mode");
    int64_t number;
    if (size && create_bytes(&number, size))
        json_object_set_new(options, "SizeBytes", json_integer(number));
    if (mode && node_text(mode) && num_int(&number, node_text(mode)) == 0)
        json_object_set_new(options, "Mode", json_integer(number));
    return options;
}

/*
 * A bind whose source may be made by the engine goes the old way, through Binds: Mounts refuses a
 * missing source, and CreateMountpoint came only with API 1.42.
 */
static json_t *bind_text(const struct mount *m)
{
    auto_str struct str text = STR_INIT;
    str_addf(&text, "%s:%s:%s", m->source, m->target, m->read_only ? "ro" : "rw");
    const char *propagation = node_text_at(m->config, "bind.propagation");
    const char *selinux = node_text_at(m->config, "bind.selinux");
    if (propagation)
        str_addf(&text, ",%s", propagation);
    if (selinux)
        str_addf(&text, ",%s", selinux);
    return json_string_nocheck(text.buf);
}

static bool binds_form(const struct mount *m)
{
    if (!str_eq(m->type, "bind") || node_at(m->config, "bind.recursive"))
        return false;
    return !node_get(m->config, "bind") ||
           node_bool_at(m->config, "bind.create_host_path", false) ||
           node_at(m->config, "bind.selinux");
}

static json_t *mount_object(const struct mount *m, const char *source)
{
    json_t *mount = json_pack("{s:s, s:s}", "Type", m->type, "Target", m->target);
    if (source && *source)
        json_object_set_new(mount, "Source", json_string_nocheck(source));
    if (m->read_only)
        json_object_set_new(mount, "ReadOnly", json_true());
    set_text(mount, "Consistency", m->config, "consistency");
    if (str_eq(m->type, "bind"))
        json_object_set_new(mount, "BindOptions", bind_options(m->config));
    else if (str_eq(m->type, "volume"))
        json_object_set_new(mount, "VolumeOptions", volume_options(m->config));
    else if (str_eq(m->type, "tmpfs"))
        json_object_set_new(mount, "TmpfsOptions", tmpfs_options(m->config));
    else if (str_eq(m->type, "image") && node_at(m->config, "image.subpath"))
        json_object_set_new(
            mount, "ImageOptions",
            json_pack("{s:s}", "Subpath", node_text_at(m->config, "image.subpath")));
    return mount;
}

static bool declares(const struct service *s, const char *target)
{
    for (size_t i = 0; i < s->nmounts; i++)
        if (str_eq(s->mounts[i].target, target))
            return true;
    return false;
}

int create_mounts(json_t *config, json_t *host, const struct create_input *in, struct error *err)
{
    json_t *binds = json_array(), *mounts = json_array();
    (void)config;
    json_object_set_new(host, "Binds", binds);
    json_object_set_new(host, "Mounts", mounts);
    const struct service *s = in->service;
    for (size_t i = 0; i < s->nmounts; i++) {
        const struct mount *m = &s->mounts[i];
        if (str_eq(m->type, "image") && in->api < 48)
            return error_set(err, ERR_INPUT, 0,
                             "a mount of type 'image' needs an engine with API 1.48, this one "
                             "speaks 1.%d",
                             in->api);
        if (node_at(m->config, "volume.subpath") && in->api < 45)
            return error_set(err, ERR_INPUT, 0,
                             "volume.subpath needs an engine with API 1.45, this one speaks 1.%d",
                             in->api);
        const char *source = m->source;
        if (str_eq(m->type, "volume") && !*source)
            source = carried_over(in, m->target);
        json_array_append_new(binds_form(m) ? binds : mounts,
                              binds_form(m) ? bind_text(m) : mount_object(m, source));
    }
    /* Volumes that the image declares, kept from the container before. */
    for (const char *const *a = in->anonymous; a && a[0]; a += 2)
        if (!declares(s, a[0]))
            json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "Type", "volume", "Source",
                                                    a[1], "Target", a[0]));
    if (node_bool_at(s->config, "use_api_socket", false)) {
        if (!in->api_socket)
            return error_set(err, ERR_INPUT, 0,
                             "use_api_socket needs an engine on a unix socket of this machine");
        json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "Type", "bind", "Source",
                                                in->api_socket, "Target", "/var/run/docker.sock"));
    }
    for (size_t i = 0; i < s->nfiles; i++) {
        const struct file_use *f = &s->files[i];
        if (f->object->external) {
            error_set(err, ERR_INPUT, 0, "%s '%s' is external",
                      f->object->secret ? "secret" : "config", f->object->key);
            return error_hint(err, "only a swarm keeps those: give it 'file', 'environment'%s",
                              f->object->secret ? "" : " or 'content'");
        }
        if (file_use_is_bind(f))
            json_array_append_new(mounts,
                                  json_pack("{s:s, s:s, s:s, s:b}", "Type", "bind", "Source",
                                            f->object->file, "Target", f->target, "ReadOnly", 1));
    }
    return 0;
}
