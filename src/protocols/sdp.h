/*
 * Session descriptions of data-channel connections, as browsers write them and as we let them in.
 *
 * A description from the network is never handed to the browser: sdp_parse takes out the few values
 * that matter, each checked, and sdp_format puts them into a template. A value is borrowed from the
 * text and cannot hold a line end, because a line is what was cut out first.
 *
 *     v=0  o=  s=  t=                              session level
 *     a=fingerprint:sha-256 AA:BB:…  a=ice-…       where Firefox and Node put some of them
 *     m=application 9 UDP/DTLS/SCTP webrtc-datachannel
 *     a=ice-ufrag: a=ice-pwd: a=fingerprint: a=setup: a=mid: a=sctp-port: a=max-message-size:
 *     a=candidate:…
 *
 * RFC 8866 for the lines, 8839 for ICE, 8122 and 8842 for the fingerprint and setup, 8841 for SCTP.
 */
#ifndef PROTOCOLS_SDP_H
#define PROTOCOLS_SDP_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"

#define SDP_FINGERPRINT_LEN 32
#define SDP_CANDIDATES_MAX 32
#define SDP_TEMPLATE_LEN 512

enum sdp_type { SDP_OFFER, SDP_ANSWER };
enum sdp_setup { SDP_ACTPASS, SDP_ACTIVE, SDP_PASSIVE };

struct sdp {
    struct view ufrag;                        /* 4 to 256 characters */
    struct view pwd;                          /* 22 to 256 */
    struct view mid;                          /* 1 to 32 */
    uint8_t fingerprint[SDP_FINGERPRINT_LEN]; /* sha-256 of the certificate */
    enum sdp_setup setup;
    bool is_lite;                               /* of ICE: only answers; written, not read */
    uint16_t sctp_port;                         /* 5000 unless said otherwise */
    uint32_t max_message_size;                  /* 65536 unless said otherwise; 0: any */
    struct view candidates[SDP_CANDIDATES_MAX]; /* good ones, from "candidate:" on */
    size_t candidate_count;
};

/*
 * Reads a description; `sdp` borrows from `text`. ERR_TOO_BIG past limits->sdp. ERR_BAD_MESSAGE if
 * it is not SDP, has no or several m-lines, is for anything but data channels, lacks a value or has
 * one twice, has another fingerprint than sha-256, or a setup that does not fit the type. Unknown
 * lines and bad candidates are passed over.
 */
MUST_USE int sdp_parse(struct view text, enum sdp_type type, const struct peerlet_limits *limits,
                       struct sdp *sdp);

/*
 * Writes the template with the values of `sdp`: at most SDP_TEMPLATE_LEN bytes more than the text
 * they were taken from.
 */
void sdp_format(const struct sdp *sdp, struct writer *w);

#endif
