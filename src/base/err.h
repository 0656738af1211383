/*
 * The one list of errors.
 *
 * Every function of the core that can fail returns int: 0 is fine, positive is a count or "there is
 * an event", negative is one of these. A row is: name, text for a person, and the class js-libp2p
 * users match with `err.name`. JavaScript asks for a row when it needs one (browser/exports.c).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_MAP(X)                                                                                 \
    X(NOMEM, "out of memory", "OutOfMemoryError")                                                  \
    X(TOO_BIG, "longer than the limit allows", "InvalidDataLengthError")                           \
    X(PROTOCOL, "the peer broke the protocol", "ProtocolError")                                    \
    X(CRYPTO, "decryption or signature check failed", "InvalidCryptoExchangeError")                \
    X(BAD_KEY, "not a usable public key", "InvalidPublicKeyError")                                 \
    X(BAD_PRIVATE_KEY, "not a usable private key", "InvalidPrivateKeyError")                       \
    X(BAD_PEER_ID, "not a Peer ID", "InvalidPeerIdError")                                          \
    X(BAD_MULTIADDR, "not a multiaddr", "InvalidMultiaddrError")                                   \
    X(BAD_ARGUMENT, "not a valid argument", "InvalidParametersError")                              \
    X(BAD_MESSAGE, "not a valid message", "InvalidMessageError")                                   \
    X(WRONG_PEER, "another peer answered", "UnexpectedPeerError")                                  \
    X(SELF_DIAL, "that is this node itself", "DialError")                                          \
    X(UNSUPPORTED, "the peer does not handle this protocol", "UnsupportedProtocolError")           \
    X(NO_ADDRESS, "no address that can be dialled from here", "NoValidAddressesError")             \
    X(DENIED, "the address may not be dialled from this page", "DialDeniedError")                  \
    X(DIAL, "no address of the peer could be reached", "DialError")                                \
    X(TRANSPORT, "the transport failed", "ConnectionFailedError")                                  \
    X(TIMEOUT, "took too long", "TimeoutError")                                                    \
    X(ABORTED, "given up by the caller", "AbortError")                                             \
    X(CLOSED, "already closed", "ConnectionClosedError")                                           \
    X(STREAM_STATE, "the stream is closed for this", "StreamStateError")                           \
    X(RESET, "the peer reset the stream", "StreamResetError")                                      \
    X(FULL, "a limit of this node is reached", "ResourceLimitError")                               \
    X(TOO_MANY_STREAMS, "too many streams for this protocol",                                      \
      "TooManyOutboundProtocolStreamsError")                                                       \
    X(LIMITED, "not on a limited connection", "LimitedConnectionError")                            \
    X(NOT_CONNECTED, "not connected to that peer", "NotFoundError")                                \
    X(NOT_FOUND, "no such thing here", "NotFoundError")                                            \
    X(DUPLICATE, "registered already", "DuplicateProtocolHandlerError")                            \
    X(NO_RESERVATION, "the peer holds no reservation on that relay", "ConnectionFailedError")      \
    X(RELAY_REFUSED, "the relay refused", "RelayRefusedError")                                     \
    X(NOT_STARTED, "the node is not started", "NotStartedError")                                   \
    X(NO_PEERS, "nobody is subscribed to the topic yet", "PublishError.NoPeersSubscribedToTopic")  \
    X(PUBLISHED, "the same message was published already", "PublishError.Duplicate")               \
    X(BAD_SIGNATURE, "the signature does not match", "InvalidSignatureError")                      \
    X(NAME, "no resolver answers (createLibp2p's dns names others)", "DNSQueryFailedError")        \
    X(OFFLINE, "the browser is offline", "ConnectionFailedError")

enum err {
    ERR_FIRST = -1000,
#define ERR_ENUM(name, text, js) ERR_##name,
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
        ERR_END
};

/* The enumerator's name without its prefix, "TIMEOUT"; "OK" for 0 and "UNKNOWN" for anything else. */
const char *err_name(int code);

/* One sentence fragment for a person, never null. */
const char *err_text(int code);

/* The js-libp2p error name, "TimeoutError"; "Error" for an unknown code. */
const char *err_js_name(int code);

#if defined(__GNUC__)
#define MUST_USE __attribute__((warn_unused_result))
#else
#define MUST_USE
#endif

#endif
