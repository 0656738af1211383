// The demo's server, as `make demo` starts it: what it says when it cannot run, and that nothing of it
// stays behind, however it ends.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { nodeBinary } from '../interop/start-peer.mjs'

const SERVER = fileURLToPath(new URL('../../web/serve.mjs', import.meta.url))

/** A process group, as a terminal makes one for a command. */
function start (t, env = {}) {
  const child = spawn(nodeBinary(), [SERVER], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PORT: '0', RELAY_PORT: '0', ...env } })
  const group = -/** @type {number} */ (child.pid)
  let said = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (bytes) => { said += bytes })
  t.after(() => { try { process.kill(group, 'SIGKILL') } catch {} })
  const exited = once(child, 'close')
  return {
    signal: (name, isForAll = true) => process.kill(isForAll ? group : -group, name),
    /** The ports of the web server and of the relay, once it serves. */
    async ports () {
      for (;;) {
        const [, web, relay] = /Open {2}http:\/\/127\.0\.0\.1:(\d+)[^]*Relay .*\/tcp\/(\d+)\//.exec(said) ?? []
        if (relay !== undefined) return [Number(web), Number(relay)]
        await Promise.race([once(child.stdout, 'data'), exited.then(() => assert.fail(said))])
      }
    },
    async end () {
      const [code, signal] = await exited
      return { code, signal, said: said.trim() }
    },
    /** No process of the group is left. */
    async gone () {
      for (;;) {
        try {
          process.kill(group, 0)
        } catch (/** @type {any} */ err) {
          return assert.equal(err.code, 'ESRCH')
        }
        await sleep(20)
      }
    }
  }
}

/** Nobody listens there. @param {number} port */
async function isFree (port) {
  const server = net.createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
}

/** A port that somebody else has. */
async function takenPort (t) {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return /** @type {net.AddressInfo} */ (server.address()).port
}

/** @type {Array<[string, NodeJS.Signals, boolean]>} */
const ENDS = [['Ctrl-C', 'SIGINT', true], ['SIGINT to the server alone', 'SIGINT', false], ['SIGTERM', 'SIGTERM', false]]

for (const [name, signal, isForAll] of ENDS) {
  test(`${name} ends server and relay, whoever is connected`, { timeout: 300_000 }, async (t) => {
    const demo = start(t)
    const [web, relay] = await demo.ports()
    // a browser keeps its connections open
    const answer = await fetch(`http://127.0.0.1:${web}/relay.json`)
    assert.match((await answer.json()).relay, new RegExp(`^/ip4/127.0.0.1/tcp/${relay}/ws/p2p/`))
    await once(new WebSocket(`ws://127.0.0.1:${relay}`), 'open')

    demo.signal(signal, isForAll)
    assert.equal((await demo.end()).code, 0)
    await demo.gone()
    for (const port of [web, relay]) await isFree(port)
  })
}

test('a server that is killed leaves no relay behind', { timeout: 300_000 }, async (t) => {
  const demo = start(t)
  const [web, relay] = await demo.ports()
  demo.signal('SIGKILL', false)
  await demo.gone()
  for (const port of [web, relay]) await isFree(port)
})

test('a port that is in use is named, with what to do', { timeout: 300_000 }, async (t) => {
  const port = await takenPort(t)
  const demo = start(t, { PORT: String(port) })
  const { code, said } = await demo.end()
  assert.equal(code, 1)
  assert.equal(said, `demo: port ${port} is in use; choose another with PORT=${port + 1}`)
  await demo.gone()
})

test('so is the port of the relay', { timeout: 300_000 }, async (t) => {
  const port = await takenPort(t)
  const demo = start(t, { RELAY_PORT: String(port) })
  const { code, said } = await demo.end()
  assert.equal(code, 1)
  assert.equal(said, `demo: port ${port} is in use; choose another with RELAY_PORT=${port + 1}`)
  await demo.gone()
})

/** @type {Array<[Record<string, string>, RegExp]>} */
const WRONG = [
  [{ PORT: 'http' }, /^demo: PORT=http is not a port: 0 to 65535$/],
  [{ RELAY_PORT: '65536' }, /^demo: RELAY_PORT=65536 is not a port: 0 to 65535$/],
  [{ RELAY: 'python' }, /^demo: RELAY=python is none of js, go, rust$/]
]
for (const [env, words] of WRONG) {
  test(`${Object.entries(env).flat().join('=')} is refused in words`, { timeout: 300_000 }, async (t) => {
    const demo = start(t, env)
    const { code, said } = await demo.end()
    assert.equal(code, 1)
    assert.match(said, words)
    await demo.gone()
  })
}
