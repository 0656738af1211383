/*
 * /dnsaddr names: what is behind one, looked up by the driver.
 *
 *     a dial of /dnsaddr/h[/p2p/T] ──▶ LOOKUP ──▶ the addresses of T join the dial; a name among them
 *                                                is one more target
 *     a relay that is /dnsaddr/h   ──▶ the same dial, but each peer that is named becomes a relay at
 *                                      /dnsaddr/h/p2p/T
 *
 * So a relay behind a name is dialled by it, which finds one that has moved; and while a relay is away
 * it is looked who else is there by now. Names that lead in a circle end, since a dial has an address
 * once, and few in all. Answers are remembered by the driver.
 */
#include "node/node.h"

static struct target *waiting_target(const struct dial *dial, uint32_t lookup)
{
    for (size_t i = 0; i < dial->count; i++)
        if (dial->targets[i].name == lookup)
            return &dial->targets[i];
    return NULL;
}

uint32_t look_up(struct peerlet *p, struct view name)
{
    struct multiaddr_part host = {0};
    (void)!multiaddr_next(&name, &host);
    emit(p,
         &(struct peerlet_output){.type = PEERLET_LOOKUP, .id = ++p->last_job, .text = host.value});
    return p->last_job;
}

/* What was found for a target joins its dial, or becomes relays: 0, or why nothing did. */
static int join(struct peerlet *p, struct dial *dial, const struct target *t, struct view list)
{
    struct view wanted = {0}, addr, name = multiaddr_without_peer(target_address(t));
    struct multiaddr_part peer;
    if (dial->peer != NULL)
        wanted = peer_id_view(&dial->peer->id);
    else if (multiaddr_find_last(target_address(t), MULTIADDR_P2P, &peer))
        wanted = peer.value;
    const char *why = "no TXT record dnsaddr=<multiaddr> of that name leads there; check name and "
                      "Peer ID";
    int rc = ERR_NO_ADDRESS;
    struct cursor c = cursor_of(list);
    while (c.rest.len > 0 && !c.failed) {
        if (read_address(p, take_delimited(&c, MULTIADDR_MAX_LEN), &addr) != 0)
            continue;
        bool has_peer = multiaddr_find_last(addr, MULTIADDR_P2P, &peer);
        if (wanted.len > 0 && !(has_peer && view_equal(peer.value, wanted)))
            continue;
        uint8_t bytes[MULTIADDR_MAX_LEN];
        struct writer w = writer_of(bytes, sizeof bytes);
        int added;
        if (dial->is_for_names && has_peer) {
            put(&w, name);
            put(&w, peer.whole);
            added = relay_behind_name(p, dial->id, writer_view(&w));
        } else if (!dial->is_for_names || multiaddr_is_only(addr, MULTIADDR_DNSADDR))
            added = add_target(p, dial, addr, &why);
        else
            continue;
        if (added == 0 || rc != 0)
            rc = added;
    }
    return rc == 0 ? 0 : fail(p, rc, "%s", why);
}

void peerlet_found(struct peerlet *p, uint32_t lookup, struct view list, struct view why,
                   uint64_t now)
{
    p->now = now;
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        struct target *t = waiting_target(dial, lookup);
        if (t == NULL)
            continue;
        int rc = why.len > 0 ? fail(p, ERR_NAME, "%s: %v", err_text(ERR_NAME), &why)
                             : join(p, dial, t, list);
        /* which has moved it */
        t = waiting_target(dial, lookup);
        if (rc != 0)
            target_failed(p, dial, t, rc, peerlet_reason(p));
        else
            dial_failed(dial, t, 0, why, now);
    }
}
