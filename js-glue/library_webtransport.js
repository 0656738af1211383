// Imports of src/browser: WebTransport. A session takes the shape of a peer connection and its streams that
// of data channels, so that library_webrtc.js does for them what it does for those.
mergeInto(LibraryManager.library, {
  // `ends` are enum peerlet_channel_end: 1 reset, 2 of writing, 3 of reading.
  $sessionStream: function (stream) {
    var reader, writer, isReading, isPaused
    function ignore () {}
    function read () {
      if (isReading || isPaused) return
      isReading = true
      reader.read().then((got) => {
        isReading = false
        if (got.done) return dc.onended(2)
        dc.onmessage({ data: got.value })
        read()
      }, () => { dc.onclose() })
    }
    function start (opened) {
      reader = opened.readable.getReader()
      writer = opened.writable.getWriter()
      writer.closed.catch(() => { dc.onended(3) })
      read()
    }
    var dc = {
      label: '',
      bufferedAmount: 0,
      // What is written is sent later, when the heap holds something else.
      send: (bytes) => {
        dc.bufferedAmount += bytes.length
        writer.write(bytes.slice()).then(() => {
          var before = dc.bufferedAmount
          dc.bufferedAmount -= bytes.length
          if (before > dc.bufferedAmountLowThreshold && dc.bufferedAmount <= dc.bufferedAmountLowThreshold) dc.onbufferedamountlow()
        }, ignore)
      },
      end: (end) => {
        if (end === 1) writer.abort().catch(ignore)
        if (end === 2) writer.close().catch(ignore)
        else reader.cancel().catch(ignore)
        dc.pause(0)
      },
      pause: (now) => {
        isPaused = now
        read()
      },
      close: () => {
        if (!writer) return
        writer.close().catch(ignore)
        reader.cancel().catch(ignore)
      }
    }
    if (stream.readable) start(stream)
    else stream.then((opened) => { start(opened); dc.onopen() }, () => { dc.onclose() })
    return dc
  },

  js_session_open__deps: ['$rtcLinks', '$rtcListen', '$rtcFail', '$sessionStream', '$enter', '$textAt'],
  js_session_open: function (link, url, urlLen, hashes, hashesLen, low, high) {
    var l = { pc: null, low: low, high: high, steps: Promise.resolve(), channels: new Map() }
    var found = []
    for (; found.length * 32 < hashesLen; hashes += 32) found.push({ algorithm: 'sha-256', value: HEAPU8.slice(hashes, hashes + 32) })
    rtcLinks.set(link, l)
    function fail (err) { rtcFail(link, err || 'the session closed') }
    try {
      var session = new WebTransport(textAt(url, urlLen), { serverCertificateHashes: found })
    } catch (err) {
      queueMicrotask(() => { fail(err) })
      return
    }
    l.pc = {
      createDataChannel: () => sessionStream(session.createBidirectionalStream()),
      close: () => { session.close() }
    }
    rtcListen(link, l)
    session.closed.then(() => { fail() }, fail)
    session.ready.then(() => {
      var incoming = session.incomingBidirectionalStreams.getReader()
      function accept () {
        incoming.read().then((got) => {
          if (got.done) return
          l.pc.ondatachannel({ channel: sessionStream(got.value) })
          accept()
        }, fail)
      }
      if (rtcLinks.get(link) !== l) return
      enter(() => { _rtc_opened(link, 0, 0) })
      accept()
    }, fail)
  },

  js_session_end__deps: ['$rtcChannel'],
  js_session_end: function (link, channel, end) {
    var c = rtcChannel(link, channel)
    if (c) c.dc.end(end)
  },

  js_session_pause__deps: ['$rtcChannel'],
  js_session_pause: function (link, channel, isPaused) {
    var c = rtcChannel(link, channel)
    if (c) c.dc.pause(isPaused)
  }
})
