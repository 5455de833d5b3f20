/* The engine's multiplexed stream of stdout and stderr. */
#include "engine/frames.h"

#include <string.h>

/* Stream 3 is the engine itself, telling why the stream ends: shown with stderr. */
enum { STREAM_STDERR = 2, STREAM_ENGINE = 3 };

int frames_feed(struct frames *f, const char *data, size_t len,
                void (*fn)(void *ctx, int stream, const char *data, size_t len), void *ctx,
                struct error *err)
{
    while (len > 0) {
        if (f->left == 0) {
            size_t want = sizeof(f->header) - f->header_len;
            size_t n = len < want ? len : want;
            memcpy(f->header + f->header_len, data, n);
            f->header_len += n;
            data += n;
            len -= n;
            if (f->header_len < sizeof(f->header))
                return 0;
            const unsigned char *h = f->header;
            if (h[0] > STREAM_ENGINE || h[1] || h[2] || h[3])
                return error_set(err, ERR_PROTOCOL, 0,
                                 "the engine sent a frame that cannot be one (%02x%02x%02x%02x)",
                                 h[0], h[1], h[2], h[3]);
            f->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
            f->header_len = 0;
            continue;
        }
        size_t n = len < f->left ? len : f->left;
        int stream = f->header[0] == STREAM_ENGINE ? STREAM_STDERR : f->header[0];
        f->left -= (uint32_t)n;
        fn(ctx, stream, data, n);
        data += n;
        len -= n;
    }
    return 0;
}

bool frames_complete(const struct frames *f)
{
    return f->left == 0 && f->header_len == 0;
}
