#include "sim/told.h"

#include "multiformats/multiaddr.h"

static void put_address(struct writer *w, struct view text)
{
    if (multiaddr_parse_text(text, w, NULL) != 0)
        put(w, text);
}

static void put_list(struct writer *w, struct view text)
{
    uint8_t bytes[MULTIADDR_MAX_LEN];
    for (struct view rest = text; rest.len > 0;) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        struct writer one = writer_of(bytes, sizeof bytes);
        put_address(&one, view_of(rest.data, len));
        if (len > 0)
            put_delimited(w, one.failed ? view_of(rest.data, len) : writer_view(&one));
        rest = view_of(rest.data + MIN(len + 1, rest.len), rest.len - MIN(len + 1, rest.len));
    }
}

const struct input *told_of(struct told *t, const struct input *in)
{
    struct writer w = writer_of(t->bytes, sizeof t->bytes);
    bool is_one =
        in->type == INPUT_LISTEN || in->type == INPUT_BOOTSTRAP || in->type == INPUT_IS_DIALABLE;
    bool is_dial = in->type == INPUT_DIAL && in->text.len > 0 && *in->text.data == '/';
    if (!is_one && !is_dial && in->type != INPUT_ADD_ADDRESSES)
        return in;
    if (is_one)
        put_address(&w, in->text);
    else
        put_list(&w, in->text);
    t->in = *in;
    t->in.text = in->type == INPUT_ADD_ADDRESSES ? view_of_span(in->bytes) : view_of(NULL, 0);
    t->in.bytes = span_of(t->bytes, w.len);
    return &t->in;
}
