// Prints the numbers that JavaScript shares with C, as a module: every enumerator of these headers,
// without PEERLET_. So a number is written once, and none is looked up by name in a page.
import { readFileSync } from 'node:fs'

/** @param {string} text 1 << 3, (1 << 9) - 1, -1000 */
function evaluate (text) {
  if (!/^[\d\s<()-]+$/.test(text)) throw new Error(`cannot read ${text}`)
  return Number(new Function(`return ${text}`)())
}

for (const file of process.argv.slice(2)) {
  const header = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  for (const [, body] of header.matchAll(/\benum \w+ \{([^}]*)\}/g)) {
    let next = 0
    for (const row of body.split(',').map(text => text.trim()).filter(text => text !== '')) {
      const [name, value] = row.split(' = ')
      next = value === undefined ? next : evaluate(value)
      console.log(`export const ${name.replace('PEERLET_', '')} = ${next++}`)
    }
  }
}
