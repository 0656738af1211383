/** The address or name that a connection goes to: of a relayed one the relay's. @param {any} connection @returns {string | undefined} */
const hostOf = ({ remoteAddr }) => /^\/[^/]+\/([^/]+)/.exec(String(remoteAddr))?.[1]

/**
 * P6 with hosts that are not counted, which the core has no list of: there P6 weighs nothing then, and what it takes from a
 * peer is in what the application thinks of it, P5.
 *
 * @param {any} given what gossipsub() made
 * @param {() => any} nodeOf
 */
export function excuseHosts (given, nodeOf) {
  const { IPColocationFactorWhitelist: excused, IPColocationFactorWeight: weight = 0, IPColocationFactorThreshold: threshold = 10, appSpecificScore = () => 0, appSpecificWeight = 10 } = given?.asked?.scoreParams ?? {}
  if (weight === 0 || !(excused?.size > 0)) return given
  const shared = (/** @type {string} */ id) => {
    const connections = nodeOf().getConnections()
    const isOf = (/** @type {any} */ { remotePeer }) => String(remotePeer) === id
    const hosts = new Set(connections.filter(isOf).map(hostOf).filter((/** @type {any} */ host) => host !== undefined && !excused.has(host)))
    return [...hosts].reduce((sum, host) => {
      const peers = new Set(connections.filter((/** @type {any} */ one) => hostOf(one) === host).map((/** @type {any} */ { remotePeer }) => String(remotePeer)))
      return sum + Math.max(peers.size - threshold, 0) ** 2
    }, 0)
  }
  const scoreParams = {
    ...given.options.scoreParams,
    IPColocationFactorWeight: 0,
    appSpecificWeight: 1,
    appSpecificScore: (/** @type {string} */ id) => appSpecificWeight * appSpecificScore(id) + weight * shared(id)
  }
  return Object.freeze({ ...given, options: { ...given.options, scoreParams } })
}
