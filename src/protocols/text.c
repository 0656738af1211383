#include "protocols/text.h"

struct view text_until(struct view *rest, char end)
{
    const uint8_t *at = rest->len > 0 ? memchr(rest->data, end, rest->len) : NULL;
    size_t len = at == NULL ? rest->len : (size_t)(at - rest->data);
    size_t used = at == NULL ? len : len + 1;
    struct view taken = view_of(rest->data, len);
    *rest = view_of(used > 0 ? rest->data + used : rest->data, rest->len - used);
    return taken;
}

bool text_skip(struct view *rest, const char *prefix)
{
    size_t len = strlen(prefix);
    if (rest->len < len || memcmp(rest->data, prefix, len) != 0)
        return false;
    *rest = view_of(rest->data + len, rest->len - len);
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_letter(uint8_t c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

bool text_is_made_of(struct view text, size_t from, size_t to, const char *others)
{
    if (text.len < from || text.len > to)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return true;
}

bool text_is_like(struct view text, const char *lower_case)
{
    if (text.len != strlen(lower_case))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (lower(text.data[i]) != (uint8_t)lower_case[i])
            return false;
    return true;
}

bool text_number(struct view text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (digit > max || sum > (max - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return text.len > 0;
}
