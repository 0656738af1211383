// Imports of src/browser/recorder.c. A recording leaves the module as it is written, so that a trap does
// not take it along.
mergeInto(LibraryManager.library, {
  js_is_recorded: function () {
    return Module.recorder ? Module.recorder.kind : 0
  },

  js_recorded__deps: ['$sealRecording'],
  js_recorded: function (ptr, len) {
    Module.recorder.add(HEAPU8.subarray(ptr, ptr + len))
  },

  // Called by nobody in C: what js-glue/debug asks for.
  $sealRecording__postset: 'Module.seal = () => { enter(_recorder_seal) };',
  $sealRecording__deps: ['$enter'],
  $sealRecording: function () {}
})
