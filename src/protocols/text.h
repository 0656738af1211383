/*
 * Reading text that a peer wrote: words, numbers, and which characters may stand in a value. For
 * session descriptions and ICE candidates, both made of lines of words.
 */
#ifndef PROTOCOLS_TEXT_H
#define PROTOCOLS_TEXT_H

#include "base/span.h"

/* Takes the characters up to the next `end`, and `end` with them; all of it when there is none. */
struct view text_until(struct view *rest, char end);

/* Takes `prefix` off the front. False, with nothing taken, when the text begins otherwise. */
bool text_skip(struct view *rest, const char *prefix);

/* `from` to `to` characters, all ASCII letters, digits or one of `others`. */
bool text_is_made_of(struct view text, size_t from, size_t to, const char *others);

/* ASCII letters compared without case. */
bool text_is_like(struct view text, const char *lower_case);

/* Decimal digits of a number of at most `max`. */
bool text_number(struct view text, uint64_t max, uint64_t *value);

/* Besides letters and digits: the ice-char of RFC 8839; the token of RFC 8866 without quotes. */
#define TEXT_ICE "+/"
#define TEXT_TOKEN "!#$%&*+-.^_`{|}~"

#endif
