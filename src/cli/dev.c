/* Which checkouts of the user's stand in for projects from git. */
#include "cli/dev.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

#define FILE_MAX ((size_t)1 << 20)

static char *file_path(const char *stack_dir)
{
    return path_join(stack_dir, ".stack/dev.json");
}

/* An object of paths by project; empty where there is no file. */
static int read_all(json_t **out, const char *stack_dir, struct error *err)
{
    auto_free char *path = file_path(stack_dir), *text = NULL;
    size_t len;
    if (!file_exists(path)) {
        *out = json_object();
        return 0;
    }
    if (file_read(&text, &len, path, FILE_MAX, err) < 0)
        return -1;
    json_t *all = json_parse(text, len, path, err);
    if (all && !json_is_object(all)) {
        json_decref(all);
        return error_set(err, ERR_INPUT, 0, "'%s' is not a list of checkouts", path);
    }
    *out = all;
    return all ? 0 : -1;
}

int dev_get(char **out, const char *stack_dir, const char *project, struct error *err)
{
    auto_json json_t *all = NULL;
    if (read_all(&all, stack_dir, err) < 0)
        return -1;
    const char *path = json_string_value(json_object_get(all, project));
    *out = path && path_is_abs(path) ? xstrdup(path) : NULL;
    return 0;
}

int dev_set(const char *stack_dir, const char *project, const char *path, struct error *err)
{
    auto_json json_t *all = NULL;
    auto_free char *file = file_path(stack_dir), *text = NULL;
    auto_free char *dir = path_dir(file), *ignore = path_join(dir, ".gitignore");
    if (read_all(&all, stack_dir, err) < 0 || file_mkdirs(dir, 0755, err) < 0)
        return -1;
    if (!file_exists(ignore) && file_write_atomic(ignore, "*\n", 2, 0644, err) < 0)
        return -1;
    if (path)
        json_object_set_new(all, project, json_string(path));
    else
        json_object_del(all, project);
    auto_free char *json = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);
    text = xasprintf("%s\n", json);
    return file_write_atomic(file, text, strlen(text), 0644, err);
}
