/*
 * A page with a node in it: the driver that performs its orders in the simulated network, and a
 * person who uses it and remembers what it said.
 *
 * The application of such a page answers one protocol, NODE_ECHO, by sending back what comes, and
 * talks in one room. Whatever a node is told goes through node_tell, so it can be recorded.
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "record/replay.h"
#include "sim/sim.h"
#include "sim/told.h"

#define NODE_ECHO "/sim/echo/1.0.0"
#define NODE_PEER_MAX 64
#define NODE_TEXT_MAX 320
#define NODE_RELAYS 4
#define NODE_HEARD 64

struct relay;

/* Zero is a page as the demo opens it, without a relay. */
struct node_config {
    struct relay *relays[NODE_RELAYS];  /* to bootstrap from */
    const char *bootstrap;              /* and this; null: nothing */
    const char *room;                   /* pubsub topic to talk in; null: "room" */
    const char *listen;                 /* null: "/p2p-circuit"; "": nowhere */
    const char *discovery[NODE_RELAYS]; /* topics to announce itself in; null: the usual one */
    uint32_t services_off;              /* enum peerlet_service */
    bool is_undiscoverable;             /* no pubsub peer discovery */
    bool is_loner;                      /* does not dial whom it discovers */
    bool talks_relayed;                 /* in the room over limited connections, too */
    struct path path;                   /* latency 0: 5 ms */
    const struct peerlet_limits *limits;
    uint64_t fail_nth;   /* the allocation with this number fails; 0: none */
    uint32_t *heard_at;  /* when the messages of node_say_number come, in ms; null: nobody looks */
    uint32_t heard_room; /* numbers in it */
};

/* What the person saw of a connection, a relay, a dial, a stream. */
struct node_conn {
    struct list in_node;
    uint32_t id;
    uint32_t flags; /* enum peerlet_conn_flags */
    uint32_t rtt_ms;
    char peer[NODE_PEER_MAX];
    char address[NODE_TEXT_MAX];
};

struct node_relay {
    struct list in_node;
    char peer[NODE_PEER_MAX];
    enum peerlet_relay_state state;
    int code;
    uint64_t since;
    char text[NODE_TEXT_MAX];
};

struct node_dial {
    struct list in_node;
    uint32_t id;
    bool is_over;
    int code;
    uint32_t conn;
    char text[NODE_TEXT_MAX];
};

/* A stream of NODE_ECHO; those of the listener send back what comes. */
struct node_stream {
    struct list in_node;
    uint32_t id, conn;
    enum role role;
    bool is_open, is_ended, is_closed;
    int code;         /* why it closed */
    bool is_stalled;  /* the reader takes nothing: set it to stop, clear it to go on */
    bool is_mute;     /* the listener sends nothing back yet */
    bool close_after; /* close our half when all is sent */
    bool has_closed;  /* it is closed */
    size_t to_send, sent, received;
    size_t untaken;    /* received, and the credit not given back */
    bool is_intact;    /* what came back is what was sent */
    struct buf unsent; /* the listener's, to be sent back */
};

struct node_message {
    size_t len;
    uint8_t bytes[48]; /* the first of them */
};

struct node {
    struct host host;
    struct peerlet *p;
    struct node_config config;
    uint64_t chance; /* state of its randomness */
    char id[NODE_PEER_MAX];
    struct list conns, relays, dials, streams;
    char addresses[8192]; /* its own, as last told */
    char address[NODE_TEXT_MAX];
    uint32_t discovered;              /* peers announced so far */
    uint32_t connected, disconnected; /* peers, counted */
    uint32_t pings;                   /* answered */
    bool is_online;
    uint64_t messages, message_bytes;
    uint64_t numbers;                      /* sum of the numbers that messages began with */
    struct node_message heard[NODE_HEARD]; /* the last ones */
    uint64_t outputs;                      /* so far */
    uint64_t stuck_at;                     /* an instant, and how often the alarm rang at it */
    uint32_t stuck_count;
    struct recording *recording; /* null: not recording */
};

static inline struct node *node_of_host(struct host *h)
{
    return (struct node *)(void *)h;
}

bool host_is_node(const struct host *h);

/* Opens a page and starts its node; null when that took the allocation that fails. */
struct node *sim_node(struct sim *s, const struct node_config *config);
struct node *sim_page(struct sim *s, struct relay *relay);

/* ---- what a person does ---------------------------------------------------------------------- */

/* Says one thing to the node and performs what follows from it. */
struct input_result node_tell(struct node *n, const struct input *in);

/* Publishes in the room. Returns to how many peers, or an error. */
int node_say(struct node *n, const char *text);

/* The same with `len` bytes that begin with a number (4 bytes, big endian). */
int node_say_number(struct node *n, uint32_t number, size_t len);

/* Multiaddrs or a Peer ID. Null when the command failed; see peerlet_reason. */
struct node_dial *node_dial(struct node *n, const char *targets);
void node_hang_up(struct node *n, const struct node *peer);

/* Ends that connection at once. */
void node_abort(struct node *n, uint32_t conn);

/* Opens an echo stream on the best connection to the peer; null when there is none. */
struct node_stream *node_open(struct node *n, const struct node *peer);

/* Asks for a round trip on the best connection to the peer: 0, or an error. `pings` counts answers. */
int node_ping(struct node *n, const char *peer);

/* The same on a connection of that number. */
struct node_stream *node_open_on(struct node *n, uint32_t conn);

/* So many bytes of a pattern more go out on it. */
void node_send(struct node *n, struct node_stream *s, size_t len);
void node_close(struct node *n, struct node_stream *s);

/* Unplugs the cable and says so to the page; back again. */
void node_go_offline(struct node *n);
void node_go_online(struct node *n);

/* The tab goes to the background: timers ring once a second, after five minutes once a minute. */
void node_hide(struct node *n, uint32_t alarm_step_ms);
void node_show(struct node *n);

/* The tab is frozen, or the machine sleeps: a sleeping one is not told before. */
void node_freeze(struct node *n);
void node_resume(struct node *n);
void node_sleep(struct node *n);
void node_wake(struct node *n);

/* The page is left for another, and kept as it was; come back to. */
void node_turn_away(struct node *n);
void node_turn_back(struct node *n);

/* Stops it as the application does, and starts it again. */
void node_stop(struct node *n);
void node_start(struct node *n);

/* The page is closed as browsers close it; the process dies; its machine loses power. */
void node_leave(struct node *n);
void node_crash(struct node *n);
void node_vanish(struct node *n);

/* The node is deleted, without anybody being told. Its recording stays. */
void node_end(struct node *n);

/* ---- what a person sees ---------------------------------------------------------------------- */

/* A connection to the peer with all of these flags, and none of those. */
const struct node_conn *node_conn_to(const struct node *n, const char *peer, uint32_t with,
                                     uint32_t without);
bool node_is_connected_to(const struct node *n, const struct node *peer);
bool node_is_direct_to(const struct node *n, const struct node *peer);
bool node_is_relayed_to(const struct node *n, const struct node *peer);
bool nodes_are_direct(const struct node *a, const struct node *b);

bool node_is_on(const struct node *n, const struct relay *r);       /* connected */
bool node_is_reserved(const struct node *n, const struct relay *r); /* and reachable through it */
const struct node_relay *node_relay_state(const struct node *n, const struct relay *r);

/* How many of the last messages were exactly this text. */
size_t node_heard(const struct node *n, const char *text);

/* Whether its own addresses have this in them. */
bool node_has_address(const struct node *n, const char *part);

/* The first of them with this in it, up to "/p2p/<itself>"; valid until the next call. */
const char *node_address(struct node *n, const char *part);

size_t node_conn_count(const struct node *n);

/* Bytes the core has in use. */
size_t node_memory(const struct node *n);

/* Writes what it knows to stderr: after a failure. */
void node_dump(const struct node *n);

#endif
