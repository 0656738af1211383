// Writes docs/api.md from the JSDoc of what applications import, as tsc understands it: its declarations, which are
// laid out alike line by line, are read here.
//
//   node .ci/api.mjs           writes it
//   node .ci/api.mjs --check   fails where it is not current
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const TYPES = 'build/api/js-glue'
const PAGE = 'docs/api.md'

/** Each with what its page says first. */
const ENTRIES = [
  ['peerlet', 'index', 'The node. `peerlet/slim` is the same with a separate `peerlet.wasm`.'],
  ['peerlet/services', 'services/index', 'What most pages do not need: [Services](services.md).'],
  ['peerlet/room', 'room/index', 'Everybody on a page of one name: [Rooms](room.md).'],
  ['peerlet/devtools', 'devtools/index', 'A look into a node: [Devtools](devtools.md).'],
  ['peerlet/debug', 'debug/index', 'The same node in a module that can be looked into and recorded: [Recording](recording.md).'],
  ['peerlet/compat', 'compat/index', 'Whatever applications import from js-libp2p\'s modules: [From js-libp2p](from-js-libp2p.md).'],
  ['peerlet/aliases', 'aliases/index', 'For a bundler or an import map: js-libp2p\'s specifiers, and what they become.']
]

/** What the parts of the glue say to each other. */
const OWN = /^(constructor|on(Data|Room|Ended|Closed|Message|Subscription|Trap)|number|forget|peek|note|tell|routers|\[(Symbol\.(toStringTag|for).*|[A-Z_]+)\]|Core|CoreSource|setCoreSource|setDebugSource|setServicesSource|Output|Identity|Description|Service|ServicesOf|(Node|PubSub)Events|Emitter|Components|readOptions|Secret|Streams|Files|begin|serve|\w+Callback|set|static|onSent|onSeen|onFailed)$/

/**
 * @typedef {object} Item
 * @property {string} name
 * @property {'class' | 'function' | 'const' | 'type' | 'member'} kind
 * @property {string} text the declaration, on one line, without its name's `export declare`
 * @property {string} doc the comment
 * @property {Item[]} members
 */

/** @param {string} comment @returns {string} */
const textOf = (comment) => comment.replace(/^\s*\/\*\*/, '').replace(/\*\/\s*$/, '').split('\n').map((line) => line.replace(/^\s*\* ?/, '')).join('\n').trim()

/** Declarations at one depth of indentation. @param {string} source @param {string} indent @returns {Item[]} */
function declarations (source, indent) {
  const items = []
  let doc = ''
  const lines = source.split('\n')
  for (let i = 0; i < lines.length; i++) {
    if (!lines[i].startsWith(indent) || lines[i][indent.length] === ' ') continue
    const start = i
    const isComment = lines[i].startsWith(`${indent}/**`)
    const isOver = () => isComment ? lines[i].includes('*/') : /^([^ ].*)?[;}]$/.test(lines[i].slice(indent.length)) && (i === start ? !/[{(]$/.test(lines[i]) : true)
    while (i < lines.length - 1 && !isOver()) i++
    const text = lines.slice(start, i + 1).map((line) => line.slice(indent.length)).join('\n')
    if (isComment) {
      doc = textOf(text)
      continue
    }
    const found = /^(?:export )?(?:declare )?(?:(class|function|const|type) )?(?:get |readonly |async )?(\[[\w.]+\]|[\w$]+)/.exec(text)
    if (found !== null && !/^(#|import|export [{*])/.test(text)) {
      const kind = /** @type {Item['kind']} */ (found[1] ?? 'member')
      const hasMembers = kind === 'class' || (kind === 'type' && /= \{\n/.test(text))
      items.push({ name: found[2], kind, text, doc, members: hasMembers ? declarations(text.slice(text.indexOf('{') + 1), '    ') : [] })
    }
    doc = ''
  }
  return items
}

/** A typedef's first words, which its declaration loses. @param {string} file @param {string} name */
function typedefDoc (file, name) {
  const source = readFileSync(file, 'utf8')
  for (const [comment] of source.matchAll(/\/\*\*[^]*?\*\//g)) {
    const [words, ...typedefs] = comment.split('@typedef ')
    if (typedefs.length === 1 && !words.includes('@') && new RegExp(`(^|\\} )${name}\\b`).test(textOf(typedefs[0]).replaceAll('\n', ' '))) return textOf(words)
  }
  return ''
}

execFileSync('node_modules/.bin/tsc', ['--project', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', 'build/api'])

/** @type {Map<string, { items: Item[], source: string, file: string }>} */
const modules = new Map()
for (const folder of ['', 'services', 'room', 'devtools', 'debug', 'compat', 'aliases'].filter((name) => existsSync(path.join(TYPES, name)))) {
  for (const name of readdirSync(path.join(TYPES, folder)).filter((name) => name.endsWith('.d.ts')).sort()) {
    const source = readFileSync(path.join(TYPES, folder, name), 'utf8')
    const id = path.join(folder, name.replace('.d.ts', ''))
    modules.set(id, { source, file: `js-glue/${id}.js`, items: declarations(source, '') })
  }
}

/** What an entry exports, and where it is declared. @param {string} id @returns {Array<[string, string]>} */
function exportsOf (id) {
  const { source, items } = /** @type {{ source: string, items: Item[] }} */ (modules.get(id))
  const from = (/** @type {string} */ relative) => path.join(path.dirname(id), relative.replace(/\.js$/, ''))
  /** @type {Array<[string, string]>} */
  const found = []
  for (const [, list, relative] of source.matchAll(/^export (\{[^}]*\}|\*) from '(.*?)';/gm)) {
    if (list === '*') found.push(...exportsOf(from(relative)))
    else for (const name of list.match(/\w+/g) ?? []) found.push([name, from(relative)])
  }
  for (const [, name, relative] of source.matchAll(/^export type (\w+) = import\('(.*?)'\)\.\w+;/gm)) found.push([name, from(relative)])
  for (const { name } of items.filter(({ text }) => /^export declare/.test(text))) found.push([name, id])
  return found
}

/** @param {string} text */
const oneLine = (text) => text.replaceAll(/\/\*\*[^]*?\*\/\s?/g, '').replaceAll(/import\(["'][^"']*["']\)\./g, '').replaceAll(/Uint8Array<ArrayBuffer(Like)?>/g, 'Uint8Array')
  .replace(/^(export )?(declare )?(class|function|const|type) /, '').replaceAll(/\s+/g, ' ').replaceAll(/; \}/g, ' }').replace(/;$/, '').replace(/\{ (\w+(, \w+)*) \}\??: /, 'options?: ').trim()

/** Words and tags of a comment. @param {string} doc */
function takeApart (doc) {
  const [first, ...tags] = doc.split(/(?:^|\s)@(?=param|returns|throws|type\b|template|extends|typedef|property)/)
  const params = tags.flatMap((tag) => {
    const found = /^param (\{(?:[^{}]|\{[^{}]*\})*\}) \[?([\w.]+)\]?\s*([^]*)$/.exec(tag)
    return found === null || found[3].trim() === '' ? [] : [`\`${found[2]}\`: ${found[3].trim().replaceAll(/\s+/g, ' ')}`]
  })
  const rest = (/** @type {string} */ name) => tags.flatMap((tag) => tag.startsWith(`${name} `) ? [tag.slice(name.length + 1).replace(/^\{(?:[^{}]|\{[^{}]*\})*\}/, '').trim().replaceAll(/\s+/g, ' ')] : []).filter((text) => text !== '')
  return { words: first.trim(), params, returns: rest('returns').map((text) => text.replace(/^value is .*/, '')).filter(Boolean), throws: rest('throws') }
}

/** @param {Item} item @returns {string} */
function about (item) {
  const { words, params, returns, throws } = takeApart(item.doc)
  return [words, ...params, ...returns.map((text) => `returns ${text}`), ...throws.map((text) => `throws ${text}`)].filter((text) => text !== '').reduce((all, text) => all === '' ? text : all + (/[.:]$/.test(all) ? ' ' : '; ') + text, '').replaceAll(/\s*\n\s*/g, ' ')
}

/** In a cell of a table. @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|')

/** @param {Item[]} members */
const table = (members) => ['| | |', '| --- | --- |', ...members.map((one) => `| \`${cell(oneLine(one.text).replace(/^get ([^(]*)\(\)/, '$1'))}\` | ${cell(about(one))} |`)].join('\n')

/** @param {Item} item @param {string} file */
function section (item, file) {
  const members = item.members.filter(({ name }) => !OWN.test(name))
  const { words } = takeApart(item.doc.includes('@typedef') ? '' : item.doc)
  const text = words || (item.kind === 'type' ? typedefDoc(file, item.name) : '')
  const lines = [`### ${item.name}`, '']
  if (text !== '') lines.push(text, '')
  if (members.length > 0) lines.push(table(members), '')
  else lines.push(`\`${oneLine(item.text)}\``, '')
  return lines.join('\n')
}

/** Types that these mention and nobody has shown. @param {Item[]} items @param {Set<string>} shown */
function mentioned (items, shown) {
  const all = [...modules.values()].flatMap(({ items, file }) => items.map((item) => ({ item, file })))
  const words = new Set(items.flatMap((item) => [item.text, ...item.members.map(({ text }) => text)]).join(' ').match(/\b[A-Z]\w+/g))
  return all.filter(({ item }) => words.has(item.name) && (item.kind === 'class' || item.kind === 'type') && !shown.has(item.name) && !OWN.test(item.name) && !/ = import\(/.test(item.text))
}

const out = ['# API', '', 'What can be imported, from the JSDoc of the sources: `make api` writes this page. Names and shapes are js-libp2p\'s',
  'where it has them. Whatever waits takes an `AbortSignal` as `signal`.', '']
/** @type {Set<string>} */
const shown = new Set()
for (const [title, id, words] of ENTRIES) {
  if (!modules.has(id)) continue
  const exported = exportsOf(id).filter(([name]) => !OWN.test(name))
  const items = exported.flatMap(([name, from]) => {
    const item = modules.get(from)?.items.find((one) => one.name === name)
    return item === undefined || (shown.has(name) && from !== id) ? [] : [{ item, file: /** @type {any} */ (modules.get(from)).file }]
  }).filter(({ item }, i, all) => all.findIndex((other) => other.item.name === item.name) === i)
  const simple = items.filter(({ item }) => item.kind === 'const' || item.kind === 'function')
  const large = items.filter(({ item }) => !simple.some((one) => one.item === item))
  for (const { item } of items) shown.add(item.name)
  for (let found = large.concat(simple); (found = mentioned(found.map(({ item }) => item), shown)).length > 0;) {
    for (const one of found) if (!shown.has(one.item.name)) { shown.add(one.item.name); large.push(one) }
  }
  out.push(`## ${title}`, '', words, '')
  const isError = (/** @type {{ item: Item }} */ { item }) => /: \{\n    new \(message\?/.test(item.text)
  const isMatcher = (/** @type {{ item: Item }} */ { item }) => / MultiaddrMatcher;$/.test(item.text)
  if (simple.length > 0) out.push(table(simple.filter((one) => !isMatcher(one) && !isError(one)).map(({ item }) => item)), '')
  const matchers = simple.filter(isMatcher).map(({ item }) => `\`${item.name}\``)
  if (matchers.length > 0) out.push(`Kinds of addresses, each with \`matches(ma)\` and \`exactMatch(ma)\`: ${matchers.join(', ')}.`, '')
  const errors = simple.filter(isError).map(({ item }) => `\`${item.name}\``)
  if (errors.length > 0) out.push(`js-libp2p's error classes: ${errors.join(', ')}.`, '')
  out.push(...large.filter(({ item }) => item.name !== 'MultiaddrMatcher').map(({ item, file }) => section(item, file)))
}
const page = `${out.join('\n').replaceAll(/[ \t]+$/gm, '').replaceAll(/\n{3,}/g, '\n\n').trim()}\n`

if (!process.argv.includes('--check')) writeFileSync(PAGE, page)
else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
  console.error(`${PAGE} is not what the sources say: run \`make api\``)
  process.exitCode = 1
}
