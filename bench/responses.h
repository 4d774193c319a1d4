/* What the upstream says: Anthropic responses rendered with usage that differs from one to the next. MIT, see ../LICENSE. */
#ifndef BENCH_RESPONSES_H
#define BENCH_RESPONSES_H

#include <stddef.h>

enum { RESPONSE_MAX = 65536, EVENTS = 200 };

struct usage {
  unsigned input, output, write5m, write1h, read;
};

struct response {
  char bytes[RESPONSE_MAX];
  /* Length with HTTP's framing, and without. */
  size_t length, payload;
  /* Where each write ends: one for each step. */
  size_t ends[EVENTS];
  int steps;
  struct usage usage;
};

/* Once, before the first stream. */
void prepare_deltas(void);
/* The number makes ids and token counts differ. */
void render_json(struct response *to, unsigned number);
/* Each event is an HTTP chunk; one_write: all of them in one write, else one write for each. */
void render_stream(struct response *to, unsigned number, int one_write);
/* Any text as a JSON response: for the bench's own questions. */
void render_text(struct response *to, const char *json);

#endif
