import { parentPort, workerData } from 'node:worker_threads'
import { givenTo } from '../../thread.ts'
import { look } from '../../upstreams/probe.ts'
import { createTransport } from '../../upstreams/transport/transport.ts'
import type { LookedAt, ToLookAt } from '../probes.ts'

// Looks, and decides nothing: it has the network and no database.

const { targets, network, patienceMs } = givenTo<ToLookAt>(workerData)
const transport = createTransport(network)
parentPort?.on('message', (message) => {
  if (message === 'cancel') parentPort?.postMessage('cancelled')
})
const answers: LookedAt['answers'] = await Promise.all(
  targets.map(async (target) => ({ key: target.key, answer: await look(transport, target, patienceMs) })),
)
parentPort?.postMessage({ answers } satisfies LookedAt)
