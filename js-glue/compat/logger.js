import * as debug from '../index.js'

/**
 * @libp2p/logger: what is logged goes to the console where `enable` has switched its name on.
 *
 * @typedef {((formatter: any, ...args: any[]) => void) & { error: (...args: any[]) => void, trace: (...args: any[]) => void,
 *   enabled: boolean, newScope: (name: string) => Logger }} Logger
 * @typedef {{ forComponent: (name: string) => Logger }} ComponentLogger
 */

/** @param {string} name @returns {Logger} */
export const logger = (name) => debug.logger(name)

/** @param {string} prefix @returns {ComponentLogger} */
export const prefixLogger = (prefix) => ({ forComponent: (name) => logger(`${prefix}:${name}`) })

/** The end of a Peer ID in front of each name. @param {{ toString: () => string }} peerId @param {{ prefixLength?: number, suffixLength?: number }} [options] */
export const peerLogger = (peerId, { prefixLength = 2, suffixLength = 4 } = {}) => {
  const text = String(peerId)
  return prefixLogger(`${text.slice(0, prefixLength)}…${text.slice(-suffixLength)}`)
}

/** @returns {ComponentLogger} */
export const defaultLogger = () => ({ forComponent: logger })

/** @param {string} name */
export const enabled = (name) => logger(name).enabled
