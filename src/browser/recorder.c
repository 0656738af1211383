/*
 * What the page does about recording: linked into build/web/peerlet.debug.wasm only. What is written goes
 * to JavaScript at once, so that a recording outlives the trap that it is of interest for.
 */
#include "record/recorder.h"

#include "browser/browser.h"
#include "browser/exports.h"

static struct mem mem;
static struct recording recording;

/* js-glue/debug/library.js. Whether this instance is to be recorded: 0, or an enum recording_key + 1. */
int js_is_recorded(void);
void js_recorded(const uint8_t *bytes, size_t len);

struct recording *recorder_begin(enum recording_key *key)
{
    int wanted = js_is_recorded();
    if (wanted == 0)
        return NULL;
    *key = (enum recording_key)(wanted - 1);
    buf_init(&recording.bytes, &mem, SIZE_MAX / 4);
    return &recording;
}

void recorder_wrote(struct recording *r)
{
    struct view bytes = buf_view(&r->bytes);
    if (bytes.len > 0)
        js_recorded(bytes.data, bytes.len);
    buf_take(&r->bytes, bytes.len);
}

/* Makes what was recorded so far complete. */
EMSCRIPTEN_KEEPALIVE void recorder_seal(void);
void recorder_seal(void)
{
    recording_seal(&recording);
    recorder_wrote(&recording);
}
