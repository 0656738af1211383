/*
 * What a peer says over signalling, to a listener or, with the high bit of the step set, to a
 * dialer. Whatever comes up is a description or a candidate that would be let in again.
 */
#include "stream.h"

#include "protocols/candidate.h"
#include "protocols/sdp.h"
#include "protocols/signaling.h"

static void seen(void *state, const struct protocol_event *ev)
{
    struct signaling *s = state;
    struct view text = ev->signaling.text;
    struct peerlet_limits limits = PEERLET_LIMITS;
    limits.sdp += SDP_TEMPLATE_LEN;
    struct sdp sdp;
    struct candidate candidate;
    if (ev->type == SIGNALING_OFFER)
        assert(s->role == LISTENER && sdp_parse(text, SDP_OFFER, &limits, &sdp) == 0);
    else if (ev->type == SIGNALING_ANSWER)
        assert(s->role == DIALER && sdp_parse(text, SDP_ANSWER, &limits, &sdp) == 0);
    else if (ev->type == SIGNALING_CANDIDATE)
        assert(candidate_parse(text, &candidate) == 0 && candidate.line.len > 0 &&
               s->received <= limits.candidates);
    else
        assert(ev->type == SIGNALING_END_OF_CANDIDATES && s->all_received);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct fuzz_stream s;
    struct signaling signaling;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    enum role role = s.step >= 0x80 ? DIALER : LISTENER;
    s.step &= 0x7f;
    signaling_init(&signaling, role, &s.mem, &PEERLET_LIMITS, 0);
    if (role == DIALER && signaling_offer(&signaling, view_of_text("v=0\r\n")) < 0)
        s.bytes.len = 0;
    return fuzz_stream_run(&s, &SIGNALING_OPS, &signaling, seen);
}
