// Starts coturn on loopback for a test, with which it ends.
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

// A STUN binding request: what the server answers as soon as it is up.
const BINDING = Buffer.from('000100002112a442706565726c65742d74657374', 'hex')

/**
 * Waits for the first answer of a server, or for its end.
 *
 * @param {number} port
 * @param {import('node:child_process').ChildProcess} server
 */
async function answered (port, server) {
  const socket = createSocket('udp4')
  const ask = setInterval(() => socket.send(BINDING, port, '127.0.0.1'), 20)
  try {
    await Promise.race([
      once(socket, 'message', { signal: AbortSignal.timeout(60_000) }),
      once(server, 'exit').then(([code]) => { throw new Error(`turnserver ended with code ${code}`) })
    ])
  } finally {
    clearInterval(ask)
    socket.close()
  }
}

/**
 * @param {import('node:test').TestContext} t
 * @returns the RTCIceServer of a page that may use it
 */
export async function startTurn (t) {
  const found = createSocket('udp4').bind(0, '127.0.0.1')
  await once(found, 'listening')
  const { port } = found.address()
  found.close()
  await once(found, 'close')

  const server = spawn('turnserver', ['-n', '--listening-ip=127.0.0.1', `--listening-port=${port}`, '--relay-ip=127.0.0.1',
    '--allow-loopback-peers', '--lt-cred-mech', '--realm=peerlet', '--user=page:secret', '--no-cli', '--no-tls', '--no-dtls',
    '--no-tcp', '--db=/dev/null', '--pidfile=/dev/null', '--log-file=stdout'], { stdio: 'ignore' })
  t.after(() => server.kill())
  await answered(port, server)
  return { urls: `turn:127.0.0.1:${port}?transport=udp`, username: 'page', credential: 'secret' }
}
