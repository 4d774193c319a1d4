import { parentPort } from 'node:worker_threads'

parentPort.on('message', (message) => {
  if (message === 'cancel') parentPort.postMessage('cancelled')
})
parentPort.postMessage('due')
