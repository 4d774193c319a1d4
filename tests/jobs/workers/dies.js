// A worker that is gone in the middle of its work.
process.exit(9)
