#include "protocols/perf.h"

#include "base/cursor.h"

void perf_dial_init(struct perf *p, uint64_t upload, uint64_t download)
{
    *p = (struct perf){
        .state = PERF_UPLOAD,
        .role = DIALER,
        .upload = upload,
        .download = download,
        .expires_at = NEVER,
    };
    struct writer w = writer_of(p->head, sizeof p->head);
    put_u64be(&w, download);
}

void perf_listen_init(struct perf *p, const struct service_limits *limits, uint64_t now)
{
    *p = (struct perf){.role = LISTENER, .expires_at = after(now, limits->perf_ms)};
}

static void take_head(struct perf *p, struct span *in)
{
    struct span part = span_take(in, PERF_HEAD_LEN - p->head_len);
    if (part.len > 0)
        memcpy(p->head + p->head_len, part.data, part.len);
    p->head_len += part.len;
    if (p->head_len < PERF_HEAD_LEN)
        return;
    struct cursor c = cursor_of(view_of(p->head, sizeof p->head));
    p->download = take_u64be(&c);
    p->state = PERF_UPLOAD;
}

static int perf_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    struct perf *p = state;
    if (p->state == PERF_HEAD)
        take_head(p, in);
    p->received += span_take(in, in->len).len;
    return p->role == DIALER && p->received > p->download ? ERR_PROTOCOL : 0;
}

/* The listener begins to send; the dialer has everything, or was let down. */
static int perf_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct perf *p = state;
    if (p->role == LISTENER && p->state == PERF_UPLOAD) {
        p->state = PERF_DOWNLOAD;
        return 0;
    }
    if (p->state != PERF_DOWNLOAD || p->received < p->download)
        return ERR_PROTOCOL;
    p->state = PERF_OVER;
    *ev = (struct protocol_event){.type = PERF_DONE};
    return 1;
}

/* As many of `total` bytes as fit; whether all of them have been sent. */
static bool pour(struct perf *p, uint64_t total, struct buf *out, int *rc)
{
    size_t len = (size_t)MIN(total - p->sent, (uint64_t)buf_room(out));
    uint8_t *bytes = len > 0 ? buf_reserve(out, len) : NULL;
    if (bytes != NULL) {
        memset(bytes, 0, len);
        buf_commit(out, len);
        p->sent += len;
    }
    *rc = len > 0 && bytes == NULL ? ERR_NOMEM : 0;
    return *rc == 0 && p->sent == total;
}

static int drain_dialer(struct perf *p, struct buf *out)
{
    struct view head = view_of(p->head + p->head_len, PERF_HEAD_LEN - p->head_len);
    head.len = MIN(head.len, buf_room(out));
    int rc = buf_append(out, head);
    if (rc < 0)
        return rc;
    p->head_len += head.len;
    if (p->head_len == PERF_HEAD_LEN && p->state == PERF_UPLOAD && pour(p, p->upload, out, &rc))
        p->state = PERF_DOWNLOAD;
    if (rc < 0)
        return rc;
    return p->state == PERF_OVER       ? PROTOCOL_DONE
           : p->state == PERF_DOWNLOAD ? PROTOCOL_CLOSE_WRITE
                                       : PROTOCOL_OPEN;
}

static int perf_drain(void *state, struct buf *out)
{
    struct perf *p = state;
    if (p->role == DIALER)
        return drain_dialer(p, out);
    int rc = 0;
    if (p->state == PERF_DOWNLOAD && pour(p, p->download, out, &rc))
        p->state = PERF_OVER;
    if (rc < 0)
        return rc;
    return p->state == PERF_OVER ? PROTOCOL_DONE : PROTOCOL_OPEN;
}

static uint64_t perf_deadline(const void *state)
{
    const struct perf *p = state;
    return p->state == PERF_HEAD ? p->expires_at : NEVER;
}

static int perf_tick(void *state, uint64_t now)
{
    return protocol_tick(perf_deadline(state), now);
}

static void perf_free(void *state)
{
    (void)state;
}

const struct protocol_ops PERF_OPS = {
    .name = "/perf/1.0.0",
    .on_limited = false,
    .max_inbound = 1,
    .max_outbound = 1,
    .feed = perf_feed,
    .end = perf_end,
    .drain = perf_drain,
    .tick = perf_tick,
    .deadline = perf_deadline,
    .free = perf_free,
};
