// Runs the application over whatever its imports lead to, against the peer that PEER describes.
import { transcript } from '../transcript.mjs'
import { run } from './app.mjs'

await run(JSON.parse(String(process.env.PEER)), transcript(console.log))
process.exit(0)
