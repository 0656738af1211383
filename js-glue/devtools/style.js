export const CSS = `
:host {
  --paper: #ffffff; --ink: #22262b; --soft: #5e666f; --line: #dfdcd6; --edge: #868e97; --tint: #f4f2ee;
  --accent: #2460d8; --good: #0f7a5c; --warn: #8f5a00; --bad: #b3261e;
  display: block; color-scheme: light dark; color: var(--ink); text-align: start;
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :host {
    --paper: #1b1f25; --ink: #e6e8ea; --soft: #9aa4ae; --line: #323941; --edge: #6d7883; --tint: #232931;
    --accent: #8ab0ff; --good: #4cc9a0; --warn: #e6b450; --bad: #ff8a80;
  }
}
:host([hidden]) { display: none; }
:host([open]) { background: var(--paper); border-top: 1px solid var(--line); max-height: min(60vh, 36rem); overflow-y: auto; overscroll-behavior: contain; }
:host([floating]) { position: fixed; z-index: 2147483647; inset: auto 0 0 auto; }
:host([floating][open]) { inset: auto 0 0 0; box-shadow: 0 -6px 24px rgb(0 0 0 / .18); }
:host([floating]:not([open])) { margin: .5rem; }
* { box-sizing: border-box; margin: 0; font-size: inherit; }
ul, ol { list-style: none; padding: 0; min-width: 0; }
button, input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: 6px; min-height: 28px; padding: 0 .6rem; }
button { cursor: pointer; white-space: nowrap; }
button:hover { color: var(--accent); border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .75rem; padding: .4rem .75rem; background: var(--paper); border-bottom: 1px solid var(--line); }
h2 { font-size: 1rem; font-weight: 600; }
.memory { flex: 1; }
.self { display: inline-flex; gap: .4rem; align-items: center; }
h3 { font-weight: 600; margin-bottom: .3rem; }
.count { color: var(--soft); font-weight: 400; }
.columns { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1.5rem; padding: .6rem .75rem 1rem; }
section { margin-top: .5rem; padding-bottom: .5rem; }
section > ul { display: grid; grid-template-columns: minmax(0, 1fr); gap: .35rem; }
.row { background: var(--tint); border-radius: 6px; padding: .35rem .55rem; min-width: 0; }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: .15rem .5rem; min-width: 0; }
.quiet { color: var(--soft); }
.name { font-weight: 600; font-variant-numeric: tabular-nums; }
.badge { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .45rem; font-size: .85em; color: var(--soft); white-space: nowrap; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
code { display: block; min-width: 0; max-width: 100%; font: .92em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; user-select: all; }
.streams { margin-top: .2rem; border-left: 2px solid var(--line); padding-left: .5rem; }
.streams li { display: flex; gap: .5rem; min-width: 0; }
.streams .quiet { flex: none; }
.streams code { color: var(--ink); }
form { display: flex; gap: .4rem; margin-bottom: .4rem; }
input { flex: 1; min-width: 0; }
.steps { margin-top: .2rem; }
.steps li { display: grid; grid-template-columns: 5.5em minmax(0, 1fr); overflow-wrap: anywhere; }
.ms { color: var(--soft); font-variant-numeric: tabular-nums; }
.events > ul { max-height: 14rem; overflow-y: auto; gap: 0; }
.event { display: grid; grid-template-columns: 5.5em 10.5em minmax(0, 1fr); gap: 0 .5rem; }
.event .words { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--soft); }
.event .words:hover { white-space: normal; overflow-wrap: anywhere; }
@media (max-width: 47.99rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .memory { order: 5; flex: 1 0 100%; }
  .self { order: 4; }
  .save { margin-left: auto; }
  .event { grid-template-columns: 5.5em minmax(0, 1fr); }
  .event .words { grid-column: 1 / -1; white-space: normal; overflow-wrap: anywhere; }
  button, input { min-height: 36px; }
}
`
