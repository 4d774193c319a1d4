// A worker that takes all the memory there is.
const hoard = []
for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => ({ index })))
