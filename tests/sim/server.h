/*
 * A server on the open network, as a go-libp2p one is to a browser: WebTransport and WebRTC Direct,
 * with a certificate of its own making. It answers identify, ping and NODE_ECHO.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "net/link.h"
#include "sim/sim.h"

#define SERVER_PORT 4433
#define SERVER_ADDRESS_MAX 256
#define SERVER_CERTIFICATE_LEN 32

/* In the simulated network the label of the channel that both ends of WebRTC Direct agree on. */
#define SERVER_FIRST "first"

struct server;

/* How it strays; may be changed while it runs. */
struct server_terms {
    bool hides_certhash; /* does not stand by its certificate in Noise */
    bool is_mute;        /* never says a word of Noise */
    bool speaks_early;   /* opens a stream before its last word of Noise is heard */
    bool resets;         /* every stream, once it has been written to */
    uint32_t untold;     /* how often it resets the stream instead of saying who it is */
};

struct server *sim_server(struct sim *s);
struct host *server_host(struct server *r);
struct server_terms *server_terms(struct server *r);

/* "/ip4/10.0.0.1/udp/4433/quic-v1/webtransport/certhash/uEi…/p2p/12D3Koo…", or of LINK_DIRECT. */
const char *server_address(const struct server *r, enum link_kind kind);
const char *server_id(const struct server *r);

/* Connections; streams that nodes opened so far; bytes it heard and holds, unable to send them. */
uint32_t server_visitors(const struct server *r);
uint64_t server_streams(const struct server *r);
size_t server_holds(const struct server *r);

/* It opens a stream of NODE_ECHO to everybody and says `len` bytes; how many came back in all. */
void server_call(struct server *r, size_t len);
uint64_t server_heard(const struct server *r);

/* The process dies, without a word: UDP has none. */
void server_kill(struct server *r);

/* ---- for the parts of the simulator ---------------------------------------------------------- */

bool host_is_server(const struct host *h);
bool server_has_certificate(const struct host *h, struct view hashes);
void server_answers(const struct host *h, uint8_t fingerprint[SERVER_CERTIFICATE_LEN]);

/* A peer connection to it is being made, by a node's link: the number it will be known by. */
uint32_t server_visit(struct host *h, struct host *from, uint32_t link,
                      const uint8_t fingerprint[SERVER_CERTIFICATE_LEN]);

#endif
