// Classic scripts see one global, and no other of its names.
const node = window.Peerlet.createLibp2p()
const main = async () => {
  if (window.peerletWasm !== undefined) throw new Error('the wasm is everybody\'s')
  const stream = await (await node).dialProtocol(new URLSearchParams(location.search).get('relay'), '/echo/1.0.0')
  stream.send(new TextEncoder().encode('hello'))
  await stream.close()
  let heard = ''
  for await (const bytes of stream) heard += new TextDecoder().decode(bytes)
  return heard
}
main().catch((err) => `${err.name}: ${err.message}`).then((heard) => { document.body.dataset.heard = heard })
