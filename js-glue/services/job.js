import * as k from '../../build/gen/service_numbers.js'
import { abortReason } from '../errors.js'

/** @typedef {import('./module.js').Module} Module */

/**
 * Moves bytes between a stream and its job until the job is done, then closes both.
 *
 * @param {Module} module
 * @param {number} job
 * @param {any} stream
 * @param {object} [options]
 * @param {AbortSignal} [options.signal]
 * @param {(event: number, told: import('./module.js').Told) => void | Promise<void>} [options.onEvent] of
 *   enum protocol_event_type
 * @param {() => void} [options.onProgress] bytes have moved
 */
export async function runJob (module, job, stream, { signal, onEvent, onProgress } = {}) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let isClosed = false
  const onAbort = () => stream.abort(abortReason(signal))
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort)

  const setAlarm = () => {
    clearTimeout(timer)
    const ms = module.ask('job_wait', job)
    if (ms >= 0) timer = setTimeout(ring, ms)
  }
  const ring = () => {
    try {
      module.run('job_tick', [job, performance.now()])
      setAlarm()
    } catch (/** @type {any} */ err) {
      stream.abort(err)
    }
  }

  /** Sends what is owed; whether that was all there will be. */
  const drain = async () => {
    for (;;) {
      const becomes = module.run('job_drain', [job])
      const { data } = module.told()
      if (data.length > 0 && !stream.send(data)) await stream.onDrain({ signal })
      onProgress?.()
      if (becomes === k.PROTOCOL_OPEN && data.length > 0) continue
      if (becomes === k.PROTOCOL_CLOSE_WRITE && !isClosed) {
        isClosed = true
        await stream.close({ signal })
      }
      setAlarm()
      return becomes === k.PROTOCOL_DONE
    }
  }

  /** @param {number} event */
  const tell = async (event) => { if (event > 0) await onEvent?.(event, module.told()) }

  try {
    let isDone = await drain()
    if (!isDone) {
      for await (const part of stream) {
        const bytes = part instanceof Uint8Array ? part : part.subarray()
        await tell(module.run('job_feed', [job, performance.now()], [bytes]))
        onProgress?.()
        isDone = await drain()
        if (isDone) break
      }
    }
    if (!isDone) {
      await tell(module.run('job_end', [job, performance.now()]))
      await drain()
    }
    await stream.close({ signal })
    await stream.closeRead?.()
  } catch (/** @type {any} */ err) {
    stream.abort(err)
    throw err
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    module.run('job_close', [job])
  }
}
