// Chromium for measurements, and the CPU time of its processes.
//
// Through puppeteer, because it can leave DevTools' Network domain off: with it every WebSocket
// frame is copied to the driver, and a bare WebSocket falls from 150 to 25 MB/s.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import puppeteer from 'puppeteer-core'

const TICK_MS = 10 // of /proc/PID/stat

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost',
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection'
]

function chromiumPath () {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
      if (existsSync(path.join(dir, name))) return path.join(dir, name)
    }
  }
  throw new Error('no Chromium on PATH: install it, or name it with CHROMIUM=')
}

export async function launchChromium () {
  const userDataDir = mkdtempSync(path.join(tmpdir(), 'peerlet-bench-'))
  const browser = await puppeteer.launch({
    executablePath: chromiumPath(), headless: true, networkEnabled: false, userDataDir, args: FLAGS, protocolTimeout: 300_000
  })
  return {
    pid: browser.process()?.pid,
    /** A tab with a storage and a process of its own. */
    async page (url) {
      const context = await browser.createBrowserContext()
      const page = await context.newPage()
      if (process.env.VERBOSE !== undefined) {
        page.on('console', (message) => console.error(`  ${message.text().slice(0, 300)}`))
        page.on('pageerror', (err) => console.error(`  ${err}`))
      }
      await page.goto(url, { waitUntil: 'load' })
      return Object.assign(page, { done: () => context.close() })
    },
    async close () {
      await browser.close().catch(() => {})
      rmSync(userDataDir, { recursive: true, force: true })
    }
  }
}

/** CPU time of a process in ms. */
export function cpuOf (pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

const sessions = new WeakMap()

async function devtools (page) {
  if (!sessions.has(page)) sessions.set(page, await page.createCDPSession())
  return sessions.get(page)
}

/** CPU time of a page's process in ms. */
export async function pageCpu (page) {
  const cdp = await devtools(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' }).catch(() => {})
  const { metrics } = await cdp.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'ProcessTime').value * 1000
}

/** Bytes of a page's JavaScript heap after collecting garbage. */
export async function pageHeap (page) {
  const cdp = await devtools(page)
  for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage')
  await cdp.send('Performance.enable').catch(() => {})
  const { metrics } = await cdp.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'JSHeapUsedSize').value
}
