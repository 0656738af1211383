/*
 * Puts the module of the one-file build together again: a program of its own, of a thousand bytes, that
 * runs before the module can.
 *
 * A WebAssembly module whose code lies in streams, one for each kind of operand, is a tenth smaller once
 * it is compressed than the module itself: neighbours in a stream are alike. .ci/pack.mjs takes it apart.
 *
 *     packed = length of each stream | stream 0 | stream 1 | ...      numbers are LEB128, as in the module
 *
 * Behind the streams of enum stream come as many with the bytes of their numbers but the first ones. A
 * constant is in the stream of what is done with it: INTS and the row of the opcode that follows.
 *
 * A function has no length here: it ends with the `end` that closes no block. Its locals are named by how
 * many others were used since (move to front), so that the names of the same few are alike everywhere. To
 * get the one that was used last is an opcode of its own.
 *
 * The input comes with the page and is trusted like the page; .ci/pack.mjs has seen it come out right.
 */
#include <stdint.h>
#include <string.h>

/* In the order that compresses best, which was found by trying; the first one must be HEAD. */
enum stream {
    HEAD, /* up to the length of the code section, and how long that is before it; functions */
    LONGS,
    RAW,       /* operands in forms of their own: a byte with the length, and the bytes */
    WRITES,    /* local.set, local.tee */
    TAIL,      /* what follows the code section */
    LABELS,    /* small things that are rare */
    BRANCHES,  /* br_if */
    JUMPS,     /* br */
    OPS,       /* opcodes */
    TYPES,     /* of blocks */
    READS,     /* local.get */
    ALIGNS,    /* what differs from the size of what is loaded or stored */
    OFFSETS,   /* of loads and stores of a byte */
    OFFSETSII, /* of those of two, in units of two, rotated; and so on */
    OFFSETSIV,
    OFFSETSVIII,
    CALLS,
    LOCALS, /* declarations: in how many groups, how many in each, of what type */
    COUNTS,
    KINDS,
    SUMS,   /* constants that are added */
    INTS,   /* and a stream more for each row below */
};

/* local.get of the local used last; no module has this opcode. READS counts from the one before. */
#define AGAIN 0x27
#define LOCAL_GET 0x20

/* Nor this one: i32.const and i32.add. */
#define SUM 0x06
#define I32_CONST 0x41
#define I32_ADD 0x6a

/* Opcodes from, to, and where their operands are. */
static const struct {
    uint8_t from, to, first, second;
} OPERANDS[] = {
    {0x02, 0x04, TYPES, 0},  {0x0c, 0x0c, JUMPS, 0},   {0x0d, 0x0d, BRANCHES, 0},
    {0x0e, 0x0e, RAW, 0},    {0x10, 0x10, CALLS, 0},   {0x11, 0x11, CALLS, LABELS},
    {0x1c, 0x1c, RAW, 0},    {0x20, 0x20, READS, 0},   {0x21, 0x22, WRITES, 0},
    {0x23, 0x26, LABELS, 0}, {0x28, 0x35, OFFSETS, 0}, {0x36, 0x3e, OFFSETS, 0},
    {0x3f, 0x40, LABELS, 0}, {0x41, 0x41, INTS, 0},    {0x42, 0x42, LONGS, 0},
    {0x43, 0x44, RAW, 0},    {0x45, 0x4f, 0, 0},       {0x71, 0x71, 0, 0},
    {0xd0, 0xd0, TYPES, 0},  {0xd2, 0xd2, CALLS, 0},   {0xfc, 0xfe, RAW, 0},
};
#define ROWS (sizeof OPERANDS / sizeof *OPERANDS)
#define STREAMS (INTS + 1 + ROWS)

/* Of i32.load and the 22 opcodes behind it, as a power of two. */
static const char SIZES[] = "23230011001122232301012";

/* By opcode: which of the rows it is in, counted from one. */
static uint8_t rows[256];
/* Of each stream, and behind them of what is more than a first byte. */
static const uint8_t *next[2 * STREAMS];
static uint8_t *out;

/* Locals of the function, the last one used first; those that were not used yet follow in order. */
static uint16_t names[1 << 12];
static uint32_t named;

static uint32_t number(uint32_t stream, uint32_t more)
{
    uint32_t value = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t byte = *next[stream]++;
        value |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
        stream = more;
    }
}

static void put_number(uint32_t value)
{
    for (; value > 127; value >>= 7)
        *out++ = (uint8_t)(value | 128);
    *out++ = (uint8_t)value;
}

static void copy_number(uint32_t stream)
{
    uint32_t at = stream;
    while ((*out++ = *next[at]++) > 127)
        at = stream + STREAMS;
}

static void copy(uint32_t stream, uint32_t len)
{
    memcpy(out, next[stream], len);
    next[stream] += len;
    out += len;
}

static uint16_t used_before(uint32_t rank)
{
    for (; named <= rank; named++)
        names[named] = (uint16_t)named;
    uint16_t name = names[rank];
    for (; rank > 0; rank--)
        names[rank] = names[rank - 1];
    return names[0] = name;
}

/* Writes how many bytes were put since `start` in front of them. */
static void count(uint8_t *start)
{
    uint32_t len = (uint32_t)(out - start);
    uint32_t room = 1;
    for (uint32_t rest = len; rest > 127; rest >>= 7)
        room++;
    memmove(start + room, start, len);
    out = start;
    put_number(len);
    out += len;
}

/* Of what lies in memory as its size asks, an offset is a multiple of that. */
static void put_place(uint32_t size)
{
    *out++ = *next[ALIGNS]++ ^ (uint8_t)size;
    uint32_t units = number(OFFSETS + size, OFFSETS + size + STREAMS);
    put_number(units << size | units >> (-size & 31));
}

static void put_operand(uint32_t stream, uint8_t op)
{
    if (stream == RAW)
        copy(RAW, *next[RAW]++);
    else if (stream == READS || stream == WRITES)
        put_number(used_before(number(stream, stream + STREAMS) + (stream == READS)));
    else if (stream == OFFSETS)
        put_place((uint32_t)(SIZES[op - 0x28] - '0'));
    else if (stream == INTS)
        copy_number(INTS + rows[*next[OPS]]);
    else if (stream != HEAD)
        copy_number(stream);
}

static void put_function(void)
{
    uint8_t *start = out;
    named = 0;
    uint32_t groups = number(LOCALS, LOCALS);
    put_number(groups);
    while (groups-- > 0) {
        copy_number(COUNTS);
        copy_number(KINDS);
    }
    for (uint32_t depth = 1; depth > 0;) {
        uint8_t op = *out++ = *next[OPS]++;
        if (op == AGAIN) {
            out[-1] = LOCAL_GET;
            put_number(used_before(0));
        }
        if (op == SUM) {
            out[-1] = I32_CONST;
            copy_number(SUMS);
            *out++ = I32_ADD;
        }
        depth -= op == 0x0b;
        if (rows[op] == 0)
            continue;
        uint32_t first = OPERANDS[rows[op] - 1].first;
        depth += first == TYPES && op < 5;
        put_operand(first, op);
        put_operand(OPERANDS[rows[op] - 1].second, op);
    }
    count(start);
}

/* The bytes came as text, a character for each, where NUL and DEL, CR and ^ have changed places. */
static const uint8_t *from_text(uint8_t *text, uint32_t len)
{
    uint8_t *to = text;
    for (const uint8_t *at = text; at < text + len; at++) {
        uint8_t byte = *at;
        if (byte > 127)
            byte = (uint8_t)(byte << 6 | (*++at & 63));
        if (byte == 0 || byte == 127)
            byte ^= 127;
        if (byte == '\r' || byte == '^')
            byte ^= '\r' ^ '^';
        *to++ = byte;
    }
    return text;
}

uint32_t _initialize(uint8_t *text, uint32_t len);

/*
 * `text`: `len` bytes of UTF-8 above the first 64 KiB, which are this program's own. The module is put
 * right behind them, and its length returned. emcc's linker asks for an entry of this name: where it is
 * given one, nothing of its own comes along.
 */
uint32_t _initialize(uint8_t *text, uint32_t len)
{
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t op = OPERANDS[i].from; op <= OPERANDS[i].to; op++)
            rows[op] = (uint8_t)(i + 1);
    uint32_t lengths[2 * STREAMS];
    next[HEAD] = from_text(text, len);
    for (uint32_t i = 0; i < 2 * STREAMS; i++)
        lengths[i] = number(HEAD, HEAD);
    for (uint32_t i = 1; i < 2 * STREAMS; i++)
        next[i] = next[i - 1] + lengths[i - 1];
    uint8_t *module = out = text + len;
    copy(HEAD, number(HEAD, HEAD));
    uint8_t *code = out;
    uint32_t functions = number(HEAD, HEAD);
    put_number(functions);
    while (functions-- > 0)
        put_function();
    count(code);
    copy(TAIL, lengths[TAIL]);
    return (uint32_t)(out - module);
}
