#include "browser/browser.h"

#include <assert.h>
#include <emscripten/emscripten.h>
#include <emscripten/html5.h>
#include <emscripten/websocket.h>

/* No fewer than a node opens: its connections, and every address of every dial under way. */
#define SOCKETS 512
#define URL_MAX 512

/* bufferedAmount can only be polled; at 150 MB/s this is a third of a full socket. */
#define POLL_MS 4

/* The wall clock and the monotonic one part by this much only when one of them stood or jumped. */
#define DRIFT_MS 2000

/* What setTimeout takes. */
#define ALARM_MAX_MS 0x7fffffff

#define CLOSE_NORMAL 1000

struct socket {
    uint32_t link; /* 0: this slot is free */
    int handle;    /* 0: could not be opened, to be told after the pump */
    bool is_open;
    size_t room; /* as the node believes */
};

static struct {
    struct peerlet *node;
    struct peerlet_limits limits;
    uint64_t alarm_at;
    double drift; /* Date.now() - performance.now() */
    struct socket sockets[SOCKETS];
    size_t sockets_end; /* no slot from here on was ever used */
} page;

struct peerlet *browser_node(void)
{
    return page.node;
}

uint64_t browser_now(void)
{
    return (uint64_t)emscripten_get_now();
}

/* ---- WebSocket ------------------------------------------------------------------------------ */

static struct socket *socket_find(uint32_t link)
{
    for (size_t i = 0; i < page.sockets_end; i++)
        if (page.sockets[i].link == link)
            return &page.sockets[i];
    return NULL;
}

static struct socket *socket_add(uint32_t link)
{
    struct socket *s = socket_find(0);
    if (!s) {
        assert(page.sockets_end < SOCKETS);
        s = &page.sockets[page.sockets_end++];
    }
    *s = (struct socket){.link = link};
    return s;
}

static EM_BOOL on_open(int type, const EmscriptenWebSocketOpenEvent *ev, void *user)
{
    (void)type, (void)ev;
    struct socket *s = user;
    s->is_open = true;
    s->room = page.limits.socket_high;
    peerlet_link_opened(page.node, s->link, 0, s->room, browser_now());
    browser_pump();
    return 1;
}

/* The bytes lie in emscripten's own buffer, are decrypted there, and freed when this returns. */
static EM_BOOL on_message(int type, const EmscriptenWebSocketMessageEvent *ev, void *user)
{
    (void)type;
    const struct socket *s = user;
    size_t len = ev->isText ? ev->numBytes - 1 : ev->numBytes; /* a text has its NUL counted */
    peerlet_link_bytes(page.node, s->link, 0, span_of(ev->data, len), browser_now());
    browser_pump();
    return 1;
}

static EM_BOOL on_close(int type, const EmscriptenWebSocketCloseEvent *ev, void *user)
{
    (void)type;
    struct socket *s = user;
    uint32_t link = s->link;
    char url[128] = "";
    emscripten_websocket_get_url(s->handle, url, sizeof url);
    char why[256];
    struct view reason = view_of_text(ev->reason);
    size_t len =
        s->is_open ? text_format(why, sizeof why, "the WebSocket to %s closed (code %u%s%v)", url,
                                 (unsigned)ev->code, reason.len > 0 ? ", " : "", &reason)
                   /* Browsers tell a page no more than that. */
                   : text_format(why, sizeof why,
                                 url[2] != 's' ? "no WebSocket answers at %s"
                                               : "no WebSocket answers at %s, or its certificate "
                                                 "is not good: open it as https:// in a tab to see",
                                 url);
    js_socket_delete(s->handle);
    *s = (struct socket){0};
    peerlet_link_closed(page.node, link, 0, view_of((const uint8_t *)why, len), browser_now());
    browser_pump();
    return 1;
}

static int socket_handle(struct view url, struct socket *s)
{
    char text[URL_MAX];
    if (url.len >= sizeof text)
        return 0;
    memcpy(text, url.data, url.len);
    text[url.len] = '\0';

    EmscriptenWebSocketCreateAttributes attributes = {.url = text};
    int handle = js_socket_new(&attributes);
    if (handle <= 0)
        return 0;
    emscripten_websocket_set_onopen_callback(handle, s, on_open);
    emscripten_websocket_set_onmessage_callback(handle, s, on_message);
    emscripten_websocket_set_onclose_callback(handle, s, on_close);
    js_socket_guard(handle);
    return handle;
}

static void socket_open(uint32_t link, struct view url)
{
    struct socket *s = socket_add(link);
    s->handle = socket_handle(url, s);
}

static void socket_send(struct socket *s, struct view data)
{
    if (!s->is_open)
        return;
    s->room -= MIN(s->room, data.len);
    /* The API takes `void *` for bytes it only reads. */
    emscripten_websocket_send_binary(s->handle, (void *)(uintptr_t)data.data, (uint32_t)data.len);
}

static void socket_close(struct socket *s)
{
    if (s->handle > 0) {
        emscripten_websocket_close(s->handle, CLOSE_NORMAL, NULL);
        js_socket_delete(s->handle);
    }
    *s = (struct socket){0};
}

static bool socket_is_short(const struct socket *s)
{
    return s->is_open && s->room < page.limits.socket_high / 2;
}

static size_t socket_room(const struct socket *s)
{
    size_t buffered = js_socket_buffered(s->handle);
    size_t high = page.limits.socket_high;
    return buffered < high ? high - buffered : 0;
}

/* Whether the node was told something, so that it has to be drained again. */
static bool socket_tell(struct socket *s)
{
    if (s->link != 0 && s->handle == 0) {
        uint32_t link = s->link;
        *s = (struct socket){0};
        peerlet_link_closed(page.node, link, 0, view_of_text("the browser refused to open it"),
                            browser_now());
        return true;
    }
    if (!socket_is_short(s))
        return false;
    size_t room = socket_room(s);
    if (room <= s->room)
        return false;
    s->room = room;
    peerlet_link_room(page.node, s->link, 0, room, browser_now());
    return true;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void perform_send(const struct peerlet_output *out)
{
    if (out->channel != 0) {
        js_rtc_send(out->id, out->channel, out->data.data, out->data.len);
        return;
    }
    struct socket *s = socket_find(out->id);
    if (s)
        socket_send(s, out->data);
}

static void perform_close(uint32_t link)
{
    struct socket *s = socket_find(link);
    if (s)
        socket_close(s);
    else
        js_rtc_close(link);
}

static void perform(const struct peerlet_output *out)
{
    switch (out->type) {
    case PEERLET_NOTHING:
        break;
    case PEERLET_OPEN_SOCKET:
        socket_open(out->id, out->text);
        break;
    case PEERLET_OPEN_SESSION:
        js_session_open(out->id, out->text.data, out->text.len, out->data.data, out->data.len,
                        page.limits.rtc_low, page.limits.rtc_high);
        break;
    case PEERLET_OPEN_RTC:
        js_rtc_open(out->id, page.limits.rtc_low, page.limits.rtc_high);
        break;
    case PEERLET_OPEN_CHANNEL:
        js_rtc_channel(out->id, out->channel, out->text.data, out->text.len, out->value == 1);
        break;
    case PEERLET_RTC_OFFER:
        js_rtc_offer(out->id, out->text.data, out->text.len);
        break;
    case PEERLET_RTC_REMOTE:
        js_rtc_remote(out->id, out->value == 1, out->text.data, out->text.len);
        break;
    case PEERLET_RTC_CANDIDATE:
        js_rtc_candidate(out->id, out->text.data, out->text.len);
        break;
    case PEERLET_SEND:
        perform_send(out);
        break;
    case PEERLET_CLOSE_CHANNEL:
        if (out->value == PEERLET_CLOSE)
            js_rtc_close_channel(out->id, out->channel);
        else
            js_session_end(out->id, out->channel, out->value);
        break;
    case PEERLET_PAUSE_CHANNEL:
        js_session_pause(out->id, out->channel, out->value == 1);
        break;
    case PEERLET_CLOSE_LINK:
        perform_close(out->id);
        break;
    case PEERLET_VERIFY:
        js_verify(out->id, out->value, out->data.data, out->data.len, out->text.data, out->text.len,
                  out->extra.data, out->extra.len);
        break;
    case PEERLET_LOOKUP: /* the resolver is the application's */
    case PEERLET_SELF_UPDATED:
    case PEERLET_PEER_DISCOVERED:
    case PEERLET_PEER_IDENTIFIED:
    case PEERLET_PEER_CONNECTED:
    case PEERLET_PEER_DISCONNECTED:
    case PEERLET_CONN_OPENED:
    case PEERLET_CONN_CLOSED:
    case PEERLET_CONN_RTT:
    case PEERLET_DIALED:
    case PEERLET_DIAL_FAILED:
    case PEERLET_DIAL_PROGRESS:
    case PEERLET_STREAM_OPENED:
    case PEERLET_STREAM_DATA:
    case PEERLET_STREAM_ENDED:
    case PEERLET_STREAM_ROOM:
    case PEERLET_STREAM_CLOSED:
    case PEERLET_PINGED:
    case PEERLET_MESSAGE:
    case PEERLET_NAME:
    case PEERLET_SUBSCRIPTION:
    case PEERLET_MESH:
    case PEERLET_HEARTBEAT:
    case PEERLET_RELAY:
    case PEERLET_NETWORK:
        js_event(out);
        break;
    }
}

/* What came of the orders, one socket at a time: every input is drained before the next. */
static bool tell_sockets(void)
{
    for (size_t i = 0; i < page.sockets_end; i++)
        if (socket_tell(&page.sockets[i]))
            return true;
    return false;
}

static bool is_any_short(void)
{
    for (size_t i = 0; i < page.sockets_end; i++)
        if (socket_is_short(&page.sockets[i]))
            return true;
    return false;
}

/* An alarm that rings too early does no harm, so one is set anew only to ring earlier, or never. */
static void set_alarm(void)
{
    uint64_t now = browser_now();
    uint64_t at = peerlet_deadline(page.node);
    if (is_any_short())
        at = earlier(at, now + POLL_MS);
    if (at == page.alarm_at || (at > page.alarm_at && at != NEVER))
        return;
    page.alarm_at = at;
    js_alarm(at == NEVER ? -1 : (int)MIN(at > now ? at - now : 0, ALARM_MAX_MS));
}

void browser_pump(void)
{
    struct peerlet_output out;
    if (!page.node)
        return;
    do {
        while (peerlet_next(page.node, &out))
            perform(&out);
    } while (tell_sockets());
    set_alarm();
}

/* Time that passed while the machine slept shows on the wall clock only. */
static void check_clock(void)
{
    double wall = emscripten_date_now();
    double drift = wall - emscripten_get_now();
    double jump = drift - page.drift;
    if (jump > -DRIFT_MS && jump < DRIFT_MS)
        return;
    page.drift = drift;
    peerlet_clock(page.node, (uint64_t)wall, browser_now());
    browser_pump();
    if (jump > 0)
        peerlet_page_event(page.node, PEERLET_RESUMED, browser_now());
    browser_pump();
}

void browser_ring(void)
{
    if (!page.node)
        return;
    page.alarm_at = NEVER;
    check_clock();
    peerlet_tick(page.node, browser_now());
    browser_pump();
}

/* ---- life ----------------------------------------------------------------------------------- */

static void fill_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    js_random(out, len);
}

static void log_to_page(void *context, enum log_level level, const char *text, size_t len)
{
    (void)context;
    js_log((int)level, text, len);
}

int browser_open(struct peerlet_config *config, int verbosity)
{
    page.limits = *config->limits;
    page.alarm_at = NEVER;
    page.drift = emscripten_date_now() - emscripten_get_now();
    config->unix_ms = (uint64_t)emscripten_date_now();
    config->rng = (struct rng){.fill = fill_random};
    if (verbosity >= 0)
        config->log = (struct log){.line = log_to_page, .level = (enum log_level)verbosity};
    int error = 0;
    page.node = peerlet_new(config, browser_now(), &error);
    return page.node ? 0 : error;
}

void browser_close(void)
{
    for (size_t i = 0; i < page.sockets_end; i++)
        if (page.sockets[i].link != 0)
            socket_close(&page.sockets[i]);
    if (page.node)
        peerlet_delete(page.node);
    page.node = NULL;
}
