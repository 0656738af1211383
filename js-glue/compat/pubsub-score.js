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
    /** @type {Map<string | undefined, Set<string>>} */
    const peersOf = new Map()
    for (const connection of nodeOf().getConnections()) {
      const host = hostOf(connection)
      peersOf.set(host, (peersOf.get(host) ?? new Set()).add(String(connection.remotePeer)))
    }
    return [...peersOf].reduce((sum, [host, peers]) => peers.has(id) && host !== undefined && !excused.has(host) ? sum + Math.max(peers.size - threshold, 0) ** 2 : sum, 0)
  }
  const scoreParams = {
    ...given.options.scoreParams,
    IPColocationFactorWeight: 0,
    appSpecificWeight: 1,
    appSpecificScore: (/** @type {string} */ id) => appSpecificWeight * appSpecificScore(id) + weight * shared(id)
  }
  return Object.freeze({ ...given, options: { ...given.options, scoreParams } })
}
