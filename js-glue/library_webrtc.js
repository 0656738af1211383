// Imports of src/browser: RTCPeerConnection and its data channels. Each function performs one order;
// each callback first checks that its link or channel is still known, then calls one export. What fails
// is told later, as the input that a close by the peer would be.
mergeInto(LibraryManager.library, {
  // From a link's number to { pc, low, high, steps, channels }; from a channel's number to { dc, room }.
  $rtcLinks: 'new Map()',

  $rtcChannel__deps: ['$rtcLinks'],
  $rtcChannel: function (link, channel) {
    var l = rtcLinks.get(link)
    return l && l.channels.get(channel)
  },

  $rtcFail__deps: ['$rtcLinks', '$enter', '$textToInbox'],
  $rtcFail: function (link, why) {
    var l = rtcLinks.get(link)
    if (!l) return
    rtcLinks.delete(link)
    if (l.pc) l.pc.close()
    enter(() => { _rtc_closed(link, 0, textToInbox(String(why && why.message || why))) })
  },

  // The steps of one link are taken one after the other, each when the one before is done.
  $rtcStep__deps: ['$rtcLinks', '$rtcFail'],
  $rtcStep: function (link, step) {
    var l = rtcLinks.get(link)
    if (!l) return
    l.steps = l.steps
      .then(() => { if (rtcLinks.get(link) === l) return step(l) })
      .catch((err) => { if (rtcLinks.get(link) === l) rtcFail(link, err) })
  },

  $rtcLose__deps: ['$rtcLinks', '$rtcChannel', '$enter'],
  $rtcLose: function (link, channel, c) {
    if (rtcChannel(link, channel) !== c) return
    rtcLinks.get(link).channels.delete(channel)
    c.dc.close()
    enter(() => { _rtc_closed(link, channel, 0) })
  },

  $rtcRoom__deps: ['$rtcLinks', '$rtcChannel', '$enter'],
  $rtcRoom: function (link, channel, c) {
    if (rtcChannel(link, channel) !== c) return
    c.room = Math.max(0, rtcLinks.get(link).high - c.dc.bufferedAmount)
    enter(() => { _rtc_room(link, channel, c.room) })
  },

  // Must run in the task in which the channel came up, or its first messages are lost.
  $rtcAdopt__deps: ['$rtcChannel', '$rtcLose', '$rtcRoom', '$enter', '$toInbox'],
  $rtcAdopt: function (link, channel, dc, l, theirId) {
    var c = { dc: dc, room: l.high }
    l.channels.set(channel, c)
    dc.binaryType = 'arraybuffer'
    dc.bufferedAmountLowThreshold = l.low
    dc.onopen = () => {
      if (rtcChannel(link, channel) === c) enter(() => { _rtc_opened(link, channel, c.room) })
    }
    dc.onmessage = (e) => {
      if (rtcChannel(link, channel) !== c) return
      var len = typeof e.data === 'string' ? -1 : enter(() => toInbox(new Uint8Array(e.data)))
      if (len >= 0) enter(() => { _rtc_message(link, channel, len) })
      else rtcLose(link, channel, c)
    }
    dc.onended = (end) => {
      if (rtcChannel(link, channel) === c) enter(() => { _rtc_ended(link, channel, end) })
    }
    dc.onbufferedamountlow = () => { rtcRoom(link, channel, c) }
    // Firefox says nothing of a close that comes right behind the channel, and does not answer it: then
    // the end of another channel of that number is the answer, without which the peer would wait for ever.
    dc.onclosing = () => { theirId = -1 }
    dc.onclose = () => {
      if (theirId >= 0 && rtcChannel(link, channel) === c) {
        try {
          l.pc.createDataChannel('', { negotiated: true, id: theirId }).close()
        } catch (err) {} // the connection is down
      }
      rtcLose(link, channel, c)
    }
  },

  $rtcListen__deps: ['$rtcLinks', '$rtcAdopt', '$rtcFail', '$enter', '$textToInbox'],
  $rtcListen: function (link, l) {
    var pc = l.pc
    function isMine () { return rtcLinks.get(link) === l }
    function closed () { rtcFail(link, 'the peer closed the connection') }
    var refusal, isReachable
    pc.onicecandidate = (e) => {
      var json = e.candidate ? JSON.stringify(e.candidate) : ''
      isReachable = isReachable || json
      if (isMine()) enter(() => { _rtc_candidate(link, textToInbox(json)) })
      if (!isReachable && refusal) rtcFail(link, refusal)
    }
    pc.onicecandidateerror = (e) => {
      if (/^turn/.test(e.url)) refusal = 'the TURN server ' + e.url + ' is of no use: ' + e.errorCode + ' ' + e.errorText
    }
    pc.onconnectionstatechange = () => {
      var state = { connected: 0, disconnected: 1, failed: 2 }[pc.connectionState]
      if (!isMine()) return
      // Who closes tells SCTP: without that it would take ICE seconds to notice.
      if (state === 0 && pc.sctp) pc.sctp.onstatechange = () => { if (pc.sctp.state === 'closed') closed() }
      if (pc.connectionState === 'closed') closed()
      else if (state === 2 && refusal) rtcFail(link, refusal)
      else if (state !== undefined) enter(() => { _rtc_state(link, state) })
    }
    pc.ondatachannel = (e) => {
      if (!isMine()) return
      var channel = enter(() => _rtc_incoming(link, textToInbox(e.channel.label), l.high))
      if (channel) rtcAdopt(link, channel, e.channel, l, e.channel.id)
      else e.channel.close()
      enter(_app_flush)
    }
  },

  js_rtc_open__deps: ['$rtcLinks', '$rtcStep', '$rtcListen'],
  js_rtc_open: function (link, low, high) {
    var l = { pc: null, low: low, high: high, steps: Promise.resolve(), channels: new Map() }
    var configuration = Module.rtcConfiguration
    rtcLinks.set(link, l)
    rtcStep(link, () => {
      return Promise.resolve(typeof configuration === 'function' ? configuration() : configuration)
        .then((found) => {
          if (rtcLinks.get(link) !== l) return
          if (typeof RTCPeerConnection === 'undefined') throw Error('no WebRTC here: the browser has none, or a setting or an extension forbids it')
          l.pc = new RTCPeerConnection(found)
          rtcListen(link, l)
        })
    })
  },

  js_rtc_channel__deps: ['$rtcStep', '$rtcAdopt', '$textAt'],
  js_rtc_channel: function (link, channel, label, len, isAgreed) {
    var name = textAt(label, len)
    var options = isAgreed ? { negotiated: true, id: 0 } : {}
    rtcStep(link, (l) => { rtcAdopt(link, channel, l.pc.createDataChannel(name, options), l) })
  },

  // Candidates appear once the description is set, which is why it is told before.
  $rtcDescribe__deps: ['$enter', '$textToInbox'],
  $rtcDescribe: function (link, l, description) {
    enter(() => { _rtc_description(link, textToInbox(description.sdp)) })
    return l.pc.setLocalDescription(description)
  },

  // What is left of a name that we want is seen only afterwards: browsers stop to take one.
  $rtcDescribeAs__deps: ['$enter', '$textToInbox'],
  $rtcDescribeAs: function (link, l, offer, ufrag) {
    var ours = offer.sdp.replace(/^(a=ice-(?:ufrag|pwd):).*$/mg, '$1' + ufrag)
    return l.pc.setLocalDescription({ type: 'offer', sdp: ours })
      .catch(() => l.pc.setLocalDescription(offer))
      .then(() => { enter(() => { _rtc_description(link, textToInbox(l.pc.localDescription.sdp)) }) })
  },

  js_rtc_offer__deps: ['$rtcStep', '$rtcDescribe', '$rtcDescribeAs', '$textAt'],
  js_rtc_offer: function (link, ptr, len) {
    var ufrag = textAt(ptr, len)
    rtcStep(link, (l) => {
      return l.pc.createOffer().then((offer) => {
        return ufrag ? rtcDescribeAs(link, l, offer, ufrag) : rtcDescribe(link, l, offer)
      })
    })
  },

  js_rtc_remote__deps: ['$rtcStep', '$rtcDescribe', '$textAt'],
  js_rtc_remote: function (link, isAnswer, sdp, len) {
    var description = { type: isAnswer ? 'answer' : 'offer', sdp: textAt(sdp, len) }
    rtcStep(link, (l) => {
      return l.pc.setRemoteDescription(description)
        .then(() => isAnswer ? null : l.pc.createAnswer())
        .then((answer) => answer && rtcDescribe(link, l, answer))
    })
  },

  // One that the browser does not take is no reason to give up.
  js_rtc_candidate__deps: ['$rtcStep', '$textAt'],
  js_rtc_candidate: function (link, json, len) {
    var text = textAt(json, len)
    rtcStep(link, (l) => {
      return Promise.resolve().then(() => l.pc.addIceCandidate(JSON.parse(text))).catch(() => {})
    })
  },

  js_rtc_send__deps: ['$rtcLinks', '$rtcChannel', '$rtcLose', '$rtcRoom'],
  js_rtc_send: function (link, channel, ptr, len) {
    var c = rtcChannel(link, channel)
    if (!c) return
    try {
      c.dc.send(HEAPU8.subarray(ptr, ptr + len))
    } catch (err) {
      queueMicrotask(() => { rtcLose(link, channel, c) })
      return
    }
    // bufferedamountlow comes only where more than that was buffered: otherwise room is told here.
    c.room -= len
    var l = rtcLinks.get(link)
    if (c.room < l.high / 2 && c.dc.bufferedAmount <= l.low) {
      c.room = l.high
      queueMicrotask(() => { rtcRoom(link, channel, c) })
    }
  },

  js_rtc_close_channel__deps: ['$rtcLinks', '$rtcChannel'],
  js_rtc_close_channel: function (link, channel) {
    var c = rtcChannel(link, channel)
    if (!c) return
    rtcLinks.get(link).channels.delete(channel)
    c.dc.close()
  },

  js_rtc_close__deps: ['$rtcLinks'],
  js_rtc_close: function (link) {
    var l = rtcLinks.get(link)
    if (rtcLinks.delete(link) && l.pc) l.pc.close()
  }
})
