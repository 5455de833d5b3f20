/* Where the cache is, and what its parts are called. */
#include "git/cache.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/private.h"

#define READABLE_MAX 40 /* bytes of a name that are kept as they are */

char *repo_cache_dir(struct error *err)
{
    const char *own = getenv("STACK_CACHE");
    auto_free char *top = own && path_is_abs(own) ? path_clean(own) : path_cache_dir(err);
    if (!top)
        return NULL;
    auto_free char *dir = path_join(top, "git");
    return file_mkdirs(dir, 0700, err) < 0 ? NULL : take(dir);
}

/* Letters and digits stay, the rest becomes '-': the digest after it tells names apart. */
static void add_readable(struct str *out, const char *text)
{
    for (size_t i = 0; text[i] && i < READABLE_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        str_addc(out, isalnum(c) || (i && strchr("._-", c)) ? (char)c : '-');
    }
}

static void add_digest(struct str *out, size_t n, const char *a, const char *b)
{
    char hex[DIGEST_HEX_LEN + 1];
    struct digest *d = digest_new();
    digest_add_str(d, a);
    digest_add_str(d, b);
    digest_end(d, hex);
    str_addf(out, "-%.*s", (int)n, hex);
}

char *repo_mirror_path(const char *cache, const struct repo_url *url)
{
    struct str out = STR_INIT;
    str_addf(&out, "%s/mirrors/", cache);
    add_readable(&out, url->name);
    add_digest(&out, 16, url->key, NULL);
    str_add(&out, ".git");
    return str_detach(&out);
}

char *repo_tree_path(const char *cache, const char *stack_name, const char *stack_dir,
                     const char *project, const struct repo_url *url, const char *ref)
{
    struct str out = STR_INIT;
    str_addf(&out, "%s/trees/", cache);
    add_readable(&out, stack_name);
    add_digest(&out, 8, stack_name, stack_dir);
    str_addc(&out, '/');
    add_readable(&out, project);
    if (ref) {
        str_addc(&out, '@');
        add_readable(&out, ref);
    }
    add_digest(&out, 8, url->key, ref);
    return str_detach(&out);
}

bool repo_is_id(const char *text)
{
    return strlen(text) == REPO_ID_LEN && strspn(text, "0123456789abcdef") == REPO_ID_LEN;
}

int repo_tree_commit(char **out, const char *tree, struct error *err)
{
    auto_free char *mark = path_join(tree, REPO_UPDATING);
    auto_free char *head = path_join(tree, ".git/HEAD");
    auto_free char *text = NULL;
    size_t n;
    if (!file_exists(head) || file_exists(mark))
        return error_set(err, ERR_NOTFOUND, 0, "it is not checked out");
    if (file_read(&text, &n, head, 4096, err) < 0)
        return -1;
    text[strcspn(text, "\n")] = 0;
    if (!repo_is_id(text))
        return error_set(err, ERR_NOTFOUND, 0, "it is not checked out");
    *out = take(text);
    return 0;
}
