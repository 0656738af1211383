// Linked in front of each unit test that Node runs as wasm: cmocka speaks TAP when asked to, and golden
// transcripts are read from where they are.
Module.preRun = () => {
  ENV.CMOCKA_MESSAGE_OUTPUT = 'TAP'
  if (typeof FS === 'undefined') return
  const fs = require('fs')
  FS.mkdir('/tests')
  FS.mkdir('/tests/golden')
  for (const name of fs.readdirSync('tests/golden')) FS.writeFile(`/tests/golden/${name}`, fs.readFileSync(`tests/golden/${name}`))
}
