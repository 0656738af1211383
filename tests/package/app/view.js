// What the server renders and the page takes over. The import is at the top in both.
import { createLibp2p } from 'peerlet'
import { createElement, useEffect, useState } from 'react'
import { hello } from './hello.js'

export function View ({ relay }) {
  const [heard, setHeard] = useState('nothing yet')
  useEffect(() => {
    createLibp2p().then((node) => hello(node, relay)).catch((err) => `${err.name}: ${err.message}`).then(setHeard)
  }, [relay])
  return createElement('p', { id: 'heard' }, heard)
}
