export const PUBSUB_PEER_DISCOVERY = 'browser-peer-discovery'

// The tutorial has the address in its source; here every run has a relay of its own.
export const RELAY = new URLSearchParams(location.search).get('relay')
