import { readable } from './multiaddr.js'

/**
 * Names are looked up over HTTPS, since a page has no other way to a TXT record. The shapes are those of
 * `@multiformats/dns`, whose `dns()` may be given to createLibp2p as well.
 *
 * @typedef {{ Answer?: Array<{ data: string }> }} DNSResponse
 * @typedef {{ types?: number | number[], signal?: AbortSignal }} QueryOptions
 * @typedef {(name: string, options?: QueryOptions) => Promise<DNSResponse>} DNSResolver
 */

const TXT = 16

/** For one resolver, before the next is asked. */
const PATIENCE_MS = 3000

/** How long an answer holds. */
const FRESH_MS = 60_000

/** A timer that keeps no program from ending. @param {number} ms @param {() => void} then */
const after = (ms, then) => { AbortSignal.timeout(ms).onabort = then }

/**
 * Asks a server that answers in JSON, as Cloudflare's and Google's do.
 *
 * @param {string} url
 * @returns {DNSResolver}
 */
export const dnsJsonOverHttps = (url) => async (name, { types = TXT, signal } = {}) => {
  const type = String(types) === '16' ? 'TXT' : types
  const response = await fetch(`${url}?name=${encodeURIComponent(name)}&type=${type}`, { headers: { accept: 'application/dns-json' }, signal })
  if (response.ok) return await response.json()
  throw new Error(`${url} answered ${response.status}`)
}

/** As js-libp2p in a browser. */
const DEFAULT = ['https://cloudflare-dns.com/dns-query', 'https://dns.google/resolve'].map(dnsJsonOverHttps)

/**
 * Asks one resolver after another until one has an answer, which holds for a minute.
 *
 * @param {{ resolvers?: Record<string, DNSResolver | DNSResolver[]> }} [options] by top-level domain
 *   (`'com.'`), `'.'` for every other
 */
export const dns = ({ resolvers = {} } = {}) => {
  /** @type {Map<string, Promise<DNSResponse>>} */
  const known = new Map()

  /** @type {DNSResolver} */
  const ask = async (name, options) => {
    let response, fault
    for (const resolver of [resolvers[`${name.split('.').pop()}.`] ?? resolvers['.'] ?? DEFAULT].flat()) {
      try {
        response = await Promise.race([resolver(name, options), new Promise((_, reject) => after(PATIENCE_MS, () => reject(new Error('no answer in time'))))])
        if (response.Answer?.length) break
      } catch (err) {
        fault = err
      }
    }
    if (response) return response
    throw fault
  }

  return {
    /** @type {DNSResolver} */
    query (name, options) {
      const key = name + options?.types
      let response = known.get(key)
      if (!response) {
        const forget = () => known.delete(key)
        known.set(key, response = ask(name, options))
        response.catch(forget)
        after(FRESH_MS, forget)
      }
      return response
    }
  }
}

/**
 * Looks a `/dnsaddr` name up: the addresses behind it, or why there are none.
 *
 * @param {{ query: (name: string, options: any) => Promise<any> }} resolver
 * @param {string} host
 * @param {AbortSignal} signal
 */
export async function lookUp (resolver, host, signal) {
  try {
    /** @type {DNSResponse} */
    const { Answer = [] } = await resolver.query(`_dnsaddr.${host}`, { types: [TXT], signal })
    // a record longer than 255 bytes comes in pieces
    return { found: Answer.flatMap(({ data }) => readable(/^dnsaddr=(.*)/.exec(data.replace(/" *"|["']/g, ''))?.[1] ?? '?')), why: '' }
  } catch (/** @type {any} */ err) {
    return { found: [], why: String(err?.message ?? err) }
  }
}
