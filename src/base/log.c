#include "base/log.h"

#include "base/span.h"

struct line {
    char *out;
    size_t room;
    size_t len;
};

static void put_char(struct line *l, char c)
{
    if (l->len + 1 < l->room)
        l->out[l->len++] = c;
}

static void put_string(struct line *l, const char *s)
{
    for (; *s != '\0'; s++)
        put_char(l, *s);
}

static void put_number(struct line *l, uint64_t value, unsigned base)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n > 0)
        put_char(l, digits[--n]);
}

static void put_int(struct line *l, int value)
{
    if (value < 0)
        put_char(l, '-');
    put_number(l, value < 0 ? 0u - (unsigned)value : (unsigned)value, 10);
}

static char printable(uint8_t byte)
{
    if (byte < 0x20 || byte == 0x7f)
        return '.';
    return (char)byte;
}

static void put_printable(struct line *l, const struct view *v)
{
    for (size_t i = 0; i < v->len; i++)
        put_char(l, printable(v->data[i]));
}

size_t text_format_args(char *out, size_t room, const char *format, va_list args)
{
    struct line l = {out, room, 0};
    if (room == 0)
        return 0;
    for (const char *f = format; *f != '\0'; f++) {
        if (*f != '%' || f[1] == '\0') {
            put_char(&l, *f);
            continue;
        }
        switch (*++f) {
        case 's':
            put_string(&l, va_arg(args, const char *));
            break;
        case 'd':
            put_int(&l, va_arg(args, int));
            break;
        case 'u':
            put_number(&l, va_arg(args, unsigned), 10);
            break;
        case 'x':
            put_number(&l, va_arg(args, unsigned), 16);
            break;
        case 'U':
            put_number(&l, va_arg(args, uint64_t), 10);
            break;
        case 'v':
            put_printable(&l, va_arg(args, const struct view *));
            break;
        default:
            put_char(&l, *f);
        }
    }
    out[l.len] = '\0';
    return l.len;
}

size_t text_format(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t len = text_format_args(out, room, format, args);
    va_end(args);
    return len;
}

void log_line(const struct log *l, enum log_level level, const char *format, ...)
{
    if (l == NULL || l->line == NULL || level > l->level)
        return;
    char text[256];
    va_list args;
    va_start(args, format);
    size_t len = text_format_args(text, sizeof text, format, args);
    va_end(args);
    l->line(l->context, level, text, len);
}
