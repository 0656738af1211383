#include "base/err.h"

#include <stddef.h>
#include <string.h>

/* What a row consists of. */
enum part { NAME, TEXT, JS_NAME, PARTS };

/* One behind the other: as strings of their own they would need a table of pointers as well. */
static const char ROWS[] =
#define ERR_ROW(name, text, js) #name "\0" text "\0" js "\0"
    ERR_MAP(ERR_ROW)
#undef ERR_ROW
        "UNKNOWN\0unknown error\0Error\0"
        "OK\0fine\0Error";

enum { UNKNOWN = ERR_END - ERR_FIRST - 1, OK };

static const char *part_of(int code, enum part part)
{
    int row = code == 0                              ? OK
              : code <= ERR_FIRST || code >= ERR_END ? UNKNOWN
                                                     : code - ERR_FIRST - 1;
    const char *at = ROWS;
    for (int skip = row * PARTS + (int)part; skip > 0; skip--)
        at += strlen(at) + 1;
    return at;
}

const char *err_name(int code)
{
    return part_of(code, NAME);
}

const char *err_text(int code)
{
    return part_of(code, TEXT);
}

const char *err_js_name(int code)
{
    return part_of(code, JS_NAME);
}
