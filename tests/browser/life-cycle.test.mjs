// What a browser does to a page over its life: hides it, freezes it, unloads it, takes the network away.
//
// Through puppeteer, which lets a tab in the background be one: playwright keeps all of them in front.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import puppeteer from 'puppeteer-core'
import { FLAGS, PATIENCE_MS, chromiumPath, openWorld } from './harness.mjs'

const world = openWorld()
const AWAKE = ['--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows']

/** @type {import('puppeteer-core').Browser} */
let browser

before(async () => {
  browser = await puppeteer.launch({
    executablePath: chromiumPath(),
    args: [...FLAGS.filter((flag) => !AWAKE.includes(flag)), ...process.getuid?.() === 0 ? ['--no-sandbox'] : []],
    ignoreDefaultArgs: [...AWAKE, '--disable-back-forward-cache'],
    timeout: PATIENCE_MS,
    waitForInitialPage: false,
    networkEnabled: false
  })
})
after(() => browser?.close())

/** @param {import('puppeteer-core').Page} page @param {string} selector @param {string} text that it has to begin with */
const shows = (page, selector, text) => page.waitForFunction(
  (selector, text) => [...document.querySelectorAll(selector)].some((shown) => shown.textContent?.startsWith(text)),
  { polling: 100, timeout: PATIENCE_MS }, selector, text)

/** @param {import('puppeteer-core').Page} page */
const isDirect = (page) => shows(page, '#status-text', 'Connected directly to 1 person.')

/** @param {import('puppeteer-core').Page} page @param {string} text */
const write = (page, text) => page.evaluate((text) => {
  const message = /** @type {HTMLTextAreaElement} */ (document.getElementById('message'))
  message.value = text
  message.form?.requestSubmit()
}, text)

/** @param {import('puppeteer-core').Page} from @param {import('puppeteer-core').Page} to @param {string} text */
async function say (from, to, text) {
  await write(from, text)
  await shows(to, '.message:not(.mine) .text', text)
}

/** Two tabs of one window, the first of them in the background. @param {import('node:test').TestContext} t */
async function twoTabs (t) {
  const relay = await world.relay(t)
  const context = await browser.createBrowserContext()
  t.after(() => context.close())
  const open = async () => {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await page.goto(world.origin)
    return page
  }
  const hidden = await open()
  const front = await open()
  await hidden.waitForFunction('document.hidden', { polling: 100 })
  await Promise.all([hidden, front].map(isDirect))
  return { relay, hidden, front }
}

test('a tab in the background is found, hears, and gets its relay back', { timeout: 300_000 }, async (t) => {
  const { relay, hidden, front } = await twoTabs(t)
  await say(front, hidden, 'are you there?')
  assert.match(await hidden.title(), /^\(1\) #lobby/)
  await relay.kill()
  for (const page of [hidden, front]) await shows(page, '#status-text', 'Reconnecting to the relay; still connected')
  await say(hidden, front, 'still here')
  await relay.restart()
  await Promise.all([hidden, front].map(isDirect))
  await hidden.bringToFront()
  await hidden.waitForFunction(() => document.title.startsWith('#lobby'), { polling: 100 })
})

test('a frozen tab slept through the death of the relay, and wakes to its peer', { timeout: 300_000 }, async (t) => {
  const { relay, hidden, front } = await twoTabs(t)
  const devtools = await hidden.createCDPSession()
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
  await relay.kill()
  await shows(front, '#status-text', 'Reconnecting to the relay')
  await relay.restart()
  // what is asked after silence is not answered by a frozen page
  await shows(front, '#status-text', 'Ready.')
  await devtools.send('Page.setWebLifecycleState', { state: 'active' })
  // until it has noticed that its connection is of yesterday, what it says is lost
  const awake = shows(front, '.message:not(.mine) .text', 'good morning')
  const calling = setInterval(() => write(hidden, 'good morning').catch(() => {}), 500)
  t.after(() => clearInterval(calling))
  await awake
  clearInterval(calling)
  await Promise.all([hidden, front].map(isDirect))
  await say(front, hidden, 'sleep well?')
})

test('a page that is left and come back to is the same peer', { timeout: 300_000 }, async (t) => {
  const { hidden, front } = await twoTabs(t)
  const id = () => front.$eval('#peer-id', (shown) => shown.textContent)
  const before = await id()
  await front.goto(new URL('/web/icon.svg', world.origin).href)
  await shows(hidden, '#status-text', 'Ready.')
  await front.goBack()
  await Promise.all([hidden, front].map(isDirect))
  assert.equal(await id(), before)
  await say(hidden, front, 'welcome back')
})

test('the network goes and comes back', { timeout: 300_000 }, async (t) => {
  const { hidden, front } = await twoTabs(t)
  for (const page of [front, hidden]) {
    const devtools = await page.createCDPSession()
    const unplug = (/** @type {boolean} */ offline) => devtools.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
    await unplug(true)
    await shows(page, '#status-text', 'Offline')
    await unplug(false)
    await Promise.all([hidden, front].map(isDirect))
    await shows(page, '#addresses .id', '/ip4/127.0.0.1/')
  }
  await say(hidden, front, 'online again')
})
