// What an application says while it runs, so that two runs can be laid side by side: names in place of Peer IDs and ports,
// the order of the program in place of time.

/** @param {(line: string) => void} print @returns {any} */
export function transcript (print) {
  /** @type {Array<[string, string]>} */
  const names = []
  const plain = (text) => names.reduce((all, [id, name]) => all.replaceAll(id, name), text).replace(/\/tcp\/\d{4,5}\b/g, '/tcp/<port>')
  /** Sorted by name, bytes as text, what is not data by its type. */
  const show = (value) => {
    if (value === null || ['string', 'boolean', 'undefined', 'number'].includes(typeof value)) return value
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'function') return 'function'
    if (value instanceof Error) return value.name
    if (typeof value.subarray === 'function') return new TextDecoder().decode(value.subarray())
    if (Array.isArray(value)) return value.map(show)
    if (value instanceof Map) return show(Object.fromEntries(value))
    if (typeof value.toJSON === 'function' || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return String(value)
    return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined).sort(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => [name, show(one)]))
  }
  return {
    name: (id, name) => names.push([String(id), `<${name}>`]),
    say: (what, value) => print(plain(`${what}: ${JSON.stringify(show(value)) ?? 'undefined'}`)),
    /** What comes of it: the value or the error's name. */
    outcome: async (what, promise) => {
      const line = await (typeof promise === 'function' ? Promise.resolve().then(promise) : promise).then((value) => JSON.stringify(show(value)), (err) => `throws ${err.name}`)
      print(plain(`${what}: ${line}`))
    }
  }
}

/**
 * The detail of the next event that fits; an Error where none comes.
 *
 * @param {any} target
 * @param {string} type
 * @param {(detail: any) => boolean} [fits]
 * @returns {Promise<any>}
 */
export function next (target, type, fits = () => true, ms = 60_000) {
  return new Promise((resolve) => {
    const done = (value) => {
      clearTimeout(timer)
      target.removeEventListener(type, listen)
      resolve(value)
    }
    const listen = (event) => { if (fits(event.detail ?? event)) done(event.detail ?? event) }
    const timer = setTimeout(() => done(Object.assign(new Error(`no ${type}`), { name: `no ${type} in time` })), ms)
    target.addEventListener(type, listen)
  })
}

/** Asks until it is so. */
export async function until (isSo, ms = 60_000) {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await isSo()) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}
