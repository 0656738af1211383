/**
 * What js-libp2p's router tells a metricsRegister of and can be seen from outside the core, under its names. The rest of its
 * metrics, which count what the core does within itself, are not registered.
 *
 * @param {any} pubsub
 * @param {Record<string, any>} options of gossipsub()
 * @param {Record<string, number>} thresholds
 * @returns {(topic: string, recipients: number, bytes: number, seconds: number) => void} to be told what was published
 */
export function tellMetrics (pubsub, { metricsRegister: register, metricsTopicStrToLabel: labels = new Map() }, { graylistThreshold: graylist, publishThreshold: publish, gossipThreshold: gossip }) {
  const gauge = (/** @type {string} */ name, /** @type {string} */ help, /** @type {string[]} */ ...labelNames) => register.gauge({ name: `gossipsub_${name}`, help, labelNames })
  const labelled = (/** @type {string} */ topic) => ({ topic: labels.get(topic) ?? topic })

  const protocols = gauge('protocol', 'Protocols of pubsub that are spoken', 'protocol')
  for (const protocol of pubsub.protocols) protocols.set({ protocol }, 1)

  const changes = {
    graft: gauge('mesh_peer_inclusion_events_unknown_total', 'Peers grafted, by them or by us', 'topic'),
    pruned: gauge('peer_churn_events_prune_total', 'Peers that pruned us', 'topic'),
    prune: gauge('peer_churn_events_unknown_total', 'Peers that we pruned', 'topic')
  }
  pubsub.addEventListener('gossipsub:graft', (/** @type {any} */ { detail: { topic } }) => changes.graft.inc(labelled(topic), 1))
  pubsub.addEventListener('gossipsub:prune', (/** @type {any} */ { detail: { topic, direction } }) => changes[direction === 'inbound' ? 'pruned' : 'prune'].inc(labelled(topic), 1))

  // Asked for by whoever reads the metrics.
  const subscriptions = gauge('topic_subscription_status', 'Whether we are subscribed', 'topicStr')
  const subscribers = gauge('topic_peer_count', 'Peers that are subscribed', 'topicStr')
  const meshes = gauge('mesh_peer_count', 'Peers in the mesh', 'topicStr')
  const sizes = gauge('cache_size', 'Sizes of what the router keeps', 'cache')
  const worthy = gauge('peers_by_score_threshold_count', 'Peers at or above a threshold', 'threshold')
  const scores = register.avgMinMax({ name: 'gossipsub_score', help: 'Scores of peers' })
  const scoresOfMesh = register.avgMinMax({ name: 'gossipsub_score_per_mesh', help: 'Scores of the peers in a mesh', labelNames: ['topic'] })
  const known = new Set()
  subscriptions.addCollect(() => {
    const topics = new Set(pubsub.getTopics())
    for (const topic of topics) known.add(topic)
    /** @type {Map<string, Set<string>>} */
    const meshed = new Map()
    for (const topicStr of known) {
      const [peers, label] = [pubsub.getMeshPeers(topicStr), labels.get(topicStr) ?? 'unknown']
      meshed.set(label, new Set([...meshed.get(label) ?? [], ...peers]))
      subscriptions.set({ topicStr }, Number(topics.has(topicStr)))
      subscribers.set({ topicStr }, pubsub.getSubscribers(topicStr).length)
      meshes.set({ topicStr }, peers.length)
    }
    for (const [topic, peers] of meshed) scoresOfMesh.set({ topic }, [...peers].map(pubsub.getScore, pubsub))
    const all = pubsub.getPeers().map(pubsub.getScore, pubsub)
    for (const [threshold, least] of Object.entries({ graylist, publish, gossip, mesh: 0 })) worthy.set({ threshold }, all.filter((/** @type {number} */ score) => score >= least).length)
    scores.set(all)
    for (const [cache, { size }] of Object.entries({ direct: pubsub.direct, peers: pubsub.peers, mesh: pubsub.mesh, subscriptions: topics })) sizes.set({ cache }, size)
  })

  const messages = gauge('msg_publish_count_total', 'Messages published', 'topic')
  const sent = gauge('msg_publish_peers_total', 'Peers that they were sent to', 'topic')
  const volume = gauge('msg_publish_bytes_total', 'Bytes of data sent so', 'topic')
  const times = register.histogram({ name: 'gossipsub_msg_publish_seconds', help: 'How long publish took', buckets: [0.001, 0.002, 0.005, 0.01, 0.1, 0.5, 1], labelNames: ['topic'] })
  return (topic, recipients, bytes, seconds) => {
    const label = labelled(topic)
    messages.inc(label, 1)
    sent.inc(label, recipients)
    volume.inc(label, recipients * bytes)
    times.observe(label, seconds)
  }
}
