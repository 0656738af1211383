// Imports of src/browser: events, the alarm, randomness, WebCrypto, and what emscripten's own WebSocket
// library leaves to its caller. No function here throws, and none calls an export before it returned.
mergeInto(LibraryManager.library, {
  // What js-glue has of the module: its memory, and, once it is instantiated, the functions it calls. The
  // minimal runtime instantiates Module.wasm and keeps the memory to itself; any other has to be helped to it.
  $calls__postset: function () {
    return 'Module.calls = calls;' + (MINIMAL_RUNTIME
      ? "Object.defineProperty(Module, 'HEAPU8', { get: () => HEAPU8 });"
      : 'Module.instantiateWasm = (imports, received) => {' +
        'WebAssembly.instantiate(Module.wasm, imports).then(received, (err) => readyPromiseReject(err)); return {} };')
  },
  $calls: function () {
    return {
      inbox: _inbox, app_new: _app_new, app_delete: _app_delete,
      app_start: _app_start, app_stop: _app_stop, app_flush: _app_flush, page_event: _page_event,
      app_listen: _app_listen, app_bootstrap: _app_bootstrap, app_found: _app_found, app_discover: _app_discover,
      app_dial: _app_dial, app_dial_cancel: _app_dial_cancel, app_is_dialable: _app_is_dialable,
      app_conn_close: _app_conn_close, app_handle: _app_handle, app_unhandle: _app_unhandle,
      app_stream_open: _app_stream_open, app_stream_reserve: _app_stream_reserve,
      app_stream_given: _app_stream_given, app_stream_commit: _app_stream_commit,
      app_stream_took: _app_stream_took, app_stream_close_write: _app_stream_close_write,
      app_stream_close_read: _app_stream_close_read, app_stream_reset: _app_stream_reset,
      app_ping: _app_ping, app_subscribe: _app_subscribe, app_unsubscribe: _app_unsubscribe,
      app_publish: _app_publish, app_judge: _app_judge, app_name: _app_name, app_tune: _app_tune, app_rate: _app_rate, app_add_addresses: _app_add_addresses, ask_reason: _ask_reason, ask_error: _ask_error,
      ask_peer_id: _ask_peer_id, ask_private_key: _ask_private_key, ask_recipients: _ask_recipients,
      ask_topics: _ask_topics, ask_pubsub_peers: _ask_pubsub_peers,
      ask_peer_addresses: _ask_peer_addresses, ask_peer_protocols: _ask_peer_protocols,
      ask_memory: _ask_memory
    }
  },

  $page: '{ alarm: 0, isDead: false }',

  // Runs what calls exports, unless a trap has ended this instance.
  $enter__deps: ['$page', '$die'],
  $enter: function (call) {
    if (page.isDead) return
    try {
      return call()
    } catch (err) {
      die(err)
    }
  },

  // The state in the heap is worth nothing now: what it held on the outside is closed.
  $die__deps: ['$page', '$rtcLinks', '$socketEnds'],
  $die__postset: "Module.die = die;",
  $die: function (err) {
    if (page.isDead) return
    page.isDead = true
    clearTimeout(page.alarm)
    rtcLinks.forEach((link) => { if (link.pc) link.pc.close() })
    socketEnds.forEach((end) => { end() })
    Module.onTrap(err)
  },

  // Bytes into the inbox; returns their number, or -1 when that is too much.
  $toInbox: function (bytes) {
    var ptr = _inbox(bytes.length)
    if (ptr === 0) return -1
    HEAPU8.set(bytes, ptr)
    return bytes.length
  },

  $textToInbox__deps: ['$toInbox'],
  $textToInbox: function (text) {
    return Math.max(0, toInbox(new TextEncoder().encode(text)))
  },

  $textAt: function (ptr, len) {
    return new TextDecoder().decode(HEAPU8.subarray(ptr, ptr + len))
  },

  js_event__deps: ['$calls'],
  js_event: function (ptr) {
    Module.onEvent(ptr)
  },

  js_log__deps: ['$textAt'],
  js_log: function (level, ptr, len) {
    Module.onLog(level, textAt(ptr, len))
  },

  js_alarm__deps: ['$page', '$enter'],
  js_alarm: function (ms) {
    clearTimeout(page.alarm)
    if (ms >= 0) page.alarm = setTimeout(() => { enter(_page_ring) }, ms)
  },

  js_random: function (ptr, len) {
    // getRandomValues gives at most 65536 bytes at once.
    for (var end = ptr + len; ptr < end; ptr += 65536) {
      crypto.getRandomValues(HEAPU8.subarray(ptr, Math.min(end, ptr + 65536)))
    }
  },

  js_verify__deps: ['$enter'],
  js_verify: function (job, bits, key, keyLen, message, messageLen, signature, signatureLen) {
    var bytes = HEAPU8.slice(key, key + keyLen)
    var signed = HEAPU8.slice(message, message + messageLen)
    var proof = HEAPU8.slice(signature, signature + signatureLen)
    var algorithm = bits === 0
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-' + bits, hash: 'SHA-256' }
    // Outside of secure contexts there is no crypto.subtle: then nothing is valid.
    Promise.resolve()
      .then(() => bits === 1
        ? Module.verifySecp256k1(bytes, signed, proof)
        : crypto.subtle.importKey('spki', bytes, algorithm, false, ['verify'])
          .then((imported) => crypto.subtle.verify(algorithm, imported, proof, signed)))
      .catch(() => false)
      .then((isValid) => { enter(() => { _page_verified(job, isValid ? 1 : 0) }) })
  },

  // ---- WebSocket

  // From a socket's handle to a function that closes it without a word to C.
  $socketEnds: 'new Map()',

  js_socket_new__deps: ['emscripten_websocket_new'],
  js_socket_new: function (attributes) {
    try {
      return _emscripten_websocket_new(attributes)
    } catch (err) {
      // A bad URL, or one that this page may not open: ws: from https:, or against its policy.
      return 0
    }
  },

  $socketOf__deps: ['$WS'],
  $socketOf: function (id) {
    return WS.sockets ? WS.sockets[id] : WS.getSocket(id)
  },

  js_socket_buffered__deps: ['$socketOf'],
  js_socket_buffered: function (id) {
    return socketOf(id).bufferedAmount
  },

  js_socket_guard__deps: ['$socketOf', '$enter', '$socketEnds'],
  js_socket_guard: function (id) {
    var most = 1 << 20
    var socket = socketOf(id)
    var onopen = socket.onopen
    var onmessage = socket.onmessage
    var onclose = socket.onclose
    socketEnds.set(id, () => {
      socket.onopen = socket.onmessage = socket.onclose = null
      socket.close()
    })
    // A close follows, and tells more; but what nobody listens to, Node's ws throws.
    socket.onerror = () => {}
    socket.onopen = (e) => { enter(() => { onopen(e) }) }
    socket.onclose = (e) => { enter(() => { onclose(e) }) }
    // The message is copied in, so its own memory is there for what comes out of it.
    var take = (e) => {
      Module['spare'] = e.data
      enter(() => { onmessage(e) })
      Module['spare'] = 0
    }
    socket.onmessage = (e) => {
      var size = e.data.byteLength
      if (!(size > most)) return take(e)
      for (var at = 0; at < size && socketEnds.has(id); at += most) take({ data: e.data.slice(at, at + most) })
    }
  },

  js_socket_delete__deps: ['$WS', '$socketEnds', 'emscripten_websocket_delete'],
  js_socket_delete: function (id) {
    socketEnds.delete(id)
    _emscripten_websocket_delete(id)
    if (WS.sockets) delete WS.sockets[id]
  }
})
