// node no-browser.mjs ENTRY: imports it where nothing is that only a page is sure to have, and prints what it looked for.
const NAMES = ['window', 'document', 'self', 'navigator', 'location', 'localStorage', 'sessionStorage', 'indexedDB', 'customElements',
  'HTMLElement', 'WebSocket', 'WebTransport', 'RTCPeerConnection', 'WebAssembly', 'crypto', 'addEventListener', 'fetch', 'CloseEvent']
const touched = new Set()
for (const name of NAMES) Object.defineProperty(globalThis, name, { get: () => { touched.add(name) } })

await import(process.argv[2])
console.log(JSON.stringify([...touched]))
