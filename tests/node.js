// Linked in front of each program that Node runs as wasm: cmocka speaks TAP when asked to. One that
// reads the disk as it is has the environment as it is, too.
Module.preRun = () => { if (typeof ENV !== 'undefined') ENV.CMOCKA_MESSAGE_OUTPUT = 'TAP' }
