/* IP addresses and ports as text: one that is read is read again from the text it is written as. */
#include "fuzz.h"

#include "multiformats/ip.h"

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    uint8_t text[64], ip[IP6_LEN], again[IP6_LEN];
    uint16_t port, same;
    uint64_t said = 0;
    struct view in = view_of(data, len);
    struct writer w = writer_of(text, sizeof text);
    if (port_parse(in, &port)) {
        port_format(&w, port);
        assert(port_parse(writer_view(&w), &same) && same == port);
        assert(view_equal(writer_view(&w), in));
    } else if (ip4_parse(in, ip)) {
        ip4_format(&w, ip);
        assert(ip4_parse(writer_view(&w), again) && memcmp(ip, again, IP4_LEN) == 0);
        assert(view_equal(writer_view(&w), in));
    } else if (ip6_parse(in, ip)) {
        ip6_format(&w, ip);
        assert(ip6_parse(writer_view(&w), again) && memcmp(ip, again, IP6_LEN) == 0);
    }
    assert(!w.failed);
    fuzz_say(&said, writer_view(&w));
    return said;
}
