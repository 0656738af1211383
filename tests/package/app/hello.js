/** Says hello to a relay, on a stream that echoes, and returns what comes back. */
export async function hello (node, relay) {
  const stream = await node.dialProtocol(relay, '/echo/1.0.0')
  stream.send(new TextEncoder().encode('hello'))
  await stream.close()
  let heard = ''
  for await (const bytes of stream) heard += new TextDecoder().decode(bytes.subarray())
  await node.stop()
  return heard
}

/** Shows it where the tests look for it. */
export async function show (heard) {
  document.body.dataset.heard = await heard.catch((err) => `${err.name}: ${err.message}`)
}

/** Where the page is told that its relay is. */
export const relayOf = (page) => new URLSearchParams(page.search).get('relay')
