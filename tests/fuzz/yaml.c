/* YAML: any bytes give a tree or diagnostics; a tree written as YAML or JSON is read as the same.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "text/yaml.h"

/* Reads the text, and appends the tree as YAML; NULL when there is none. */
static struct node *rewrite(struct str *out, struct arena *a, const char *text, bool *failed)
{
    struct diag d;
    struct node *root = NULL;
    diag_init(&d, a);
    int result = yaml_read(&root, a, source_from_text(a, "/in.yaml", text, strlen(text)), &d);
    fuzz_check((result < 0) == (d.errors > 0));
    auto_str struct str shown = STR_INIT;
    diag_print(&shown, &d, true);
    fuzz_check(!strpbrk(shown.buf, "\x1b\x7f\a\b"));
    diag_clear(&d);
    *failed = result < 0;
    if (*failed)
        return NULL;
    if (root)
        yaml_write(out, root);
    return root;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *text = fuzz_text(data, size);
    auto_str struct str once = STR_INIT, twice = STR_INIT, thrice = STR_INIT;
    bool failed;
    struct node *root = rewrite(&once, a, text, &failed);
    if (!root)
        return 0;

    /* As Go's encoder does, the first writing turns 1e4 into the integer 10000, and -0. into -0,
     * which the second writes as 0. From there on nothing changes. */
    rewrite(&twice, a, once.buf, &failed);
    fuzz_check(!failed);
    rewrite(&thrice, a, twice.buf, &failed);
    fuzz_check(!failed);
    fuzz_check(strcmp(twice.buf, thrice.buf) == 0);

    auto_str struct str json = STR_INIT;
    node_write_json(&json, root, NODE_JSON_PRETTY);
    auto_json json_t *parsed = json_parse(json.buf, json.len, "written JSON", NULL);
    fuzz_check(parsed || strpbrk(text, "iInN")); /* .inf and .nan are no JSON */
    return 0;
}
