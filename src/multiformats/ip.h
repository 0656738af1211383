/*
 * IP addresses and ports as text. Reading is strict: decimal numbers have no sign and no leading
 * zero, because what some readers take for octal has been used to pass filters.
 */
#ifndef MULTIFORMATS_IP_H
#define MULTIFORMATS_IP_H

#include "base/cursor.h"
#include "base/span.h"

#define IP4_LEN 4
#define IP6_LEN 16

/* Each returns false, and may have written to `out`, when the text is not exactly one of these. */
bool port_parse(struct view text, uint16_t *out);
bool ip4_parse(struct view text, uint8_t out[IP4_LEN]);

/* RFC 4291, section 2.2: hexadecimal groups, "::", and dotted decimals at the end. */
bool ip6_parse(struct view text, uint8_t out[IP6_LEN]);

void port_format(struct writer *w, uint16_t port);
void ip4_format(struct writer *w, const uint8_t ip[IP4_LEN]);

/* RFC 5952: lower case, the longest run of zero groups shortened, IPv4 inside IPv6 dotted. */
void ip6_format(struct writer *w, const uint8_t ip[IP6_LEN]);

#endif
