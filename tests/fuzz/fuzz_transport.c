/*
 * Any valid address, binary or text, to each page and each set of transports.
 *
 * What may be dialled has a transport, or there are words about why not; nothing in an address gets
 * out of its place in a URL or in a candidate.
 */
#include "fuzz.h"

#include "multiformats/multiaddr.h"
#include "transport/transport.h"

static size_t count(struct view text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == (uint8_t)c;
    return n;
}

static bool is_ascii(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] > 127)
            return false;
    return true;
}

static void check_printable(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        assert(text.data[i] >= ' ' && text.data[i] != 0x7f);
}

/* scheme "://" authority "/" …, without control characters */
static void check_url(struct view url)
{
    static const char NEVER_IN[] = " \"#<>?@\\^`{|}";
    size_t from = 0, to;
    check_printable(url);
    while (url.data[from++] != '/')
        continue;
    for (to = ++from; to < url.len && url.data[to] != '/'; to++)
        assert(strchr(NEVER_IN, url.data[to]) == NULL);
    assert(from < to && to < url.len);
}

static void ask_direct(struct view addr, struct writer *w)
{
    static const uint8_t FINGERPRINT[CERTHASH_LEN];
    if (webrtc_direct_candidate(addr, w) == 0) {
        check_printable(writer_view(w));
        assert(count(writer_view(w), ' ') == 7);
    }
    (void)!webrtc_direct_prologue(addr, FINGERPRINT, w);
}

static uint64_t ask(struct view addr, uint32_t services, uint32_t page)
{
    uint8_t told[2 * TRANSPORT_URL_MAX];
    struct writer w = writer_of(told, sizeof told);
    unsigned rank = 99;
    const char *why = NULL;
    uint64_t said = 0;
    const struct transport_ops *t = transport_of(addr, services, &rank);
    int rc = transport_permits(addr, services, page, false, &why);
    assert(rc == 0 ? t != NULL : why != NULL);
    assert(rc != 0 || transport_permits(addr, services, page, true, &why) == 0);
    if (t != NULL && t->url != NULL && t->url(addr, &w) == 0) {
        check_url(writer_view(&w));
        assert(rc != 0 || is_ascii(writer_view(&w)));
    }
    if (t == &TRANSPORT_WEBRTC_DIRECT)
        ask_direct(addr, &w);
    fuzz_say_number(&said, (uint32_t)rc);
    fuzz_say_number(&said, rank);
    fuzz_say(&said, writer_view(&w));
    return said;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct view addr = view_of(data, len);
    uint64_t said = 0;
    if (len > 0 && data[0] == '/') {
        if (multiaddr_parse_text(addr, &w, NULL) != 0)
            return 0;
        addr = writer_view(&w);
    }
    if (multiaddr_check(addr) != 0)
        return 1;
    for (uint32_t page = 0; page < 8; page++)
        for (uint32_t off = 0; off <= PEERLET_ALL; off += PEERLET_WEBSOCKET)
            said = said * 31 + ask(addr, PEERLET_ALL & ~off, page);
    return said;
}
