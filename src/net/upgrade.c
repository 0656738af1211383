#include "net/upgrade.h"

#include "crypto/identity.h"
#include "multiformats/multiaddr.h"

#define NOISE_PROTOCOL "/noise"
#define YAMUX_PROTOCOL "/yamux/1.0.0"

void upgrade_negotiation_free(struct conn *c, struct multistream **m)
{
    if (*m == NULL)
        return;
    multistream_free(*m);
    mem_free(c->mem, *m);
    *m = NULL;
}

static int negotiate(struct conn *c, const char *protocol)
{
    upgrade_negotiation_free(c, &c->negotiation);
    c->negotiation = mem_alloc(c->mem, sizeof *c->negotiation);
    if (c->negotiation == NULL)
        return ERR_NOMEM;
    multistream_init(c->negotiation, c->role, c->mem, c->limits);
    if (c->role == LISTENER)
        return 0;
    return multistream_propose(c->negotiation, view_of_text(protocol));
}

/* Writes what the finished negotiation owes before the next layer writes behind it. */
static int flush_negotiation(struct conn *c)
{
    if (c->state != CONN_MUXER)
        return multistream_drain(c->negotiation, &c->link.out);
    struct buf plain;
    buf_init(&plain, c->mem, NOISE_MAX_PLAINTEXT);
    int rc = multistream_drain(c->negotiation, &plain);
    if (rc >= 0 && plain.len > 0) {
        uint8_t *at = noise_reserve(&c->noise, &c->link.out, plain.len);
        if (at != NULL) {
            memcpy(at, plain.data + plain.head, plain.len);
            noise_commit(&c->noise, &c->link.out, plain.len);
        }
        rc = at ? noise_seal(&c->noise, &c->link.out) : ERR_NOMEM;
    }
    buf_free(&plain);
    return rc;
}

static int begin_noise(struct conn *c, enum role role, struct view prologue, const char *muxer)
{
    return noise_init(&c->noise, &(struct noise_config){
                                     .role = role,
                                     .identity = c->identity,
                                     .prologue = prologue,
                                     .expected = c->expected.len ? &c->expected : NULL,
                                     .muxer = view_of_text(muxer),
                                     .rng = c->rng,
                                     .mem = c->mem,
                                 });
}

int upgrade_secure(struct conn *c, enum role role, struct view prologue)
{
    c->state = CONN_NOISE;
    return begin_noise(c, role, prologue, "");
}

static int start_noise(struct conn *c)
{
    int rc = flush_negotiation(c);
    if (rc < 0)
        return rc;
    return begin_noise(c, c->role, view_of(NULL, 0), YAMUX_PROTOCOL);
}

/* Whether the peer stands by every certificate that the browser was told to accept. */
static bool knows_certhashes(const struct conn *c, const struct noise_event *nev)
{
    struct view rest = conn_address(c);
    struct multiaddr_part part;
    while (multiaddr_next(&rest, &part) == 1) {
        bool is_known = part.code != MULTIADDR_CERTHASH;
        for (size_t i = 0; i < nev->certhash_count; i++)
            is_known |= view_equal(nev->certhashes[i], part.value);
        if (!is_known)
            return false;
    }
    return true;
}

/* The dialer's first Noise message leaves with its only proposal: a round trip less. */
int upgrade_start(struct conn *c)
{
    c->state = CONN_SECURITY;
    int rc = negotiate(c, NOISE_PROTOCOL);
    return rc == 0 && c->role == DIALER ? start_noise(c) : rc;
}

static int end_negotiation(struct conn *c)
{
    int rc = c->role == LISTENER ? start_noise(c) : 0;
    upgrade_negotiation_free(c, &c->negotiation);
    c->state = CONN_NOISE;
    return rc;
}

static int start_muxer(struct conn *c, struct conn_event *ev, uint64_t now)
{
    c->state = CONN_READY;
    if (!link_has_channels(c->link.kind)) {
        yamux_init(&c->yamux, c->role, c->mem, c->limits, now);
        c->yamux.all = &c->totals->windows;
    }
    ev->type = CONN_OPENED;
    ev->peer_id = c->expected;
    return 1;
}

/* Both negotiations have one name that we want; a listener refuses every other. */
static int feed_negotiation(struct conn *c, struct span *in, const char *wanted)
{
    struct multistream_event mev;
    int rc = multistream_feed(c->negotiation, in, &mev);
    if (rc <= 0)
        return rc;
    switch (mev.type) {
    case MULTISTREAM_ACCEPTED:
        return 1;
    case MULTISTREAM_REFUSED:
        return ERR_UNSUPPORTED;
    case MULTISTREAM_PROPOSED:
        if (!view_equals_text(mev.protocol, wanted))
            return multistream_refuse(c->negotiation);
        rc = multistream_accept(c->negotiation);
        return rc == 0 ? 1 : rc;
    }
    return ERR_PROTOCOL;
}

static int feed_noise(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    struct noise_event nev;
    int rc = noise_feed(&c->noise, in, &nev);
    if (rc <= 0)
        return rc;
    switch (nev.type) {
    case NOISE_VERIFY:
        c->is_verifying = true;
        ev->type = CONN_VERIFY;
        ev->key = nev.key;
        ev->message = nev.message;
        ev->signature = nev.signature;
        return 1;
    case NOISE_READY:
        c->expected = nev.peer;
        if (c->link.kind == LINK_SESSION && !knows_certhashes(c, &nev))
            return ERR_CRYPTO;
        rc = upgrade_drain(c);
        if (rc != 0)
            return rc;
        if (nev.muxer_agreed || link_has_channels(c->link.kind))
            return start_muxer(c, ev, now);
        c->state = CONN_MUXER;
        return negotiate(c, YAMUX_PROTOCOL);
    case NOISE_DATA:
        c->plain = nev.plain;
        return 0;
    }
    return ERR_PROTOCOL;
}

int upgrade_decrypt(struct conn *c, struct span *in)
{
    struct noise_event nev;
    int rc = noise_feed(&c->noise, in, &nev);
    if (rc == 1)
        c->plain = nev.plain;
    return rc < 0 ? rc : 0;
}

int upgrade_feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    int rc = 0;
    if (c->state == CONN_SECURITY) {
        rc = feed_negotiation(c, in, NOISE_PROTOCOL);
        return rc == 1 ? end_negotiation(c) : rc;
    }
    if (c->state == CONN_NOISE || c->plain.len == 0)
        return feed_noise(c, in, ev, now);
    rc = feed_negotiation(c, &c->plain, YAMUX_PROTOCOL);
    if (rc != 1)
        return rc;
    rc = flush_negotiation(c);
    if (rc < 0)
        return rc;
    upgrade_negotiation_free(c, &c->negotiation);
    return start_muxer(c, ev, now);
}

int upgrade_drain(struct conn *c)
{
    int rc = c->negotiation ? flush_negotiation(c) : 0;
    if (rc < 0 || c->state == CONN_MUXER || (c->state == CONN_SECURITY && c->role == LISTENER))
        return MIN(rc, 0);
    return noise_drain(&c->noise, &c->link.out);
}
