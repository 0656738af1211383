/*
 * What a meeting point answers to REGISTER and, with the high bit of the step set, to DISCOVER, whose
 * registrations are read.
 */
#include "stream.h"

#include "multiformats/multiaddr.h"
#include "protocols/rendezvous.h"

static void read_registrations(const struct views *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct view at[8];
        struct rendezvous_registration r = {.record.addresses = {.at = at, .room = ARRAY_LEN(at)}};
        if (rendezvous_registration_parse(list->at[i], &r) < 0)
            continue;
        for (size_t n = 0; n < r.record.addresses.count; n++)
            assert(multiaddr_check(at[n]) == 0);
    }
}

static void seen(void *state, const struct protocol_event *ev)
{
    const struct rendezvous *r = state;
    assert(r->awaited == 0);
    if (ev->type == RENDEZVOUS_FOUND) {
        assert(ev->found.registrations.count <= SERVICE_LIMITS.rendezvous_registrations);
        read_registrations(&ev->found.registrations);
    } else if (ev->type == RENDEZVOUS_REFUSED) {
        assert(rendezvous_status_text(ev->rendezvous_refused.status) != NULL);
    } else {
        assert(ev->type == RENDEZVOUS_REGISTERED);
    }
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct fuzz_stream s;
    struct rendezvous r;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    bool discovers = s.step >= 0x80;
    s.step &= 0x7f;
    struct view ns = view_of_text("room");
    const struct rendezvous_question question = {.ns = ns};
    int rc = discovers ? rendezvous_discover_init(&r, &s.mem, &SERVICE_LIMITS, &question, 0)
                       : rendezvous_register_init(&r, &s.mem, &SERVICE_LIMITS, ns,
                                                  view_of_text("envelope"), 7200, 0);
    if (rc < 0)
        s.bytes.len = 0;
    return fuzz_stream_run(&s, &RENDEZVOUS_OPS, &r, seen);
}
