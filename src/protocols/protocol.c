#include "protocols/protocol.h"

int protocol_give(struct buf *owed, struct buf *out, enum protocol_stream then)
{
    size_t len = MIN(owed->len, buf_room(out));
    int rc = buf_append(out, view_of(buf_view(owed).data, len));
    if (rc < 0)
        return rc;
    buf_take(owed, len);
    if (owed->len > 0)
        return PROTOCOL_OPEN;
    buf_trim(owed);
    return (int)then;
}

int protocol_tick(uint64_t deadline, uint64_t now)
{
    return is_due(deadline, now) ? ERR_TIMEOUT : 0;
}
