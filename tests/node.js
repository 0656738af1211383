// Linked in front of each unit test that Node runs as wasm: cmocka speaks TAP when asked to.
Module.preRun = () => { ENV.CMOCKA_MESSAGE_OUTPUT = 'TAP' }
