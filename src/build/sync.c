/* Sending a folder the way BuildKit asks for it. */
#include "build/sync.h"

#include <string.h>
#include <sys/stat.h>
#ifndef __APPLE__
#include <sys/sysmacros.h>
#endif

#include "base/mem.h"
#include "base/pb.h"
#include "base/vec.h"
#include "build/reader.h"
#include "session/grpc.h"

#define SYNC_PIECE ((size_t)64 << 10)

enum packet_type { PACKET_STAT, PACKET_REQ, PACKET_DATA, PACKET_FIN, PACKET_ERR };

struct ids {
    VEC(uint32_t);
};

struct sync {
    struct sync_input in;
    struct context single; /* the list of the single file */
    struct context_entry single_entry;
    const struct context *list;

    uint32_t *entries; /* by number of the STAT: index in the list */
    bool *asked;       /* by number */
    uint32_t count;    /* how many there are to tell of */

    /* sync_packet() */
    struct ids incoming;
    bool finished; /* FIN came */

    /* sync_produce() */
    uint32_t told; /* STATs so far; count + 1: all, and the one without */
    struct ids todo;
    size_t next; /* in todo */
    bool ending; /* FIN is to be answered */
    bool ended;
    struct reader reader;
    char *buffer;
    size_t files;
    int64_t bytes;
};

static void list_wanted(struct sync *s)
{
    s->entries = xcalloc(s->list->len + 1, sizeof(*s->entries));
    for (size_t i = 0; i < s->list->len; i++)
        if (!s->in.wanted || s->in.wanted[i])
            s->entries[s->count++] = (uint32_t)i;
    s->asked = xcalloc(s->count + 1, sizeof(*s->asked));
}

static void list_single(struct sync *s)
{
    s->single_entry = (struct context_entry){ .path = s->in.name,
                                              .mode = S_IFREG | 0644,
                                              .stat = { .size = (int64_t)s->in.len } };
    struct digest *d = digest_new();
    digest_add(d, s->in.bytes, s->in.len);
    digest_end_raw(d, s->single_entry.digest);
    s->single = (struct context){ .entries = &s->single_entry, .len = 1 };
}

int sync_open(struct sync **out, const struct sync_input *in, struct error *err)
{
    auto_(sync_closep) struct sync *s = xnew(struct sync);
    s->in = *in;
    s->reader = READER_INIT;
    s->list = in->root ? in->context : &s->single;
    if (!in->root)
        list_single(s);
    else if (reader_open(&s->reader, in->root, err) < 0)
        return -1;
    list_wanted(s);
    s->buffer = xmalloc(SYNC_PIECE);
    *out = take(s);
    return 0;
}

void sync_close(struct sync *s)
{
    if (!s)
        return;
    reader_close(&s->reader);
    free((void *)(uintptr_t)s->in.wanted);
    free(s->entries);
    free(s->asked);
    vec_free(&s->incoming);
    vec_free(&s->todo);
    free(s->buffer);
    free(s);
}

/* What the engine says. */

static const struct context_entry *entry(const struct sync *s, uint32_t number)
{
    return &s->list->entries[s->entries[number]];
}

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERR_PROTOCOL, 0,
                     "the engine asks for files in a way that is not understood: %s", what);
}

static int ask(struct sync *s, uint64_t number, struct error *err)
{
    if (number >= s->count || !S_ISREG(entry(s, (uint32_t)number)->mode))
        return wrong(err, "there is no such file");
    if (s->asked[number])
        return wrong(err, "the same file twice");
    s->asked[number] = true;
    *vec_push(&s->incoming) = (uint32_t)number;
    return 0;
}

int sync_packet(struct sync *s, const uint8_t *data, size_t len, struct error *err)
{
    struct pb in = pb_of(data, len);
    struct pb_field f;
    uint64_t type = 0, id = 0;
    struct pb said = { 0 };
    while (pb_more(&in)) {
        if (!pb_next(&in, &f))
            return wrong(err, "a packet is cut");
        if (f.number == 1)
            type = f.value;
        else if (f.number == 3)
            id = f.value;
        else if (f.number == 4)
            said = f.bytes;
    }
    if (type == PACKET_REQ)
        return ask(s, id, err);
    if (type == PACKET_FIN) {
        s->finished = true;
        return 0;
    }
    if (type == PACKET_ERR) {
        auto_free char *text = pb_text(&said);
        return error_set(err, ERR_BUILD, 0, "the engine could not take the build context: %s",
                         text);
    }
    return 0; /* nothing that is for us */
}

/* What it gets. */

/* As Go has it: the permissions, and bits of its own for the rest. */
static uint32_t go_mode(mode_t mode)
{
    static const struct {
        mode_t type;
        uint32_t bits;
    } types[] = { { S_IFDIR, 1U << 31 },  { S_IFLNK, 1U << 27 }, { S_IFIFO, 1U << 25 },
                  { S_IFSOCK, 1U << 24 }, { S_IFBLK, 1U << 26 }, { S_IFCHR, 1U << 26 | 1U << 21 } };
    uint32_t out = mode & 0777;
    for (size_t i = 0; i < countof(types); i++)
        if ((mode & S_IFMT) == types[i].type)
            out |= types[i].bits;
    if (mode & S_ISUID)
        out |= 1U << 23;
    if (mode & S_ISGID)
        out |= 1U << 22;
    if (mode & S_ISVTX)
        out |= 1U << 20;
    return out;
}

static int64_t time_of(const struct context_entry *e)
{
    int64_t ns = e->stat.mtime_ns;
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    uint32_t mark = 0;
    if (S_ISREG(e->mode))
        memcpy(&mark, e->digest, sizeof(mark));
    return seconds * 1000000000 + mark % 1000000000;
}

static void add_packet(struct str *out, const struct str *packet)
{
    grpc_frame(out, packet->len);
    str_addn(out, packet->buf, packet->len);
}

static void tell(struct sync *s, struct str *out)
{
    auto_str struct str stat = STR_INIT, packet = STR_INIT;
    if (s->told < s->count) {
        const struct context_entry *e = entry(s, s->told);
        pb_add_text(&stat, 1, e->path);
        pb_add_uint(&stat, 2, go_mode(e->mode));
        if (S_ISREG(e->mode))
            pb_add_uint(&stat, 5, (uint64_t)e->stat.size);
        pb_add_uint(&stat, 6, (uint64_t)time_of(e));
        if (S_ISLNK(e->mode)) {
            pb_add_uint(&stat, 5, strlen(e->link));
            pb_add_text(&stat, 7, e->link);
        }
        if (S_ISCHR(e->mode) || S_ISBLK(e->mode)) {
            pb_add_uint(&stat, 8, major(e->rdev));
            pb_add_uint(&stat, 9, minor(e->rdev));
        }
        pb_add_bytes(&packet, 2, stat.buf, stat.len);
    }
    add_packet(out, &packet); /* of type 0 */
    s->told++;
}

static void add_data(struct sync *s, struct str *out, uint32_t number, const char *data, size_t len)
{
    auto_str struct str head = STR_INIT;
    pb_add_uint(&head, 1, PACKET_DATA);
    pb_add_uint(&head, 3, number);
    if (len)
        pb_add_head(&head, 4, len);
    grpc_frame(out, head.len + len);
    str_addn(out, head.buf, head.len);
    str_addn(out, data, len);
    s->bytes += (int64_t)len;
}

static void give_single(struct sync *s, struct str *out)
{
    for (size_t at = 0; at < s->in.len; at += SYNC_PIECE)
        add_data(s, out, 0, s->in.bytes + at,
                 s->in.len - at < SYNC_PIECE ? s->in.len - at : SYNC_PIECE);
    add_data(s, out, 0, "", 0);
    s->next++;
    s->files++;
}

/* The next piece of the file that comes next. */
static int give(struct sync *s, struct str *out, struct error *err)
{
    uint32_t number = s->todo.items[s->next];
    size_t n;
    bool end;
    if (!s->in.root) {
        give_single(s, out);
        return 0;
    }
    if (s->reader.fd < 0 && reader_begin(&s->reader, entry(s, number), err) < 0)
        return -1;
    if (reader_next(&s->reader, s->buffer, SYNC_PIECE, &n, &end, err) < 0)
        return -1;
    if (n)
        add_data(s, out, number, s->buffer, n);
    if (end) {
        add_data(s, out, number, "", 0);
        s->next++;
        s->files++;
    }
    return 0;
}

static void finish(struct sync *s, struct str *out)
{
    auto_str struct str packet = STR_INIT;
    pb_add_uint(&packet, 1, PACKET_FIN);
    add_packet(out, &packet);
    s->ended = true;
}

bool sync_ready(struct sync *s)
{
    if (s->next == s->todo.len)
        s->next = s->todo.len = 0;
    for (size_t i = 0; i < s->incoming.len; i++)
        *vec_push(&s->todo) = s->incoming.items[i];
    s->incoming.len = 0;
    s->ending = s->finished;
    return !s->ended && (s->told <= s->count || s->next < s->todo.len || s->ending);
}

int sync_produce(struct sync *s, struct str *out, size_t want, bool *end, struct error *err)
{
    size_t from = out->len;
    while (!s->ended && out->len - from < want) {
        if (s->told <= s->count)
            tell(s, out);
        else if (s->next < s->todo.len) {
            if (give(s, out, err) < 0)
                return -1;
        } else if (s->ending)
            finish(s, out);
        else
            break;
    }
    *end = s->ended;
    return 0;
}

size_t sync_files(const struct sync *s)
{
    return s->files;
}

int64_t sync_bytes(const struct sync *s)
{
    return s->bytes;
}
