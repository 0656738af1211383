/*
 * RTCPeerConnections: descriptions and candidates as Chromium writes them, and a connection when
 * both sides have set both descriptions, heard of a candidate, and packets can pass.
 *
 * The far side is found by the ICE user name in the description that was set, so what connects is
 * what the nodes told each other; a wrong password or fingerprint never connects.
 *
 *     NEW ──both descriptions──▶ CHECKING ──▶ CONNECTED ⇄ DISCONNECTED (5 s without packets)
 *                                    │             └───────────┴──▶ FAILED (30 s)
 *                                    └──▶ FAILED (15 s)
 */
#ifndef SIM_RTC_H
#define SIM_RTC_H

#include "base/role.h"
#include "sim/sim.h"

/* The orders of peerlet.h about a link that is a peer connection. */
void rtc_open(struct host *h, uint32_t link);
void rtc_open_channel(struct host *h, uint32_t link, uint32_t channel, struct view label);
void rtc_offer(struct host *h, uint32_t link, struct view name);
void rtc_remote(struct host *h, uint32_t link, enum role from, struct view sdp);
void rtc_candidate(struct host *h, uint32_t link, struct view json);

/* Tells the far side, if a packet gets there. False when the link is no peer connection. */
bool rtc_close(struct host *h, uint32_t link);

/* The page is gone: so are its peer connections, without a word. */
void rtc_close_all(struct host *h);

/* A fault began or ended: connections lose or find their way. */
void rtc_paths_changed(struct sim *s);

void rtc_event(struct sim *s, const struct event *e);
void rtc_free(struct host *h);

/* How many peer connections the host has. */
size_t rtc_count(const struct host *h);

#endif
