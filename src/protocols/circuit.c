#include "protocols/circuit.h"

const char *circuit_status_text(uint32_t status)
{
    switch (status) {
#define CIRCUIT_STATUS_CASE(name, number, text)                                                    \
    case number:                                                                                   \
        return #name " (" #number "): " text;
        CIRCUIT_STATUS_MAP(CIRCUIT_STATUS_CASE)
#undef CIRCUIT_STATUS_CASE
    default:
        return "the relay refused with an unknown status";
    }
}

struct circuit_limit circuit_limit_of(const struct peerlet_limits *limits, uint64_t duration_s,
                                      uint64_t data)
{
    bool absurd = duration_s > limits->limited_max_s;
    return (struct circuit_limit){absurd ? CIRCUIT_LIMIT_UNKNOWN_S : (uint32_t)duration_s, data};
}

uint32_t circuit_ttl_s(const struct peerlet_limits *limits, uint64_t expire, uint64_t unix_s)
{
    uint64_t left = expire > unix_s ? expire - unix_s : 0;
    return (uint32_t)MIN(MAX(left, limits->reservation_min_s), limits->reservation_max_s);
}
