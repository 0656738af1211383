/*
 * Every cap and timeout of the node, each with its unit and its reason. Nothing else invents one:
 * a machine takes what it needs from here when it is initialised. Sizes that are part of a wire
 * format (a Noise frame, a multistream line) stand in that format's header instead.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* What an application chooses: so many, of which the first are sizes, and can only be smaller. */
#define LIMITS_CHOSEN 6
#define LIMITS_CHOSEN_SIZES 3

struct peerlet_limits {
    union {
        struct {
            uint32_t conns; /* in all, a quarter for us; browsers get slow long before their limit */
            uint32_t dials; /* running at once */
            uint32_t dial_addresses;  /* of one peer in one dial, best first */
            uint32_t dial_ms;         /* one dial in all */
            uint32_t dial_address_ms; /* one address: a silent one must not eat the dial */
            uint32_t upgrade_ms;      /* link open to muxer ready */
        };
        uint32_t chosen[LIMITS_CHOSEN];
    };

    /* memory, bytes */
    size_t memory;      /* all of one node; past it every request is ERR_NOMEM */
    size_t link_out;    /* waiting for one link, or parts of frames on it: what a peer may cost */
    size_t channel_out; /* waiting for one data channel */
    size_t channel_in;  /* unread on one data channel, which has no credit; then reset */
    size_t socket_high; /* bytes in a browser socket at which we stop handing it more */
    size_t rtc_high;    /* the same for a data channel; Chromium throws at 16 MiB */
    size_t rtc_low;     /* where a paused data channel resumes */

    /* connections */
    uint32_t conns_per_peer;     /* relayed, direct and one glare pair of each */
    uint32_t dials_background;   /* of `dials`, to peers that we only heard of */
    uint32_t dial_stagger_ms;    /* between the starts of two addresses of one peer */
    uint32_t liveness_idle_ms;   /* silence on an idle connection before a ping */
    uint32_t liveness_active_ms; /* the same while streams or a reservation depend on it */
    uint32_t liveness_answer_ms; /* for the answer; two misses end the connection */
    uint32_t liveness_laden_ms;  /* the same where much was said that the answer waits behind */

    /* streams */
    uint32_t streams_inbound;     /* per connection, RST above */
    uint32_t streams_node;        /* in all, of those we opened and of those we did not, each */
    uint32_t streams_unacked;     /* ours the peer has not answered: rust queues past 256 */
    uint32_t streams_protocol_in; /* per connection and protocol, as js-libp2p */
    uint32_t streams_protocol_out;
    uint32_t negotiate_ms;        /* a stream's multistream-select; its end when we are done */
    uint32_t negotiate_rtc_ms;    /* the same over WebRTC: Chromium's SCTP rests for 20 s after a loss */
    uint32_t negotiate_proposals; /* names a peer may propose on one stream */
    uint32_t negotiate_refusals;  /* `na` we take before giving up */

    /* yamux */
    uint32_t window_initial;      /* the spec's 256 KiB */
    uint32_t window_stream;       /* largest receive window of one stream */
    uint32_t window_conn;         /* sum of the windows' growth on one connection */
    uint32_t window_node;         /* the same of all connections; unread on data channels, too */
    uint32_t yamux_frame;         /* body of one Data frame we send, so that others interleave */
    uint32_t yamux_pongs_owed;    /* unanswered pings kept, and answered in one burst */
    uint32_t yamux_pongs_per_s;   /* answered in the long run; honest peers have one under way */
    uint32_t yamux_refusals_owed; /* RST of streams over the cap; rust opens 256 unanswered */
    uint32_t yamux_churn_per_s;   /* streams opened and reset by the peer; then GOAWAY */

    /* bytes on their way to a peer, see net/flight.h */
    size_t flight_first;
    size_t flight_least;
    size_t flight_most;
    uint32_t flight_late_ms;  /* what the queue on the way may add to the round trip */
    uint32_t flight_pause_ms; /* between probes while nothing waits for their answers */
    uint32_t flight_lost_ms;  /* for the answer to a ping of the muxer */

    /* identify */
    size_t identify_message;     /* one received message; go and js allow 8192 */
    uint32_t identify_messages;  /* merged from one stream */
    size_t identify_send;        /* rust reads no more */
    uint32_t identify_addresses; /* kept of one peer */
    uint32_t identify_protocols;
    uint32_t identify_ms;
    uint8_t identify_again;    /* streams after the first, where that had no answer in time */
    uint32_t identify_push_ms; /* least time between two pushes */

    /* ping */
    size_t ping_owed; /* echoes a peer has not taken; then its stream is reset */

    /* circuit relay */
    size_t circuit_message;        /* the spec's 4096 */
    uint32_t circuit_stop_pending; /* relayed connections being set up towards us */
    uint32_t circuit_ms;           /* one exchange with a relay */
    uint32_t reservation_min_s;    /* what a relay may say is clamped to this range */
    uint32_t reservation_max_s;
    uint32_t relays;             /* reservations held at once */
    uint32_t relay_retry_min_ms; /* back-off of the relay supervisor */
    uint32_t relay_retry_max_ms;
    uint32_t relay_refused_max_ms; /* the same where it answers: rust takes 30, then one in 2 min */
    uint32_t limited_max_s;        /* a longer advertised duration is taken as 120 s */

    /* WebRTC */
    size_t sdp;               /* one description */
    size_t candidate;         /* one candidate's JSON */
    uint32_t candidates;      /* per session: a browser must not become a port scanner */
    uint32_t rtc_handshakes;  /* under way at once, of ours and of theirs, each */
    uint32_t rtc_live;        /* RTCPeerConnections, a quarter for us; Chromium allows about 500 */
    uint32_t rtc_per_peer_ms; /* least time between two offers of one peer */
    uint32_t rtc_per_minute;  /* handshakes, likewise */
    uint32_t rtc_channels;    /* per connection */
    uint32_t early_channels;  /* the same before it is known who is there */
    size_t early_bytes;       /* kept of each of them until then */
    uint32_t rtc_ms;          /* offer to connected */
    uint32_t rtc_init_ms;     /* connected to the dialer's close of its first channel */
    uint32_t rtc_answer_ms;   /* for a FIN or RESET to be answered; rust never does a FIN */
    uint32_t direct_retry_ms[3]; /* between upgrades; the last for ever */

    /* WebTransport */
    uint32_t sessions_pending;  /* being opened; with those that failed lately Chromium has 64 */
    uint32_t session_failed_ms; /* for how long one that failed counts */
    uint32_t session_rest_ms; /* of a host after its first failure, doubled by each that follows */

    /* names */
    uint32_t name_again_ms; /* from the failure of a relay to another look behind names */

    /* address book, bytes and entries */
    uint32_t peers;         /* known, least recently used goes first */
    uint32_t addresses;     /* of one peer */
    uint32_t address_ttl_s; /* learnt, not certified */

    /* gossipsub */
    size_t rpc;               /* one received RPC */
    size_t rpcs_begun;        /* of all peers: fifty of the longest that pages send; past it none
                                 grows longer than rpc_send */
    size_t rpc_send;          /* rust's default largest */
    size_t rpc_long;          /* the same with one message only, where a network reads longer ones */
    size_t rpc_control;       /* control and subscriptions in one RPC we send: under rust's 16 KiB */
    uint32_t rpc_messages;    /* in the same; rust ends the stream over more */
    uint32_t rpc_topics;      /* subscriptions in it: rust with a filter does not read more */
    uint32_t rpc_idontwants;  /* ids in it: go does not read more */
    size_t gossip_out;        /* queued for one peer */
    size_t gossip_own_out;    /* the same with what this page published itself */
    size_t message;           /* data of one published message */
    size_t messages;          /* all that are alive, cached or queued, with their heads */
    uint32_t topics;          /* we subscribe to */
    uint32_t topics_per_peer; /* a peer may announce */
    size_t topic_name;
    size_t seen;              /* bytes of the seen cache */
    size_t marks;             /* of each set of ids asked for, served, not wanted */
    size_t mcache;            /* bytes of the message cache */
    uint32_t ihave_messages;  /* per peer and heartbeat */
    uint32_t ihave_ids;       /* asked from a peer per heartbeat */
    uint32_t idontwant_ids;   /* heard from a peer per heartbeat */
    uint32_t extension_fault; /* what it counts to say again what extensions one has; go's */
    uint32_t retransmissions; /* of one message to one peer by IWANT */
    uint32_t broken_promises; /* in a row: fewer may be bad luck */
    uint32_t graft_grace_ms;  /* a GRAFT so soon has crossed our PRUNE */
    uint32_t backoff_max_s;   /* a PRUNE may ask for no more */
    uint32_t px_peers;        /* in one PRUNE: js reads no RPC with more */
    size_t px_record;         /* longest signed record that is passed on */
    uint32_t unverified;      /* messages waiting for WebCrypto, or for the application's verdict */
    uint32_t verdict_ms;      /* then they are given up */

    /* the application */
    uint32_t outputs;     /* queued orders and events */
    uint32_t handlers;    /* protocols an application registers */
    size_t protocol_name; /* longest protocol id */
};

extern const struct peerlet_limits PEERLET_LIMITS;

/* The same for what a page loads only if it wants it: fetch, perf, Kademlia, rendezvous. */
struct service_limits {
    size_t memory; /* all of one page's */

    /* fetch, bytes and milliseconds */
    size_t fetch_key;  /* one that is asked for */
    size_t fetch_data; /* one value: js-libp2p reads no longer message */
    uint32_t fetch_ms; /* for the other side's message, as js-libp2p */

    uint32_t perf_ms; /* from the opening of a perf stream to the 8 bytes it begins with */

    /* Kademlia */
    size_t kad_message;        /* one answer: twice 20 peers with 32 long addresses fit */
    uint32_t kad_peers;        /* looked at in each list of one answer; a fair one has 20 */
    uint32_t kad_ms;           /* for the answer, as js- and rust-libp2p */
    uint32_t lookup_peers;     /* heard of in one lookup; the farthest make room */
    uint32_t lookup_found;     /* providers */
    uint32_t lookup_addresses; /* kept of one peer */
    uint32_t lookup_ask_ms;    /* dial and answer of one peer */
    uint32_t lookup_ms;        /* one lookup in all */

    /* rendezvous */
    size_t rendezvous_message;         /* one answer, as rust-libp2p */
    size_t rendezvous_namespace;       /* the specification's 255 bytes */
    uint32_t rendezvous_registrations; /* read from one answer */
    uint32_t rendezvous_ms;            /* for the answer */
};

extern const struct service_limits SERVICE_LIMITS;

#endif
