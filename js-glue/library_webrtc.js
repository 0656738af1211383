// Imports of the browser driver: RTCPeerConnection and its data channels. Each function performs one
// order; each callback first checks that its connection is still known, then tells one input.
mergeInto(LibraryManager.library, {
  // From a link's number to { pc, channels: from a channel's number to RTCDataChannel, ready }.
  $rtcLinks: 'new Map()',

  $rtcText: function (ptr, len) {
    return new TextDecoder().decode(HEAPU8.subarray(ptr, ptr + len))
  },

  // Bytes into the inbox; its address may change with every call.
  $rtcPut: function (bytes) {
    var ptr = Module['_inbox'](bytes.length)
    HEAPU8.set(bytes, ptr)
    return bytes.length
  },

  $rtcPutText__deps: ['$rtcPut'],
  $rtcPutText: function (text) {
    return rtcPut(new TextEncoder().encode(text))
  },

  // Failure is told later, as what it amounts to: the link has closed.
  $rtcFail__deps: ['$rtcLinks', '$rtcPutText'],
  $rtcFail: function (link, err) {
    queueMicrotask(function () {
      if (rtcLinks.has(link)) Module['_rtc_closed'](link, 0, rtcPutText(String((err && err.message) || err)))
    })
  },

  // Runs a step when the peer connection is there; the steps of one link run one after the other.
  $rtcStep__deps: ['$rtcLinks', '$rtcFail'],
  $rtcStep: function (link, step) {
    var l = rtcLinks.get(link)
    if (!l) return
    l.ready = l.ready
      .then(function () { if (rtcLinks.get(link) === l) return step(l.pc, l) })
      .catch(function (err) { rtcFail(link, err) })
  },

  // How much a channel takes: told when half of what it took before is used up, and when it drained.
  $rtcTellRoom__deps: ['$rtcLinks'],
  $rtcTellRoom: function (link, channel, dc) {
    var l = rtcLinks.get(link)
    dc.room = Math.max(0, l.high - dc.bufferedAmount)
    Module['_rtc_room'](link, channel, dc.room)
  },

  $rtcAdopt__deps: ['$rtcLinks', '$rtcPut', '$rtcTellRoom'],
  $rtcAdopt: function (link, channel, dc) {
    var l = rtcLinks.get(link)
    l.channels.set(channel, dc)
    dc.binaryType = 'arraybuffer'
    dc.bufferedAmountLowThreshold = l.low
    dc.room = l.high
    function isMine () {
      return rtcLinks.get(link) === l && l.channels.get(channel) === dc
    }
    dc.onopen = function () { if (isMine()) Module['_rtc_opened'](link, channel, l.high) }
    dc.onmessage = function (e) {
      if (!isMine() || typeof e.data === 'string') return
      Module['_rtc_message'](link, channel, rtcPut(new Uint8Array(e.data)))
    }
    dc.onbufferedamountlow = function () { if (isMine()) rtcTellRoom(link, channel, dc) }
    dc.onclose = function () {
      if (!isMine()) return
      l.channels.delete(channel)
      Module['_rtc_closed'](link, channel, 0)
    }
  },

  $rtcListen__deps: ['$rtcLinks', '$rtcAdopt', '$rtcPutText'],
  $rtcListen: function (link, pc) {
    function isMine () {
      var l = rtcLinks.get(link)
      return l && l.pc === pc
    }
    pc.onicecandidate = function (e) {
      if (!isMine()) return
      Module['_rtc_candidate'](link, e.candidate ? rtcPutText(JSON.stringify(e.candidate.toJSON())) : 0)
    }
    pc.onconnectionstatechange = function () {
      var state = { connected: 0, disconnected: 1, failed: 2 }[pc.connectionState]
      if (isMine() && state !== undefined) Module['_rtc_state'](link, state)
    }
    pc.ondatachannel = function (e) {
      if (!isMine()) return
      var dc = e.channel
      // The number is asked for and the callbacks are set in one task, or messages are lost.
      var channel = Module['_rtc_incoming'](link, rtcPutText(dc.label), rtcLinks.get(link).high)
      if (channel === 0) dc.close()
      else rtcAdopt(link, channel, dc)
      Module['_app_flush']()
    }
  },

  js_rtc_open__deps: ['$rtcLinks', '$rtcListen', '$rtcFail'],
  js_rtc_open: function (link, low, high) {
    var l = { pc: null, channels: new Map(), ready: null, low: low, high: high }
    rtcLinks.set(link, l)
    l.ready = Promise.resolve()
      .then(function () {
        var configuration = Module['rtcConfiguration']
        return typeof configuration === 'function' ? configuration() : configuration
      })
      .then(function (configuration) {
        if (rtcLinks.get(link) !== l) return
        l.pc = new RTCPeerConnection(configuration)
        rtcListen(link, l.pc)
      })
      .catch(function (err) { rtcFail(link, err) })
  },

  js_rtc_channel__deps: ['$rtcText', '$rtcStep', '$rtcAdopt'],
  js_rtc_channel: function (link, channel, label, len) {
    var name = rtcText(label, len)
    var l = rtcLinks.get(link)
    if (!l) return
    function make (pc) {
      var dc = pc.createDataChannel(name)
      rtcAdopt(link, channel, dc)
    }
    if (!l.pc) return rtcStep(link, make)
    try { make(l.pc) } catch (err) { rtcFail(link, err) }
  },

  js_rtc_offer__deps: ['$rtcStep', '$rtcLinks', '$rtcPutText'],
  js_rtc_offer: function (link, restart) {
    rtcStep(link, function (pc) {
      if (restart) pc.restartIce()
      return pc.createOffer().then(function (offer) {
        // Told before it is applied: candidates start with setLocalDescription.
        Module['_rtc_description'](link, rtcPutText(offer.sdp))
        return pc.setLocalDescription(offer)
      })
    })
  },

  js_rtc_remote__deps: ['$rtcStep', '$rtcText', '$rtcPutText'],
  js_rtc_remote: function (link, isAnswer, sdp, len) {
    var description = { type: isAnswer ? 'answer' : 'offer', sdp: rtcText(sdp, len) }
    rtcStep(link, function (pc) {
      return pc.setRemoteDescription(description).then(function () {
        if (isAnswer) return
        return pc.createAnswer().then(function (answer) {
          Module['_rtc_description'](link, rtcPutText(answer.sdp))
          return pc.setLocalDescription(answer)
        })
      })
    })
  },

  // A candidate that the browser does not like is no reason to give up.
  js_rtc_candidate__deps: ['$rtcStep', '$rtcText'],
  js_rtc_candidate: function (link, json, len) {
    var candidate = rtcText(json, len)
    rtcStep(link, function (pc) {
      return pc.addIceCandidate(JSON.parse(candidate)).catch(function () {})
    })
  },

  js_rtc_send__deps: ['$rtcLinks', '$rtcFail', '$rtcTellRoom'],
  js_rtc_send: function (link, channel, ptr, len) {
    var l = rtcLinks.get(link)
    var dc = l && l.channels.get(channel)
    if (!dc || dc.readyState !== 'open') return
    try {
      dc.send(HEAPU8.subarray(ptr, ptr + len))
    } catch (err) {
      return rtcFail(link, err)
    }
    dc.room -= len
    if (dc.room > l.high / 2 || dc.tells) return
    dc.tells = true
    queueMicrotask(function () {
      dc.tells = false
      if (rtcLinks.get(link) === l && l.channels.get(channel) === dc) rtcTellRoom(link, channel, dc)
    })
  },

  js_rtc_close_channel__deps: ['$rtcLinks'],
  js_rtc_close_channel: function (link, channel) {
    var l = rtcLinks.get(link)
    var dc = l && l.channels.get(channel)
    if (!dc) return
    l.channels.delete(channel)
    try { dc.close() } catch (err) {}
  },

  js_rtc_close__deps: ['$rtcLinks'],
  js_rtc_close: function (link) {
    var l = rtcLinks.get(link)
    if (!l) return
    rtcLinks.delete(link)
    try { if (l.pc) l.pc.close() } catch (err) {}
  }
})
