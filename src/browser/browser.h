/*
 * The browser driver: sockets, timers and randomness around one node.
 *
 * One wasm instance holds one node, so this is the one place with a global. Private to src/browser.
 */
#ifndef BROWSER_BROWSER_H
#define BROWSER_BROWSER_H

#include "peerlet.h"

/* More than the node's limit on connections. */
#define SOCKETS_MAX 256

/* A WebSocket by emscripten's handle. */
struct socket {
    uint32_t link;   /* 0: free */
    int handle;
    bool is_open;
    bool is_tight;   /* the node was told of less room than it likes: look again soon */
};

struct browser {
    struct peerlet *node;
    struct socket sockets[SOCKETS_MAX];
    uint8_t *inbox;      /* where JavaScript puts the bytes of a command */
    size_t inbox_len;
};

extern struct browser browser;

/* Monotonic milliseconds. */
uint64_t browser_now(void);

/* Performs everything the node wants, then sets its alarm. */
void browser_pump(void);

/* Closes every socket without a word to the node. */
void browser_close_sockets(void);

/* In js-glue/library_*.js. They catch every exception and call no export before they return. */
void js_event(const struct peerlet_output *out);
void js_alarm(double ms);
void js_poll_soon(void);
void js_random(uint8_t *out, size_t len);
int js_url_may_open(const uint8_t *url, size_t len);
void js_log(int level, const char *text, size_t len);
void js_verify(uint32_t job, uint32_t bits, const struct peerlet_output *out);
void js_rtc_open(uint32_t link);
void js_rtc_channel(uint32_t link, uint32_t channel, const uint8_t *label, size_t len, size_t low);
void js_rtc_offer(uint32_t link);
void js_rtc_remote(uint32_t link, uint32_t is_answer, const uint8_t *sdp, size_t len);
void js_rtc_candidate(uint32_t link, const uint8_t *json, size_t len);
void js_rtc_restart(uint32_t link);

/* How many more bytes the channel takes, or -1 when it is gone. */
int js_rtc_send(uint32_t link, uint32_t channel, const uint8_t *data, size_t len, size_t high);
void js_rtc_close_channel(uint32_t link, uint32_t channel);
void js_rtc_close(uint32_t link);

#endif
