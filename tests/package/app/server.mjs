// node server.mjs RELAY: prints the page as the server renders it.
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { View } from './view.js'

console.log(renderToString(createElement(View, { relay: process.argv[2] })))
