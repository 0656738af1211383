/*
 * WebTransport sessions are scarce: few at once, and a host that failed rests while other transports
 * are tried.
 */
#include "node/node.h"

/* Of the address's first two components, which say where it leads. */
static uint32_t host_of(struct view addr)
{
    struct multiaddr_part part;
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 2 && multiaddr_next(&addr, &part) == 1; i++)
        for (size_t at = 0; at < part.whole.len; at++)
            hash = (hash ^ part.whole.data[at]) * 16777619u;
    return hash;
}

int session_may_begin(struct peerlet *p, struct view addr)
{
    uint32_t pending = 0, failed = 0, tries = 0, at = 0, host = host_of(addr);
    uint64_t last = 0;
    const struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL)
        pending += c->link.kind == LINK_SESSION && !conn_is_ready(c);
    for (size_t i = 0; i < FAILED_SESSIONS; i++) {
        const struct failed_session *f = &p->failed_sessions[i];
        if (f->at == 0 || is_due(after(f->at, p->limits.session_failed_ms), p->now))
            continue;
        failed++;
        if (f->host == host) {
            tries++;
            last = MAX(last, f->at);
        }
    }
    if (pending >= p->limits.sessions_pending || failed >= FAILED_SESSIONS)
        return fail(
            p, ERR_FULL,
            "too many WebTransport sessions are being opened or failed in the last minutes");
    uint64_t rest_ms = (uint64_t)p->limits.session_rest_ms << MIN(tries, 8) >> 1;
    if (tries > 0 && !is_due(after(last, rest_ms), p->now))
        return fail(p, ERR_TRANSPORT,
                    "WebTransport to this host failed a moment ago; try again in a while");
    return 0;
}

void session_down(struct peerlet *p, const struct conn *c, int code)
{
    if (c->link.kind != LINK_SESSION || code == 0 || code == ERR_ABORTED)
        return;
    struct failed_session *oldest = &p->failed_sessions[0];
    for (size_t i = 1; i < FAILED_SESSIONS; i++)
        if (p->failed_sessions[i].at < oldest->at)
            oldest = &p->failed_sessions[i];
    *oldest = (struct failed_session){.at = MAX(p->now, 1), .host = host_of(conn_address(c))};
}
