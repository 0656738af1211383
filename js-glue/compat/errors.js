/**
 * js-libp2p's error classes, for those who throw them and for `instanceof`. What the node throws is of other
 * classes with these names, made when first needed: belonging to one of these goes by name.
 */

/** @param {string} name @param {string} text what it says unless told @returns {{ new (message?: string): Error, prototype: Error }} */
function errorClass (name, text) {
  const Class = class extends Error {
    constructor (message = text) {
      super(message)
      this.name = name
    }

    /** @param {any} value */
    static [Symbol.hasInstance] (value) {
      const isBelow = Function.prototype[Symbol.hasInstance].call(this, value)
      return isBelow || (this === Class && value instanceof Error && value.name === name)
    }
  }
  Object.defineProperty(Class, 'name', { value: name })
  return Class
}

export const AbortError = errorClass('AbortError', 'The operation was aborted')
export const UnexpectedPeerError = errorClass('UnexpectedPeerError', 'Unexpected Peer')
export const InvalidCryptoExchangeError = errorClass('InvalidCryptoExchangeError', 'Invalid crypto exchange')
export const InvalidParametersError = errorClass('InvalidParametersError', 'Invalid parameters')
export const InvalidPublicKeyError = errorClass('InvalidPublicKeyError', 'Invalid public key')
export const InvalidPrivateKeyError = errorClass('InvalidPrivateKeyError', 'Invalid private key')
export const UnsupportedOperationError = errorClass('UnsupportedOperationError', 'Unsupported operation')
export const ConnectionClosingError = errorClass('ConnectionClosingError', 'The connection is closing')
export const ConnectionClosedError = errorClass('ConnectionClosedError', 'The connection is closed')
export const ConnectionFailedError = errorClass('ConnectionFailedError', 'Connection failed')
export const MuxerClosedError = errorClass('MuxerClosedError', 'The muxer is closed')
export const StreamResetError = errorClass('StreamResetError', 'The stream has been reset')
export const StreamAbortedError = errorClass('StreamAbortedError', 'The stream has been aborted')
export const StreamStateError = errorClass('StreamStateError', 'The stream is in an invalid state')
export const StreamBufferError = errorClass('StreamBufferError', 'The stream buffer was full')
export const NotFoundError = errorClass('NotFoundError', 'Not found')
export const InvalidPeerIdError = errorClass('InvalidPeerIdError', 'Invalid PeerID')
export const InvalidMultiaddrError = errorClass('InvalidMultiaddrError', 'Invalid multiaddr')
export const InvalidCIDError = errorClass('InvalidCIDError', 'Invalid CID')
export const InvalidMultihashError = errorClass('InvalidMultihashError', 'Invalid Multihash')
export const UnsupportedProtocolError = errorClass('UnsupportedProtocolError', 'Unsupported protocol error')
export const InvalidMessageError = errorClass('InvalidMessageError', 'Invalid message')
export const ProtocolError = errorClass('ProtocolError', 'Protocol error')
export const TimeoutError = errorClass('TimeoutError', 'Timed out')
export const NotStartedError = errorClass('NotStartedError', 'Not started')
export const AlreadyStartedError = errorClass('AlreadyStartedError', 'Already started')
export const DialError = errorClass('DialError', 'Dial error')
export const ListenError = errorClass('ListenError', 'Listen error')
export const LimitedConnectionError = errorClass('LimitedConnectionError', 'Limited connection')
export const TooManyInboundProtocolStreamsError = errorClass('TooManyInboundProtocolStreamsError', 'Too many inbound protocol streams')
export const TooManyOutboundProtocolStreamsError = errorClass('TooManyOutboundProtocolStreamsError', 'Too many outbound protocol streams')
export const UnsupportedKeyTypeError = errorClass('UnsupportedKeyTypeError', 'Unsupported key type')
export const NotImplementedError = errorClass('NotImplementedError', 'Not implemented')
