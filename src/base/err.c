#include "base/err.h"

#include <stddef.h>

struct err_row {
    const char *name;
    const char *text;
    const char *js_name;
};

static const struct err_row ROWS[] = {
#define ERR_ROW(name, text, js) {#name, text, js},
    ERR_MAP(ERR_ROW)
#undef ERR_ROW
};

static const struct err_row *row_of(int code)
{
    if (code <= ERR_FIRST || code >= ERR_END)
        return NULL;
    return &ROWS[code - ERR_FIRST - 1];
}

const char *err_name(int code)
{
    const struct err_row *row = row_of(code);
    return row ? row->name : code == 0 ? "OK" : "UNKNOWN";
}

const char *err_text(int code)
{
    const struct err_row *row = row_of(code);
    return row ? row->text : code == 0 ? "fine" : "unknown error";
}

const char *err_js_name(int code)
{
    const struct err_row *row = row_of(code);
    return row ? row->js_name : "Error";
}
