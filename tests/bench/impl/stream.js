// A js-libp2p stream as the small thing the bench protocols are written for. Used by the pages and
// by relay.mjs.

export function wrapStream (stream) {
  let endCbs = []
  let ended = false
  const end = () => {
    if (ended) return
    ended = true
    for (const cb of endCbs) cb()
    endCbs = []
  }
  stream.addEventListener('remoteCloseWrite', end)
  stream.addEventListener('close', end)
  return {
    raw: stream,
    // false: the buffer is full, await drained() before the next send
    send: (u8) => stream.send(u8),
    drained: () => new Promise((resolve) => {
      if (!stream.writableNeedsDrain || stream.status !== 'open') return resolve(undefined)
      const done = () => {
        stream.removeEventListener('drain', done)
        stream.removeEventListener('close', done)
        resolve(undefined)
      }
      stream.addEventListener('drain', done)
      stream.addEventListener('close', done)
    }),
    onData: (cb) => stream.addEventListener('message', (e) => cb(e.data)),
    onEnd: (cb) => { if (ended) cb(); else endCbs.push(cb) },
    closeWrite: () => stream.close(),
    abort: () => stream.abort(new Error('bench done'))
  }
}
