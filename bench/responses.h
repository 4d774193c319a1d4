/* The upstream's responses: Anthropic messages whose usage differs from one to the next. MIT, see ../LICENSE. */
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
  /* The end of each write. */
  size_t ends[EVENTS];
  int steps;
  struct usage usage;
};

/* Call once, before the first stream. */
void prepare_deltas(void);
/* Ids and token counts depend on the number. */
void render_json(struct response *to, unsigned number);
/* Each event is an HTTP chunk; one_write: all of them in one write, else one write for each. */
void render_stream(struct response *to, unsigned number, int one_write);
/* Any text as a JSON response, for the bench's own requests. */
void render_text(struct response *to, const char *json);

#endif
