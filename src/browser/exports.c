#include "browser/exports.h"

#include "browser/browser.h"

/* Far above a multiaddr list or a published message; a data channel carries at most 256 KiB. */
#define INBOX_MAX (1u << 20)

/* js-glue/memory.js reads struct peerlet_output as twenty 32-bit numbers. */
_Static_assert(sizeof(struct peerlet_output) == 80, "struct peerlet_output");
_Static_assert(offsetof(struct peerlet_output, limit_bytes) == 24, "struct peerlet_output");
_Static_assert(offsetof(struct peerlet_output, peer) == 32, "struct peerlet_output");
_Static_assert(offsetof(struct peerlet_output, key) == 72, "struct peerlet_output");

/* ---- the inbox ------------------------------------------------------------------------------ */

static struct mem box_mem = {.limit = 2 * INBOX_MAX};
static uint8_t *box;
static size_t box_len;

uint8_t *inbox(size_t len)
{
    if (len > INBOX_MAX)
        return NULL;
    if (len > box_len || !box) {
        size_t room = MAX(len, 4096);
        uint8_t *grown = mem_resize(&box_mem, box, room);
        if (!grown)
            return NULL;
        box = grown;
        box_len = room;
    }
    return box;
}

static struct view first(size_t len)
{
    return view_of(box, len);
}

static struct view second(size_t first_len, size_t len)
{
    return view_of(box + first_len, len);
}

static const struct view *give(struct view v)
{
    static struct view given;
    given = v;
    return &given;
}

/* ---- life ----------------------------------------------------------------------------------- */

static struct peerlet_limits limits_of(const uint32_t *n)
{
    struct peerlet_limits l = PEERLET_LIMITS;
    _Static_assert(APP_SIGNING - APP_MAX_CONNECTIONS == LIMITS_CHOSEN, "these rows are they");
    for (size_t i = 0; i < LIMITS_CHOSEN; i++) {
        uint32_t wanted = n[APP_MAX_CONNECTIONS + i];
        if (wanted > 0 && (i >= LIMITS_CHOSEN_SIZES || wanted < l.chosen[i]))
            l.chosen[i] = wanted;
    }
    return l;
}

static struct peerlet_pubsub_config pubsub_of(const uint32_t *n)
{
    struct peerlet_pubsub_config c;
    _Static_assert(APP_NUMBERS - APP_SIGNING == PEERLET_PUBSUB_NUMBERS, "the last rows are it");
    memcpy(c.numbers, n + APP_SIGNING, sizeof c.numbers);
    return c;
}

int app_new(size_t key_len, size_t agent_len)
{
    uint32_t n[APP_NUMBERS];
    memcpy(n, box, sizeof n);
    struct peerlet_limits limits = limits_of(n);
    struct peerlet_config config = {
        .limits = &limits,
        .private_key = second(sizeof n, key_len),
        .services = n[APP_SERVICES],
        .page = n[APP_PAGE],
        .agent = second(sizeof n + key_len, agent_len),
        .pubsub = pubsub_of(n),
        .no_auto_dial_discovered = n[APP_NO_AUTO_DIAL] != 0,
    };
    return browser_open(&config, (int)n[APP_VERBOSITY] - 1);
}

void app_delete(void)
{
    browser_close();
}

void app_start(void)
{
    peerlet_start(browser_node(), browser_now());
}

void app_stop(void)
{
    peerlet_stop(browser_node(), browser_now());
}

void app_flush(void)
{
    browser_pump();
}

/* ---- inputs --------------------------------------------------------------------------------- */

void page_ring(void)
{
    browser_ring();
}

void page_event(uint32_t event)
{
    peerlet_page_event(browser_node(), (enum peerlet_page_event)event, browser_now());
    browser_pump();
}

void page_verified(uint32_t job, int is_valid)
{
    peerlet_verified(browser_node(), job, is_valid != 0, browser_now());
    browser_pump();
}

void app_found(size_t list_len, size_t why_len, uint32_t lookup)
{
    peerlet_found(browser_node(), lookup, first(list_len), second(list_len, why_len),
                  browser_now());
}

void rtc_opened(uint32_t link, uint32_t channel, size_t room)
{
    peerlet_link_opened(browser_node(), link, channel, room, browser_now());
    browser_pump();
}

void rtc_room(uint32_t link, uint32_t channel, size_t room)
{
    peerlet_link_room(browser_node(), link, channel, room, browser_now());
    browser_pump();
}

void rtc_message(uint32_t link, uint32_t channel, size_t len)
{
    peerlet_link_bytes(browser_node(), link, channel, span_of(box, len), browser_now());
    browser_pump();
}

void rtc_closed(uint32_t link, uint32_t channel, size_t why_len)
{
    peerlet_link_closed(browser_node(), link, channel, first(why_len), browser_now());
    browser_pump();
}

void rtc_ended(uint32_t link, uint32_t channel, uint32_t end)
{
    peerlet_channel_ended(browser_node(), link, channel, (enum peerlet_channel_end)end,
                          browser_now());
    browser_pump();
}

void rtc_description(uint32_t link, size_t len)
{
    peerlet_rtc_description(browser_node(), link, first(len), browser_now());
    browser_pump();
}

void rtc_candidate(uint32_t link, size_t len)
{
    peerlet_rtc_candidate(browser_node(), link, first(len), browser_now());
    browser_pump();
}

void rtc_state(uint32_t link, uint32_t state)
{
    peerlet_rtc_state(browser_node(), link, (enum peerlet_rtc_state)state, browser_now());
    browser_pump();
}

uint32_t rtc_incoming(uint32_t link, size_t label_len, size_t room)
{
    return peerlet_channel_incoming(browser_node(), link, first(label_len), room, browser_now());
}

/* ---- commands ------------------------------------------------------------------------------- */

/* An error, or the number the command made. */
static int number_or_error(int rc, uint32_t number)
{
    return rc < 0 ? rc : (int)number;
}

int app_listen(size_t multiaddr_len)
{
    return peerlet_listen(browser_node(), first(multiaddr_len), browser_now());
}

int app_bootstrap(size_t multiaddr_len)
{
    return peerlet_bootstrap(browser_node(), first(multiaddr_len), browser_now());
}

int app_discover(size_t topic_len, uint32_t interval_ms, int listen_only)
{
    return peerlet_discover(browser_node(), first(topic_len), interval_ms, listen_only != 0,
                            browser_now());
}

int app_dial(size_t peer_len, size_t multiaddrs_len, uint32_t flags)
{
    uint32_t dial = 0;
    int rc = peerlet_dial(browser_node(), first(peer_len), second(peer_len, multiaddrs_len), flags,
                          &dial, browser_now());
    return number_or_error(rc, dial);
}

void app_dial_cancel(uint32_t dial)
{
    peerlet_dial_cancel(browser_node(), dial, browser_now());
}

int app_is_dialable(size_t multiaddr_len)
{
    return peerlet_is_dialable(browser_node(), first(multiaddr_len));
}

void app_conn_close(uint32_t conn, int abort)
{
    peerlet_conn_close(browser_node(), conn, abort != 0, browser_now());
}

int app_handle(size_t protocol_len, uint32_t flags, uint32_t max_inbound, uint32_t max_outbound)
{
    return peerlet_handle(browser_node(), first(protocol_len), flags, max_inbound, max_outbound,
                          browser_now());
}

int app_unhandle(size_t protocol_len)
{
    return peerlet_unhandle(browser_node(), first(protocol_len), browser_now());
}

int app_stream_open(size_t protocols_len, uint32_t conn, uint32_t flags)
{
    uint32_t stream = 0;
    int rc = peerlet_stream_open(browser_node(), conn, first(protocols_len), flags, &stream,
                                 browser_now());
    return number_or_error(rc, stream);
}

static size_t reserved;

uint8_t *app_stream_reserve(uint32_t stream, size_t wanted)
{
    reserved = wanted;
    return peerlet_stream_reserve(browser_node(), stream, &reserved, browser_now());
}

size_t app_stream_given(void)
{
    return reserved;
}

void app_stream_commit(uint32_t stream, size_t len)
{
    peerlet_stream_commit(browser_node(), stream, len, browser_now());
}

void app_stream_took(uint32_t stream, size_t len)
{
    peerlet_stream_took(browser_node(), stream, len, browser_now());
}

void app_stream_close_write(uint32_t stream)
{
    peerlet_stream_close_write(browser_node(), stream, browser_now());
}

void app_stream_close_read(uint32_t stream)
{
    peerlet_stream_close_read(browser_node(), stream, browser_now());
}

void app_stream_reset(uint32_t stream)
{
    peerlet_stream_reset(browser_node(), stream, browser_now());
}

int app_ping(uint32_t conn)
{
    uint32_t job = 0;
    return number_or_error(peerlet_ping(browser_node(), conn, &job, browser_now()), job);
}

int app_subscribe(size_t topic_len)
{
    return peerlet_subscribe(browser_node(), first(topic_len), browser_now());
}

int app_unsubscribe(size_t topic_len)
{
    return peerlet_unsubscribe(browser_node(), first(topic_len), browser_now());
}

int app_publish(size_t topic_len, size_t data_len, uint32_t reach)
{
    return peerlet_publish(browser_node(), first(topic_len), second(topic_len, data_len),
                           (enum peerlet_reach)reach, browser_now());
}

int app_judge(uint32_t job, uint32_t verdict)
{
    return peerlet_judge(browser_node(), job, (enum peerlet_verdict)verdict, browser_now());
}

void app_name(size_t id_len, uint32_t job)
{
    peerlet_name(browser_node(), job, first(id_len), browser_now());
}

int app_tune(size_t topic_len, size_t len)
{
    float numbers[PEERLET_TUNE_TOPIC_NUMBERS] = {0};
    memcpy(numbers, box + topic_len, MIN(len, sizeof numbers));
    return peerlet_tune(browser_node(), first(topic_len), len > 0 ? numbers : NULL, browser_now());
}

float app_rate(size_t peer_len, float application)
{
    return peerlet_rate(browser_node(), first(peer_len), application);
}

int app_add_addresses(size_t peer_len, size_t multiaddrs_len, int is_explicit)
{
    return peerlet_add_addresses(browser_node(), first(peer_len), second(peer_len, multiaddrs_len),
                                 is_explicit != 0, browser_now());
}

/* ---- questions ------------------------------------------------------------------------------ */

const struct view *ask_reason(void)
{
    return give(peerlet_reason(browser_node()));
}

const struct view *ask_error(int code)
{
    static char row[160];
    size_t len =
        text_format(row, sizeof row, "%s %s %s", err_name(code), err_js_name(code), err_text(code));
    return give(view_of((const uint8_t *)row, len));
}

const struct view *ask_peer_id(void)
{
    return give(peerlet_peer_id(browser_node()));
}

const struct view *ask_private_key(void)
{
    return give(peerlet_private_key(browser_node()));
}

const struct view *ask_recipients(void)
{
    return give(peerlet_recipients(browser_node()));
}

const struct view *ask_topics(void)
{
    return give(peerlet_topics(browser_node()));
}

const struct view *ask_pubsub_peers(size_t topic_len, uint32_t set)
{
    return give(
        peerlet_pubsub_peers(browser_node(), first(topic_len), (enum peerlet_pubsub_set)set));
}

const struct view *ask_peer_addresses(size_t peer_len)
{
    return give(peerlet_peer_addresses(browser_node(), first(peer_len)));
}

const struct view *ask_peer_protocols(size_t peer_len)
{
    return give(peerlet_peer_protocols(browser_node(), first(peer_len)));
}

size_t ask_memory(void)
{
    return peerlet_memory(browser_node())->used;
}
