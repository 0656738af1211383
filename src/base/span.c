#include "base/span.h"

struct view view_of_text(const char *text)
{
    return view_of((const uint8_t *)text, strlen(text));
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool view_equals_text(struct view a, const char *text)
{
    return view_equal(a, view_of_text(text));
}

int view_compare(struct view a, struct view b)
{
    size_t common = MIN(a.len, b.len);
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

struct span span_take(struct span *in, size_t len)
{
    struct span front = {in->data, MIN(len, in->len)};
    if (front.len > 0)
        in->data += front.len;
    in->len -= front.len;
    return front;
}
