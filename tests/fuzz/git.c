/* Names of repositories, netrc files, stack files that get a project: whatever the bytes are. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "cli/edit.h"
#include "git/private.h"

/* What is taken is no option, has no line in it, and is read again as the same repository. */
static void fuzz_url(const char *text)
{
    auto_repo_url struct repo_url u = { 0 }, again = { 0 };
    if (repo_url_parse(&u, text, "/here", NULL) < 0)
        return;
    fuzz_check(*u.host != '-' && *u.path != '-' && (!u.user || *u.user != '-'));
    for (const char *p = u.path; *p; p++)
        fuzz_check((unsigned char)*p >= ' ' && *p != 0x7f);
    fuzz_check(!strchr(u.name, '/') && *u.name != '-' && *u.name != '.');
    fuzz_check(repo_url_parse(&again, u.url, "/other", NULL) == 0);
    fuzz_check(again.kind == u.kind && !strcmp(again.url, u.url) && !strcmp(again.key, u.key));
    fuzz_check(!again.password);
    auto_free char *command = ssh_command(u.path);
    fuzz_check(!strncmp(command, "git-upload-pack '", 17));
}

static void fuzz_netrc(const char *text)
{
    auto_free char *user = NULL, *password = NULL;
    if (netrc_find(&user, &password, text, "h"))
        fuzz_check(user && password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct edit_project project = { .name = "new", .git = "https://h/x", .ref = "1" };
    auto_free char *text = fuzz_text(data, size);
    auto_str struct str out = STR_INIT;
    fuzz_url(text);
    fuzz_netrc(text);
    if (edit_add_project(&out, text, strlen(text), &project, NULL) == 0)
        fuzz_check(out.len > strlen(text));
    return 0;
}
