/* The tar of a build context: its first entry, hostile names, and files that change. */
#include "unit.h"

#include <fcntl.h>
#include <utime.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strv.h"
#include "build/pack.h"
#include "build/sender.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)
#define DOCKERFILE "FROM x\n"

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

struct packing {
    char *root;
    struct context *context;
    struct pack *pack;
};

static void packing_clear(struct packing *p)
{
    pack_close(p->pack);
    context_free(p->context);
    free(p->root);
}
#define auto_packing __attribute__((unused, cleanup(packing_clear)))

/* Of the folder c in the current one. */
static struct packing packing(const char *dir)
{
    struct packing p = { .root = xasprintf("%s/c", dir) };
    struct context_place place = { .root = p.root };
    auto_error struct error err = ERROR_INIT;
    if (context_scan(&p.context, &place, NULL, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    struct pack_input in = {
        p.root, p.context, "Dockerfile", DOCKERFILE, strlen(DOCKERFILE), NULL
    };
    if (pack_open(&p.pack, &in, &err) < 0)
        fail_msg("%s", err.msg);
    return p;
}

static struct str packed(struct packing *p)
{
    struct str out = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    bool end = false;
    while (!end)
        if (pack_produce(p->pack, &out, 1000, &end, &err) < 0)
            fail_msg("%s", err.msg);
    return out;
}

/* Reading a tar: enough of ustar and PAX for what is written here. */

static int64_t octal(const char *field, size_t n)
{
    int64_t value = 0;
    for (size_t i = 0; i < n && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (field[i] - '0');
    return value;
}

/* The value of a PAX record, or NULL; owned by the caller. */
static char *record(const char *s, size_t n, const char *key)
{
    for (size_t at = 0; at < n;) {
        size_t digits = strspn(s + at, "0123456789");
        auto_free char *number = xstrndup(s + at, digits);
        int64_t len;
        assert_int_equal(num_range(&len, number, 5, (int64_t)(n - at)), 0);
        const char *text = s + at + digits + 1;
        size_t key_len = strlen(key);
        if (strncmp(text, key, key_len) == 0 && text[key_len] == '=')
            return xstrndup(text + key_len + 1, (size_t)len - digits - key_len - 3);
        at += (size_t)len;
    }
    return NULL;
}

/* Lines "TYPE MODE SIZE MTIME NAME[ -> LINK]". */
static char *listed(const struct str *tar)
{
    struct str out = STR_INIT;
    char *path = NULL, *link = NULL, *mtime = NULL;
    for (size_t at = 0; at + 512 <= tar->len && tar->buf[at];) {
        const char *h = tar->buf + at;
        assert_memory_equal(h + 257, "ustar", 5);
        int64_t size = octal(h + 124, 12);
        const char *body = h + 512;
        if (h[156] == 'x') {
            path = record(body, (size_t)size, "path");
            link = record(body, (size_t)size, "linkpath");
            mtime = record(body, (size_t)size, "mtime");
        } else {
            auto_free char *prefix = xstrndup(h + 345, 155), *name = xstrndup(h, 100),
                           *target = xstrndup(h + 157, 100);
            auto_free char *seconds = xasprintf("%lld", (long long)octal(h + 136, 12));
            str_addf(&out, "%c %llo %lld %s %s%s%s", h[156], (long long)octal(h + 100, 8),
                     (long long)size, mtime ? mtime : seconds, path ? "" : prefix,
                     *prefix && !path ? "/" : "", path ? path : name);
            if (h[156] == '2')
                str_addf(&out, " -> %s", link ? link : target);
            str_addc(&out, '\n');
            assert_int_equal(octal(h + 108, 8), 0); /* owner: root */
            free(path);
            free(link);
            free(mtime);
            path = link = mtime = NULL;
        }
        at += 512 + (size_t)(size + 511) / 512 * 512;
    }
    return str_detach(&out);
}

static void the_first_entry_is_the_dockerfile(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/Dockerfile", "something else, much longer");
    put("c/a", "hello");
    struct utimbuf times = { 1000000000, 1000000000 };
    assert_int_equal(utime("c/a", &times), 0);
    assert_int_equal(chmod("c/Dockerfile", 0600), 0);
    assert_int_equal(utime("c/Dockerfile", &times), 0);
    auto_packing struct packing p = packing(*state);
    auto_str struct str tar = packed(&p);
    assert_string_equal(tar.buf, "Dockerfile");
    assert_int_equal(tar.buf[156], '0');
    assert_memory_equal(tar.buf + 512, DOCKERFILE, strlen(DOCKERFILE));
    auto_free char *list = listed(&tar);
    assert_string_equal(list, "0 600 7 1000000000 Dockerfile\n"
                              "0 644 5 1000000000 a\n");
    assert_memory_equal(tar.buf + 2 * 512 + 512, "hello", 5);
    assert_int_equal(tar.len % 512, 0);
}

static void names_and_kinds(void **state)
{
    char long_name[201], path[256];
    memset(long_name, 'n', 200);
    long_name[200] = '\0';
    assert_int_equal(mkdir("c", 0755), 0);
    snprintf(path, sizeof(path), "c/%s", long_name);
    put(path, "1");
    put("c/new\nline", "2");
    put("c/\xc3\xa9", "3");
    put("c/\xff", "4");
    put("c/suid", "5");
    assert_int_equal(chmod("c/suid", 04755), 0);
    assert_int_equal(mkdir("c/dir", 0700), 0);
    assert_int_equal(mkfifo("c/fifo", 0600), 0);
    assert_int_equal(symlink("/etc/passwd", "c/link"), 0);
    assert_int_equal(symlink(long_name, "c/longlink"), 0);
    put("c/past", "6");
    struct utimbuf past = { -5, -5 }, now = { 1, 1 };
    assert_int_equal(utime("c/past", &past), 0);
    static const char *const others[] = { "c/new\nline", "c/\xc3\xa9", "c/\xff",
                                          "c/suid",      "c/dir",      "c/fifo" };
    for (size_t i = 0; i < countof(others); i++)
        assert_int_equal(utime(others[i], &now), 0);
    assert_int_equal(utime(path, &now), 0);
    struct timespec one[2] = { { 1, 0 }, { 1, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, "c/link", one, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(utimensat(AT_FDCWD, "c/longlink", one, AT_SYMLINK_NOFOLLOW), 0);

    auto_packing struct packing p = packing(*state);
    auto_str struct str tar = packed(&p);
    auto_free char *list = listed(&tar);
    auto_free char *expected = xasprintf("0 644 7 0 Dockerfile\n"
                                         "5 700 0 1 dir\n"
                                         "6 600 0 1 fifo\n"
                                         "2 777 0 1 link -> /etc/passwd\n"
                                         "2 777 0 1 longlink -> %s\n"
                                         "0 644 1 1 new\nline\n"
                                         "0 644 1 1 %s\n"
                                         "0 644 1 -5 past\n"
                                         "0 4755 1 1 suid\n"
                                         "0 644 1 1 \xc3\xa9\n"
                                         "0 644 1 1 \xff\n",
                                         long_name, long_name);
    assert_string_equal(list, expected);
}

static void a_sparse_file_of_nine_gigabytes_begins_with_its_size(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/big", "");
    assert_int_equal(truncate("c/big", (off_t)9 << 30), 0);
    /* The scan would read it all: the entry is made by hand. */
    struct stat st;
    assert_int_equal(stat("c/big", &st), 0);
    struct context_entry entry = { .path = "big",
                                   .mode = st.st_mode,
                                   .stat = context_stat_key(&st) };
    struct context context = { .entries = &entry, .len = 1 };
    auto_free char *root = xasprintf("%s/c", (char *)*state);
    struct pack_input in = { root, &context, "Dockerfile", DOCKERFILE, strlen(DOCKERFILE), NULL };
    auto_(pack_closep) struct pack *p = NULL;
    assert_int_equal(pack_open(&p, &in, NULL), 0);
    auto_str struct str out = STR_INIT;
    bool end;
    assert_int_equal(pack_produce(p, &out, 200000, &end, NULL), 0);
    assert_false(end);
    assert_true(out.len < 200000 + 2 * PACK_PIECE);
    auto_free char *size = record(out.buf + 1024 + 512, 64, "size");
    assert_string_equal(size, "9663676416");
}

static void assert_changed(struct packing *p, const char *part)
{
    auto_str struct str out = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    bool end = false;
    int result = 0;
    while (!end && result == 0)
        result = pack_produce(p->pack, &out, 1000, &end, &err);
    assert_int_equal(result, -1);
    assert_int_equal(err.kind, ERR_INPUT);
    if (!strstr(err.msg, part))
        fail_msg("%s", err.msg);
}

static void a_file_that_changed_since_is_refused(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/a", "1");
    {
        auto_packing struct packing p = packing(*state);
        put("c/a", "12");
        assert_changed(&p, "/c/a' changed");
    }
    {
        auto_packing struct packing p = packing(*state);
        put("c/a", "21");
        assert_changed(&p, "/c/a' changed");
    }
    {
        auto_packing struct packing p = packing(*state);
        assert_int_equal(unlink("c/a"), 0);
        assert_changed(&p, "/c/a' changed");
    }
    put("c/a", "1");
    {
        auto_packing struct packing p = packing(*state);
        assert_int_equal(unlink("c/a"), 0);
        assert_int_equal(symlink("/etc/passwd", "c/a"), 0);
        assert_changed(&p, "/c/a' changed");
    }
}

/* A link that takes a folder's place after the scan leads nowhere. */
static void a_folder_that_became_a_link_is_refused(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    assert_int_equal(mkdir("c/d", 0755), 0);
    put("c/d/a", "1");
    auto_packing struct packing p = packing(*state);
    assert_int_equal(rename("c/d", "moved"), 0);
    assert_int_equal(symlink("../moved", "c/d"), 0);
    assert_changed(&p, "/c/d/a' changed");
}

static void a_file_that_grows_while_it_is_read_is_refused(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/log", "");
    assert_int_equal(truncate("c/log", 1000000), 0);
    auto_packing struct packing p = packing(*state);
    auto_str struct str out = STR_INIT;
    bool end;
    assert_int_equal(pack_produce(p.pack, &out, 100000, &end, NULL), 0);
    assert_int_equal(truncate("c/log", 2000000), 0);
    assert_changed(&p, "/c/log' changed");
}

static void a_file_that_shrinks_while_it_is_read_is_refused(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/log", "");
    assert_int_equal(truncate("c/log", 1000000), 0);
    auto_packing struct packing p = packing(*state);
    auto_str struct str out = STR_INIT;
    bool end;
    assert_int_equal(pack_produce(p.pack, &out, 100000, &end, NULL), 0);
    assert_int_equal(truncate("c/log", 10), 0);
    assert_changed(&p, "/c/log' changed");
}

/* The sender gives the same bytes, in whatever pieces they are asked for. */

struct reading {
    struct sender *sender;
    struct str out;
    size_t piece;
    bool done, gone;
    long last;
    int waits;
};

static void read_all(void *ctx)
{
    struct reading *r = ctx;
    const struct http_upload *upload = sender_upload(r->sender);
    char buf[100000];
    while ((r->last = upload->read(upload->ctx, buf, r->piece)) > 0)
        str_addn(&r->out, buf, (size_t)r->last);
    r->waits += r->last == HTTP_UPLOAD_LATER;
    r->done = r->last != HTTP_UPLOAD_LATER;
}

static void on_gone(void *ctx)
{
    *(bool *)ctx = true;
}

static void the_sender_streams_it(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/big", "");
    assert_int_equal(truncate("c/big", 5000000), 0);
    auto_packing struct packing p = packing(*state);
    auto_str struct str whole = packed(&p);
    static const size_t pieces[] = { 700, 16384, 100000 };
    for (size_t i = 0; i < countof(pieces); i++) {
        auto_packing struct packing again = packing(*state);
        auto_(loop_freep) struct loop *l = loop_new();
        struct reading r = { .out = STR_INIT, .piece = pieces[i] };
        r.sender = sender_new(l, take(again.pack), read_all, &r);
        read_all(&r);
        loop_wait(l, &r.done);
        assert_int_equal(r.last, 0);
        assert_true(r.waits >= 1);
        assert_null(sender_error(r.sender));
        assert_int_equal(sender_bytes(r.sender), whole.len);
        assert_int_equal(r.out.len, whole.len);
        assert_memory_equal(r.out.buf, whole.buf, whole.len);
        sender_free(r.sender, on_gone, &r.gone);
        assert_true(r.gone);
        str_clear(&r.out);
    }
}

static void the_sender_aborts(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/a", "1");
    auto_packing struct packing p = packing(*state);
    put("c/a", "12");
    auto_(loop_freep) struct loop *l = loop_new();
    struct reading r = { .out = STR_INIT, .piece = 1000 };
    r.sender = sender_new(l, take(p.pack), read_all, &r);
    read_all(&r);
    loop_wait(l, &r.done);
    assert_int_equal(r.last, HTTP_UPLOAD_ABORT);
    assert_int_equal(sender_error(r.sender)->kind, ERR_INPUT);
    sender_free(r.sender, NULL, NULL);
    str_clear(&r.out);
}

static void a_sender_that_is_freed_at_work(void **state)
{
    assert_int_equal(mkdir("c", 0755), 0);
    put("c/a", "1");
    auto_packing struct packing p = packing(*state);
    auto_(loop_freep) struct loop *l = loop_new();
    struct reading r = { .out = STR_INIT, .piece = 1000 };
    r.sender = sender_new(l, take(p.pack), read_all, &r);
    read_all(&r);
    sender_free(r.sender, on_gone, &r.gone);
    assert_false(r.gone);
    loop_wait(l, &r.gone);
    assert_false(r.done);
    str_clear(&r.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(the_first_entry_is_the_dockerfile),
        with_dir(names_and_kinds),
        with_dir(a_sparse_file_of_nine_gigabytes_begins_with_its_size),
        with_dir(a_file_that_changed_since_is_refused),
        with_dir(a_folder_that_became_a_link_is_refused),
        with_dir(a_file_that_grows_while_it_is_read_is_refused),
        with_dir(a_file_that_shrinks_while_it_is_read_is_refused),
        with_dir(the_sender_streams_it),
        with_dir(the_sender_aborts),
        with_dir(a_sender_that_is_freed_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
