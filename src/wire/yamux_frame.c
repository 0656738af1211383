#include "wire/yamux_frame.h"

struct yamux_header yamux_header_parse(const uint8_t bytes[YAMUX_HEADER_LEN])
{
    struct cursor c = cursor_of(view_of(bytes, YAMUX_HEADER_LEN));
    struct yamux_header h;
    h.version = take_u8(&c);
    h.type = take_u8(&c);
    h.flags = take_u16be(&c);
    h.id = take_u32be(&c);
    h.len = take_u32be(&c);
    return h;
}

void yamux_header_put(struct writer *w, const struct yamux_header *h)
{
    put_u8(w, h->version);
    put_u8(w, h->type);
    put_u16be(w, h->flags);
    put_u32be(w, h->id);
    put_u32be(w, h->len);
}
