// Imports of the browser driver: events, alarms, randomness. Each catches every exception and calls
// no export before it has returned; what is to come back comes later, from the event loop.
mergeInto(LibraryManager.library, {
  // What the page asked to be told, kept until the microtask in which it is told.
  $driver: '{ events: [], alarm: 0, poll: 0, told: false }',

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
  js_event__deps: ['$driver', '$readView', '$readText'],
  js_event: function (out) {
    var i = out >> 2
    var hasLimit = HEAPU32[i + 5] > 0 || HEAPU32[i + 6] > 0
    driver.events.push({
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
    if (driver.told) return
    driver.told = true
    queueMicrotask(function () {
      driver.told = false
      var events = driver.events
      driver.events = []
      Module['onEvents'](events)
    })
  },

  js_alarm__deps: ['$driver'],
  js_alarm: function (ms) {
    clearTimeout(driver.alarm)
    driver.alarm = ms < 0 ? 0 : setTimeout(function () { Module['_driver_wake']() }, Math.min(ms, 0x7fffffff))
  },

  js_poll_soon__deps: ['$driver'],
  js_poll_soon: function () {
    driver.poll = driver.poll || setTimeout(function () {
      driver.poll = 0
      Module['_driver_poll']()
    }, 1)
  },

  js_random: function (ptr, len) {
    for (var at = 0; at < len; at += 65536) {
      crypto.getRandomValues(HEAPU8.subarray(ptr + at, ptr + Math.min(len, at + 65536)))
    }
  },

  // Whether `new WebSocket(url)` can be trusted not to throw.
  js_url_may_open: function (ptr, len) {
    try {
      var url = new URL(new TextDecoder().decode(HEAPU8.subarray(ptr, ptr + len)))
      var isLocal = /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(url.hostname)
      var isSecurePage = typeof location === 'object' && location.protocol === 'https:'
      return url.protocol === 'wss:' || isLocal || !isSecurePage ? 1 : 0
    } catch (err) {
      return 0
    }
  },

  js_log: function (level, ptr, len) {
    var log = Module['onLog']
    if (log) log(level, new TextDecoder().decode(HEAPU8.subarray(ptr, ptr + len)))
  },

  // RSA and ECDSA signatures, by WebCrypto; the result comes back as an input.
  js_verify__deps: ['$readView'],
  js_verify: function (job, bits, out) {
    var key = readView(out + 48).slice()
    var message = readView(out + 40).slice()
    var signature = readView(out + 56).slice()
    var algorithm = bits === 0
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: 'P-' + bits, hash: 'SHA-256' }
    Promise.resolve()
      .then(function () { return crypto.subtle.importKey('spki', key, algorithm, false, ['verify']) })
      .then(function (k) { return crypto.subtle.verify(algorithm, k, signature, message) })
      .catch(function () { return false })
      .then(function (ok) { Module['_verified'](job, ok ? 1 : 0) })
  }
})
