import { parentPort } from 'node:worker_threads'

// A chore needs the database, which is the main thread's: it is rung for, and waits there until it is done.

parentPort?.on('message', (message) => {
  if (message === 'cancel') parentPort?.postMessage('cancelled')
})
parentPort?.postMessage('due')
