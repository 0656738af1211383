#include "browser/browser.h"

#include <emscripten.h>
#include <emscripten/websocket.h>

struct browser browser;

uint64_t browser_now(void)
{
    return (uint64_t)emscripten_get_now();
}

/* ---- sockets ------------------------------------------------------------------------------------- */

static struct socket *socket_of(uint32_t link)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (browser.sockets[i].link == link)
            return &browser.sockets[i];
    return NULL;
}

static EM_BOOL on_open(int type, const EmscriptenWebSocketOpenEvent *event, void *user)
{
    (void)type, (void)event;
    uint32_t link = (uint32_t)(uintptr_t)user;
    struct socket *s = socket_of(link);
    if (s == NULL)
        return true;
    s->is_open = true;
    peerlet_link_opened(browser.node, link, 0, PEERLET_LIMITS.socket_high, browser_now());
    browser_pump();
    return true;
}

static EM_BOOL on_message(int type, const EmscriptenWebSocketMessageEvent *event, void *user)
{
    (void)type;
    uint32_t link = (uint32_t)(uintptr_t)user;
    if (socket_of(link) == NULL || event->isText)
        return true;
    peerlet_link_bytes(browser.node, link, 0, span_of(event->data, event->numBytes),
                       browser_now());
    browser_pump();
    return true;
}

static void forget(struct socket *s)
{
    int handle = s->handle;
    *s = (struct socket){0};
    emscripten_websocket_set_onopen_callback(handle, NULL, NULL);
    emscripten_websocket_set_onmessage_callback(handle, NULL, NULL);
    emscripten_websocket_set_onclose_callback(handle, NULL, NULL);
    emscripten_websocket_delete(handle);
}

static EM_BOOL on_close(int type, const EmscriptenWebSocketCloseEvent *event, void *user)
{
    (void)type;
    uint32_t link = (uint32_t)(uintptr_t)user;
    struct socket *s = socket_of(link);
    if (s == NULL)
        return true;
    forget(s);
    peerlet_link_closed(browser.node, link, 0, view_of_text(event->reason), browser_now());
    browser_pump();
    return true;
}

/* emscripten lets an exception of `new WebSocket` through C frames, so it must not come to that. */
static bool open_socket(const struct peerlet_output *o)
{
    char url[1024];
    struct socket *s = socket_of(0);
    if (s == NULL || o->text.len >= sizeof url || !js_url_may_open(o->text.data, o->text.len))
        return false;
    memcpy(url, o->text.data, o->text.len);
    url[o->text.len] = '\0';
    EmscriptenWebSocketCreateAttributes attributes = {.url = url, .createOnMainThread = true};
    int handle = emscripten_websocket_new(&attributes);
    if (handle <= 0)
        return false;
    *s = (struct socket){.link = o->id, .handle = handle};
    void *user = (void *)(uintptr_t)o->id;
    emscripten_websocket_set_onopen_callback(handle, user, on_open);
    emscripten_websocket_set_onmessage_callback(handle, user, on_message);
    emscripten_websocket_set_onclose_callback(handle, user, on_close);
    return true;
}

static void close_socket(struct socket *s)
{
    unsigned short state = 3;
    emscripten_websocket_get_ready_state(s->handle, &state);
    if (state < 2)
        emscripten_websocket_close(s->handle, 1000, "");
    forget(s);
}

static size_t room_of(const struct socket *s)
{
#if defined(__EMSCRIPTEN_major__) && __EMSCRIPTEN_major__ >= 4
    size_t waiting = 0;
#else
    unsigned long long waiting = 0;
#endif
    emscripten_websocket_get_buffered_amount(s->handle, &waiting);
    size_t high = PEERLET_LIMITS.socket_high;
    return waiting < high ? high - (size_t)waiting : 0;
}

/* A browser tells nobody when a socket's buffer drains, so a tight one is looked at again. */
static void report_room(struct socket *s)
{
    size_t room = room_of(s);
    s->is_tight = room < PEERLET_LIMITS.socket_high / 2;
    if (s->is_tight)
        js_poll_soon();
    peerlet_link_room(browser.node, s->link, 0, room, browser_now());
}

static void send(const struct peerlet_output *o)
{
    struct socket *s = socket_of(o->id);
    if (o->channel != 0 || s == NULL) {
        int room = js_rtc_send(o->id, o->channel, o->data.data, o->data.len,
                               PEERLET_LIMITS.rtc_high);
        if (room >= 0)
            peerlet_link_room(browser.node, o->id, o->channel, (size_t)room, browser_now());
        return;
    }
    unsigned short state = 3;
    emscripten_websocket_get_ready_state(s->handle, &state);
    if (state != 1)
        return; /* its close is on the way */
    /* The API takes no const; it only reads. */
    emscripten_websocket_send_binary(s->handle, (void *)(uintptr_t)o->data.data,
                                     (uint32_t)o->data.len);
    report_room(s);
}

EMSCRIPTEN_KEEPALIVE void driver_poll(void)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (browser.sockets[i].link != 0 && browser.sockets[i].is_tight)
            report_room(&browser.sockets[i]);
    browser_pump();
}

void browser_close_sockets(void)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (browser.sockets[i].link != 0)
            close_socket(&browser.sockets[i]);
}

/* ---- the loop ----------------------------------------------------------------------------------------- */

static void close_link(uint32_t link)
{
    struct socket *s = socket_of(link);
    if (s != NULL)
        close_socket(s);
    else
        js_rtc_close(link);
}

static void perform(const struct peerlet_output *o)
{
    switch (o->type) {
    case PEERLET_OPEN_SOCKET:
        if (!open_socket(o))
            peerlet_link_closed(browser.node, o->id, 0,
                                view_of_text("the browser does not let this page open that "
                                             "address; a page on https needs /tls/ws"),
                                browser_now());
        return;
    case PEERLET_OPEN_RTC:
        js_rtc_open(o->id);
        return;
    case PEERLET_OPEN_CHANNEL:
        js_rtc_channel(o->id, o->channel, o->text.data, o->text.len, PEERLET_LIMITS.rtc_low);
        return;
    case PEERLET_RTC_OFFER:
        js_rtc_offer(o->id);
        return;
    case PEERLET_RTC_REMOTE:
        js_rtc_remote(o->id, o->value, o->text.data, o->text.len);
        return;
    case PEERLET_RTC_CANDIDATE:
        js_rtc_candidate(o->id, o->text.data, o->text.len);
        return;
    case PEERLET_RTC_RESTART:
        js_rtc_restart(o->id);
        return;
    case PEERLET_SEND:
        send(o);
        return;
    case PEERLET_CLOSE_CHANNEL:
        js_rtc_close_channel(o->id, o->channel);
        return;
    case PEERLET_CLOSE_LINK:
        close_link(o->id);
        return;
    case PEERLET_VERIFY:
        js_verify(o->id, o->value, o);
        return;
    default:
        js_event(o);
    }
}

void browser_pump(void)
{
    struct peerlet_output o;
    if (browser.node == NULL)
        return;
    while (peerlet_next(browser.node, &o))
        perform(&o);
    uint64_t at = peerlet_deadline(browser.node), now = browser_now();
    js_alarm(at == NEVER ? -1 : at > now ? (double)(at - now) : 0);
}
