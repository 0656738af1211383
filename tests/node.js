// Linked in front of each program that Node runs as wasm: cmocka speaks TAP when asked to, and golden
// transcripts are read from where they are. One that reads the disk as it is needs neither.
Module.preRun = () => {
  if (typeof ENV === 'undefined') return
  ENV.CMOCKA_MESSAGE_OUTPUT = 'TAP'
  if (typeof FS === 'undefined') return
  const fs = require('fs')
  FS.mkdir('/tests')
  FS.mkdir('/tests/golden')
  for (const name of fs.readdirSync('tests/golden')) FS.writeFile(`/tests/golden/${name}`, fs.readFileSync(`tests/golden/${name}`))
}
