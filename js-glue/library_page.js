// Imports of the browser driver: events, the alarm, randomness, signatures, and care for sockets. Each catches every exception and calls
// no export before it has returned; what is to come back comes later, from the event loop.
mergeInto(LibraryManager.library, {
  // What the page asked to be told, kept until the microtask in which it is told.
  $page: '{ events: [], alarm: 0, told: false }',

  $readView: function (at) {
    var ptr = HEAPU32[at >> 2]
    return HEAPU8.subarray(ptr, ptr + HEAPU32[(at >> 2) + 1])
  },
  $readView__deps: [],

  $readText: function (at) {
    return new TextDecoder().decode(readView(at))
  },
  $readText__deps: ['$readView'],

  // struct peerlet_output: six numbers, a 64-bit one, then views of peer, text, data, extra, more, key.
  js_event__deps: ['$page', '$readView', '$readText'],
  js_event: function (out) {
    var i = out >> 2
    var hasLimit = HEAPU32[i + 5] > 0 || HEAPU32[i + 6] > 0
    page.events.push({
      type: HEAPU32[i],
      id: HEAPU32[i + 1],
      other: HEAPU32[i + 2],
      value: HEAPU32[i + 3],
      code: HEAP32[i + 4],
      limits: hasLimit ? { seconds: HEAPU32[i + 5], bytes: BigInt(HEAPU32[i + 6]) } : undefined,
      peer: readText(out + 32),
      text: readText(out + 40),
      data: readView(out + 48).slice(),
      extra: readView(out + 56).slice(),
      more: readView(out + 64).slice(),
      key: readView(out + 72).slice()
    })
    if (page.told) return
    page.told = true
    queueMicrotask(function () {
      page.told = false
      var events = page.events
      page.events = []
      Module['onEvents'](events)
    })
  },

  js_alarm__deps: ['$page'],
  js_alarm: function (ms) {
    clearTimeout(page.alarm)
    page.alarm = setTimeout(function () { Module['_page_ring']() }, ms)
  },

  js_random: function (ptr, len) {
    for (var at = 0; at < len; at += 65536) {
      crypto.getRandomValues(HEAPU8.subarray(ptr + at, ptr + Math.min(len, at + 65536)))
    }
  },

  // emscripten's own table of sockets, by the names it has had.
  $socketTable: function () {
    return typeof WS === 'object' ? WS.sockets : webSockets.list || webSockets.allocated
  },

  js_socket_new__deps: ['emscripten_websocket_new'],
  js_socket_new: function (attributes) {
    try {
      return _emscripten_websocket_new(attributes)
    } catch (err) {
      return 0
    }
  },

  js_socket_guard: function (socket) {},

  js_socket_delete__deps: ['$socketTable'],
  js_socket_delete: function (socket) {
    var table = socketTable()
    var ws = table[socket]
    if (!ws) return
    ws.onopen = ws.onmessage = ws.onerror = ws.onclose = null
    delete table[socket]
  },

  js_log: function (level, ptr, len) {
    var log = Module['onLog']
    if (log) log(level, new TextDecoder().decode(HEAPU8.subarray(ptr, ptr + len)))
  },

  // RSA and ECDSA signatures, by WebCrypto; the result comes back as an input.
  js_verify: function (job, bits, key, keyLen, message, messageLen, signature, signatureLen) {
    var spki = HEAPU8.slice(key, key + keyLen)
    var bytes = HEAPU8.slice(message, message + messageLen)
    var sig = HEAPU8.slice(signature, signature + signatureLen)
    var algorithm = bits === 0
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-' + bits, hash: 'SHA-256' }
    Promise.resolve()
      .then(function () { return crypto.subtle.importKey('spki', spki, algorithm, false, ['verify']) })
      .then(function (k) { return crypto.subtle.verify(algorithm, k, sig, bytes) })
      .catch(function () { return false })
      .then(function (ok) { Module['_page_verified'](job, ok ? 1 : 0) })
  }
})
