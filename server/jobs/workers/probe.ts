import { parentPort, workerData } from 'node:worker_threads'
import { givenTo } from '../../thread.ts'
import { look } from '../../upstreams/probe.ts'
import { createTransport } from '../../upstreams/transport/transport.ts'
import type { ProbeResults, ProbeWork } from '../probes.ts'

// Looks, and decides nothing: it has the network and no database.

const { targets, network, patienceMs } = givenTo<ProbeWork>(workerData)
const transport = createTransport(network)
parentPort?.on('message', (message) => {
  if (message === 'cancel') parentPort?.postMessage('cancelled')
})
const answers: ProbeResults['answers'] = await Promise.all(
  targets.map(async (target) => ({ key: target.key, answer: await look(transport, target, patienceMs) })),
)
parentPort?.postMessage({ answers } satisfies ProbeResults)
