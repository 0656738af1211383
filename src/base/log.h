/*
 * Levelled lines to an injected sink. Without a sink, or above its level, a line costs one compare
 * and its arguments are not formatted.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
    void (*line)(void *context, enum log_level level, const char *text, size_t len);
    void *context;
    enum log_level level;
};

/* Formats with %s, %d, %u, %x and %% only, into one line of at most 255 characters. */
void log_line(const struct log *l, enum log_level level, const char *format, ...);

/*
 * The same formatting into a buffer, always ended by NUL; returns the length without it. There is
 * no stdio in the core. %s takes a C string, %d an int, %u an unsigned, %x an unsigned in hex,
 * %U a uint64_t, %v a `const struct view *` whose unprintable bytes become '.'.
 */
size_t text_format(char *out, size_t room, const char *format, ...);
size_t text_format_args(char *out, size_t room, const char *format, va_list args);

#endif
