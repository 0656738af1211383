import { createElement } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { relayOf } from './hello.js'
import { View } from './view.js'

const complaints = []
const onRecoverableError = (err) => complaints.push(err)
hydrateRoot(document.getElementById('root'), createElement(View, { relay: relayOf(location) }), { onRecoverableError })
globalThis.complaints = complaints
