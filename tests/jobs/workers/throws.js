// A worker whose own code fails in the middle of its work.
setTimeout(() => {
  throw new Error('a mistake in a worker')
}, 10)
