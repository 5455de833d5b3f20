/* A tar is headers of 512 bytes, each with the content of its file, filled up to 512. */
#include "base/tar.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#ifndef __APPLE__
#include <sys/sysmacros.h>
#endif

#define BLOCK 512
#define OCTAL_MAX(digits) (((int64_t)1 << (3 * (digits))) - 1)

/* Where fields are, and how long: IEEE Std 1003.1, pax, ustar. */
enum { NAME = 0, MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156 };
enum { LINK = 157, MAGIC = 257, MAJOR = 329, MINOR = 337, PREFIX = 345 };
enum { NAME_LEN = 100, LINK_LEN = 100, PREFIX_LEN = 155 };

static const char zeros[2 * BLOCK];

static void put_octal(char *field, int digits, int64_t value)
{
    if (value < 0)
        value = 0;
    snprintf(field, (size_t)digits + 1, "%0*llo", digits,
             (unsigned long long)(value & OCTAL_MAX(digits)));
}

static void put_text(char *field, size_t len, const char *text)
{
    size_t n = strlen(text);
    memcpy(field, text, n < len ? n : len);
}

/* Where a long name is divided: the slash between prefix and name; NULL: nowhere. */
static const char *divide(const char *name)
{
    size_t len = strlen(name);
    if (len > PREFIX_LEN + 1 + NAME_LEN)
        return NULL;
    const char *slash = strchr(name + len - NAME_LEN - 1, '/');
    return slash && slash > name && slash - name <= PREFIX_LEN && slash[1] ? slash : NULL;
}

static void put_name(char *header, const char *name)
{
    const char *slash = strlen(name) > NAME_LEN ? divide(name) : NULL;
    if (slash)
        memcpy(header + PREFIX, name, (size_t)(slash - name));
    put_text(header + NAME, NAME_LEN, slash ? slash + 1 : name);
}

static void put_header(struct str *out, char type, const char *name, const char *link,
                       const struct tar_entry *e, int64_t size)
{
    char header[BLOCK] = { 0 };
    put_name(header, name);
    put_octal(header + MODE, 7, e->mode & 07777);
    put_octal(header + UID, 7, e->uid);
    put_octal(header + GID, 7, e->gid);
    put_octal(header + SIZE, 11, size);
    put_octal(header + MTIME, 11, e->mtime);
    header[TYPE] = type;
    put_text(header + LINK, LINK_LEN, link);
    memcpy(header + MAGIC,
           "ustar\0"
           "00",
           8);
    if (type == TAR_CHARACTERS || type == TAR_BLOCKS) {
        put_octal(header + MAJOR, 7, major(e->device));
        put_octal(header + MINOR, 7, minor(e->device));
    }
    /* The sum counts its own field as blanks. */
    memset(header + SUM, ' ', 8);
    int64_t sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    put_octal(header + SUM, 6, sum);
    str_addn(out, header, BLOCK);
}

static size_t digits_of(size_t n)
{
    return n < 10 ? 1 : 1 + digits_of(n / 10);
}

/* "<length of all of this> key=value\n" */
static void add_record(struct str *records, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3, total = rest;
    while (total != rest + digits_of(total))
        total = rest + digits_of(total);
    str_addf(records, "%zu %s=%s\n", total, key, value);
}

static void add_number(struct str *records, const char *key, int64_t value, int64_t max)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    if (value > max)
        add_record(records, key, text);
}

/* "-1.25": decimal fractions count up, also before 1970. */
static void add_time(struct str *records, int64_t seconds, long ns)
{
    char text[64];
    if (ns == 0 && seconds >= 0 && seconds <= OCTAL_MAX(11))
        return;
    bool before = seconds < 0 && ns;
    int n = snprintf(text, sizeof(text), "%s%lld", before && seconds == -1 ? "-" : "",
                     (long long)(before ? seconds + 1 : seconds));
    if (ns)
        snprintf(text + n, sizeof(text) - (size_t)n, ".%09ld", before ? 1000000000 - ns : ns);
    add_record(records, "mtime", text);
}

enum tar_type tar_type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return TAR_FILE;
    case S_IFLNK:
        return TAR_SYMLINK;
    case S_IFCHR:
        return TAR_CHARACTERS;
    case S_IFBLK:
        return TAR_BLOCKS;
    case S_IFDIR:
        return TAR_FOLDER;
    case S_IFIFO:
        return TAR_FIFO;
    default:
        return 0;
    }
}

void tar_header(struct str *out, const struct tar_entry *e)
{
    auto_str struct str records = STR_INIT;
    const char *name = e->name + strspn(e->name, "/");
    const char *link = e->type == TAR_SYMLINK || e->type == TAR_HARDLINK ? e->link : "";
    int64_t size = e->type == TAR_FILE ? e->size : 0;
    if (strlen(name) > NAME_LEN && !divide(name))
        add_record(&records, "path", name);
    if (strlen(link) > LINK_LEN)
        add_record(&records, "linkpath", link);
    add_number(&records, "uid", e->uid, OCTAL_MAX(7));
    add_number(&records, "gid", e->gid, OCTAL_MAX(7));
    add_number(&records, "size", size, OCTAL_MAX(11));
    add_time(&records, e->mtime, e->mtime_ns);
    if (records.len) {
        put_header(out, 'x', "pax", "", e, (int64_t)records.len);
        str_addn(out, records.buf, records.len);
        tar_pad(out, (int64_t)records.len);
    }
    put_header(out, (char)e->type, name, link, e, size);
}

void tar_pad(struct str *out, int64_t size)
{
    if (size % BLOCK)
        str_addn(out, zeros, (size_t)(BLOCK - size % BLOCK));
}

void tar_end(struct str *out)
{
    str_addn(out, zeros, sizeof(zeros));
}
