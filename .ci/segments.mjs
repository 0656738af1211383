// Makes one segment of all the data of a WebAssembly module. Binaryen leaves zeros out by cutting the data
// up, which is worth it to no compressor: the cuts cost more than the zeros. How many there are is said
// beforehand only for instructions that name one, and there is none of these.

import { leb } from './pack.mjs'

const DATA_SECTION = 11
const DATA_COUNT_SECTION = 12
const I32_CONST = 0x41
const END = 0x0b

/** @param {number} value signed LEB128, of addresses below 2^31 */
function sleb (value) {
  const bytes = []
  for (; value > 63; value >>= 7) bytes.push(value & 127 | 128)
  return [...bytes, value]
}

/** @param {Uint8Array} module whose segments are all active, in memory 0, and in order @returns {Uint8Array} */
export function joinSegments (module) {
  let at = 8
  const number = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  /** @param {number} byte */
  const expect = (byte) => {
    if (module[at++] !== byte) throw new Error('segments: a data segment of another kind')
  }

  let count = [0, 0]
  let section = 0
  let head = 0
  let end = 0
  for (; section !== DATA_SECTION; at = section === DATA_SECTION ? at : end) {
    if (at >= module.length) throw new Error('segments: no data section')
    head = at
    section = module[at++]
    end = number() + at
    if (section === DATA_COUNT_SECTION) count = [head, end]
  }
  let start = 0
  /** @type {number[]} */
  const data = []
  for (let n = number(); n > 0; n--) {
    expect(0)
    expect(I32_CONST)
    const address = number()
    expect(END)
    if (data.length === 0) start = address
    if (address < start + data.length) throw new Error('segments: out of order')
    while (start + data.length < address) data.push(0)
    for (let length = number(); length > 0; length--) data.push(module[at++])
  }
  const joined = [1, 0, I32_CONST, ...sleb(start), END, ...leb(data.length), ...data]
  return Uint8Array.from([...module.subarray(0, count[0]), ...module.subarray(count[1], head), DATA_SECTION, ...leb(joined.length), ...joined, ...module.subarray(end)])
}
