// A resolver that answers in JSON, as Cloudflare's and Google's do over HTTPS; here over plain HTTP.
import { once } from 'node:events'
import { createServer } from 'node:http'

const NXDOMAIN = 3
const TXT = 16

/** As a resolver writes a TXT record: quoted, and in pieces where it is long. @param {string} text */
const quoted = (text) => (text.match(/.{1,255}/g) ?? ['']).map((piece) => `"${piece}"`).join(' ')

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string[]>} zone the records of each name; may be changed while it runs
 * @returns its `url`, what it was `asked`, and `answer`, which may be replaced
 */
export async function startDoh (t, zone) {
  /** @type {string[]} */
  const asked = []
  const doh = {
    url: '',
    asked,
    /** @param {string} name @returns {any} null: a fault */
    answer: (name) => {
      const data = zone[name]
      if (data === undefined) return { Status: NXDOMAIN }
      // another kind of record comes along where a name is an alias
      return { Status: 0, Answer: [{ name, type: 5, TTL: 60, data: `alias.${name}.` }, ...data.map((text) => ({ name, type: TXT, TTL: 60, data: quoted(text) }))] }
    }
  }
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', doh.url).searchParams
    const name = query.get('name') ?? ''
    asked.push(`${request.headers.accept} ${query.get('type')} ${name}`)
    const answer = doh.answer(name)
    response.writeHead(answer === null ? 500 : 200, { 'access-control-allow-origin': '*', 'content-type': 'application/dns-json' })
    if (answer !== undefined) response.end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  t.after(() => { server.closeAllConnections(); server.close() })
  await once(server, 'listening')
  doh.url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/dns-query`
  return doh
}
