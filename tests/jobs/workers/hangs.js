// A worker that never gives the thread back.
for (;;);
