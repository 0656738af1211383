// Trystero and PeerJS, which too let two pages talk: fetched by npm into build/rivals when they are measured. Each is
// bundled with what its own page of ten lines imports, and starts with a server of ours, which it need not reach.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'

/** @type {Record<string, { module: string, use: string, start: string }>} */
export const RIVALS = {
  trystero: {
    module: 'trystero@0.25.4',
    use: "export { joinRoom } from 'trystero'",
    start: `import { joinRoom } from 'trystero'
      const start = () => joinRoom({ appId: 'bench', relayConfig: { urls: ['ws://' + location.host + '/sink'] } }, 'bench')`
  },
  peerjs: {
    module: 'peerjs@1.5.5',
    use: "export { Peer } from 'peerjs'",
    start: `import { Peer } from 'peerjs'
      const start = () => new Peer('bench', { host: location.hostname, port: Number(location.port), path: '/' })`
  }
}

/** Where their modules are. @param {string} root of the project */
export async function fetchRivals (root) {
  const folder = path.join(root, 'build/rivals')
  const modules = Object.values(RIVALS).map(({ module }) => module)
  await mkdir(folder, { recursive: true })
  if (!Object.keys(RIVALS).every((name) => existsSync(path.join(folder, 'node_modules', name)))) {
    execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts', '--loglevel=error', ...modules], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  return path.join(folder, 'node_modules')
}

/** A page of the bench over one of them. @param {string} start */
export const pageOf = (start) => `${start}
  import { makeBench } from './driver.js'
  makeBench({ create: async () => ({ started: start(), handle () {}, extraBytes: () => 0 }) })`
