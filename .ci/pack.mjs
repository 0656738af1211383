// Takes a WebAssembly module apart into the streams that js-glue/unpack.c puts together again, which see.
import { readFileSync } from 'node:fs'

// Both as the C source has them.
const source = readFileSync(new URL('../js-glue/unpack.c', import.meta.url), 'utf8')
/** @type {Record<string, number>} */
const STREAMS = Object.fromEntries([...source.matchAll(/^ {4}([A-Z]+),/gm)].map(([, name], i) => [name, i]))
const OPERANDS = [...source.matchAll(/\{(0x..), (0x..), (\w+), (\w+)\}/g)]
  .map(([, from, to, ...streams]) => ({ from: Number(from), to: Number(to), streams: streams.flatMap((name) => STREAMS[name] ?? []) }))

const rowOf = (/** @type {number} */ op) => 1 + OPERANDS.findIndex(({ from, to }) => from <= op && op <= to)

const define = (/** @type {string} */ name) => Number(new RegExp(`define ${name} (0x..)`).exec(source)?.[1])
const [AGAIN, LOCAL_GET, SUM, I32_CONST, I32_ADD] = ['AGAIN', 'LOCAL_GET', 'SUM', 'I32_CONST', 'I32_ADD'].map(define)
const [, SIZES] = /SIZES\[\] = "(\d+)"/.exec(source) ?? []

const { HEAD, TAIL, OPS, RAW, READS, WRITES, ALIGNS, OFFSETS, LOCALS, COUNTS, KINDS, SUMS, INTS } = STREAMS
const COUNT = INTS + 1 + OPERANDS.length
const CODE_SECTION = 10

/** @param {number} value unsigned LEB128 */
export function leb (value) {
  const bytes = []
  for (; value > 127; value >>>= 7) bytes.push(value & 127 | 128)
  return [...bytes, value]
}

/** @param {Uint8Array} module @returns {Uint8Array} */
export function pack (module) {
  /** @type {number[][]} */
  const streams = Array.from({ length: 2 * COUNT }, () => [])
  let at = 8

  const number = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const b = module[at++]
      value |= (b & 127) << shift
      if (b < 128) return value >>> 0
    }
  }
  /** @param {number} stream @param {number[] | Uint8Array} bytes of one number */
  const put = (stream, [first, ...rest]) => {
    streams[stream].push(first)
    streams[COUNT + stream].push(...rest)
  }
  /** Locals of the function, the last one used first. @type {number[]} */
  let names = []
  const opcode = () => {
    const from = at
    const op = module[at++]
    if (op !== LOCAL_GET && op !== I32_CONST) {
      at = from
      return op
    }
    const operand = number()
    const follows = module[at]
    at = from
    if (op === I32_CONST) return follows === I32_ADD ? SUM : op
    return operand === (names[0] ?? 0) ? AGAIN : op
  }
  const putNumber = (/** @type {number} */ stream) => {
    const from = at
    number()
    put(stream === INTS ? INTS + rowOf(opcode()) : stream, module.subarray(from, at))
  }
  /** What follows an opcode that has its own form. @param {number} op */
  const skipRaw = (op) => {
    if (op === 0x43) at += 4
    else if (op === 0x44) at += 8
    else if (op === 0x0e || op === 0x1c) for (let n = number() + Number(op === 0x0e); n > 0; n--) number()
    else if (op === 0xfc) for (let n = prefixed[number()] ?? 0; n > 0; n--) number()
    else if (op === 0xfd) skipSimd(number())
    else throw new Error(`pack: opcode ${op} is not known here`)
  }
  // memory.init, data.drop, memory.copy, memory.fill, table.init and so on: indices behind the number.
  /** @type {Record<number, number>} */
  const prefixed = { 8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1 }
  const skipSimd = (/** @type {number} */ op) => {
    const isMemory = op <= 11 || (op >= 84 && op <= 93)
    if (isMemory) number() + number()
    if (op === 12 || op === 13) at += 16
    else if ((op >= 21 && op <= 34) || (op >= 84 && op <= 91)) at++
  }
  const body = () => {
    const end = number() + at
    names = []
    const groups = number()
    if (groups > 127) throw new Error('pack: a function with too many kinds of locals')
    streams[LOCALS].push(groups)
    for (let n = groups; n > 0; n--) {
      putNumber(COUNTS)
      putNumber(KINDS)
    }
    while (at < end) {
      const op = opcode()
      streams[OPS].push(op)
      at++
      if (op === SUM) {
        putNumber(SUMS)
        at++
      } else if (op === AGAIN) {
        if (names.length === 0) names.push(0)
        number()
      }
      for (const stream of OPERANDS[rowOf(op) - 1]?.streams ?? []) {
        if (stream === RAW) {
          const from = at
          skipRaw(op)
          if (at - from > 255) throw new Error('pack: an instruction of more than 255 bytes')
          streams[RAW].push(at - from, ...module.subarray(from, at))
        } else if (stream === READS || stream === WRITES) {
          const local = number()
          while (names.length <= local) names.push(names.length)
          const rank = names.indexOf(local)
          names.unshift(...names.splice(rank, 1))
          put(stream, leb(rank - Number(stream === READS)))
        } else if (stream === OFFSETS) {
          const size = Number(SIZES[op - 0x28])
          put(ALIGNS, leb(number() ^ size))
          const offset = number()
          put(OFFSETS + size, leb((offset >>> size | (offset & (1 << size) - 1) << 32 - size) >>> 0))
        } else putNumber(stream)
      }
    }
  }

  let head = at
  for (let section; section !== CODE_SECTION;) {
    if (at >= module.length) throw new Error('pack: no code section')
    section = module[at++]
    head = at // the length of the section is not kept: what puts the module together counts
    const length = number()
    if (section !== CODE_SECTION) at += length
  }
  const functions = number()
  streams[HEAD].push(...leb(head), ...module.subarray(0, head), ...leb(functions))
  for (let n = functions; n > 0; n--) body()
  streams[TAIL].push(...module.subarray(at))
  return Uint8Array.from([...streams.flatMap(({ length }) => leb(length)), ...streams.flat()])
}
