/* The wire form of the upstream's responses (protocol: the order of events and usage fields of Anthropic Messages). MIT, see ../LICENSE. */
#include "responses.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELTAS = EVENTS - 5 };

static char deltas[RESPONSE_MAX];
static size_t delta_ends[DELTAS];
static size_t deltas_len, deltas_payload;

static void outgrown(void) {
  fprintf(stderr, "bench: a response outgrew its buffer\n");
  exit(2);
}

/* Appends formatted text. Text that does not fit is an error and is never cut. */
__attribute__((format(printf, 4, 5))) static size_t put(char *to, size_t at, size_t max, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(to + at, max - at, format, arguments);
  va_end(arguments);
  if (length < 0 || at + (size_t)length >= max) outgrown();
  return at + (size_t)length;
}

/* One SSE event as one HTTP chunk; adds the event's own length to *payload. */
static size_t put_event(char *to, size_t at, size_t *payload, const char *name, const char *data) {
  size_t length = strlen(name) + strlen(data) + sizeof "event: \ndata: \n\n" - 1;
  *payload += length;
  return put(to, at, RESPONSE_MAX, "%zx\r\nevent: %s\ndata: %s\n\n\r\n", length, name, data);
}

/* The text deltas are the same in every response, so they are framed once. */
void prepare_deltas(void) {
  static const char *words[] = {"Reading", " the", " failing test", " first, then", " the function it",
                                " covers.", "\\n\\n", " A `\\\"quoted\\\"` name", " and 数字", " follow"};
  for (int i = 0; i < DELTAS; i++) {
    char data[256];
    snprintf(data, sizeof data,
             "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}",
             words[i % 10]);
    deltas_len = put_event(deltas, deltas_len, &deltas_payload, "content_block_delta", data);
    delta_ends[i] = deltas_len;
  }
}

static size_t put_head(char *to, const char *type, unsigned number) {
  return put(to, 0, RESPONSE_MAX,
             "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 06:00:00 GMT\r\nContent-Type: %s\r\nConnection: keep-alive\r\n"
             "Cache-Control: no-cache\r\nrequest-id: req_bench_%010u\r\n"
             "anthropic-organization-id: 00000000-0000-4000-8000-000000000000\r\n"
             "anthropic-ratelimit-requests-limit: 4000\r\nanthropic-ratelimit-requests-remaining: 3999\r\n"
             "Server: bench\r\n",
             type, number);
}

/* Counts differ from response to response, each with a period of its own, so that wrong sums show. */
static struct usage usage_of(unsigned n) {
  return (struct usage){1200 + n % 7, 197 + n % 11, 60 + n % 3, 40 + n % 2, 800 + n % 5};
}

static const char *usage_text(const struct usage *u, unsigned output) {
  static char text[512];
  snprintf(text, sizeof text,
           "{\"input_tokens\":%u,\"cache_creation_input_tokens\":%u,\"cache_read_input_tokens\":%u,"
           "\"cache_creation\":{\"ephemeral_5m_input_tokens\":%u,\"ephemeral_1h_input_tokens\":%u},"
           "\"output_tokens\":%u,\"service_tier\":\"standard\"}",
           u->input, u->write5m + u->write1h, u->read, u->write5m, u->write1h, output);
  return text;
}

static void as_one_write(struct response *to) {
  to->ends[0] = to->length;
  to->steps = 1;
}

void render_json(struct response *to, unsigned number) {
  static char body[4096], text[601];
  memset(text, 'x', sizeof text - 1);
  to->usage = usage_of(number);
  to->payload = put(body, 0, sizeof body,
                    "{\"id\":\"msg_bench_%010u\",\"type\":\"message\",\"role\":\"assistant\","
                    "\"model\":\"claude-sonnet-4-5\",\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],"
                    "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":%s}",
                    number, text, usage_text(&to->usage, to->usage.output));
  size_t at = put_head(to->bytes, "application/json", number);
  to->length = put(to->bytes, at, RESPONSE_MAX, "Content-Length: %zu\r\n\r\n%s", to->payload, body);
  as_one_write(to);
}

void render_stream(struct response *to, unsigned number, int one_write) {
  char data[1024];
  char *bytes = to->bytes;
  to->usage = usage_of(number);
  to->payload = deltas_payload;
  size_t at = put_head(bytes, "text/event-stream; charset=utf-8", number);
  at = put(bytes, at, RESPONSE_MAX, "Transfer-Encoding: chunked\r\n\r\n");
  snprintf(data, sizeof data,
           "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench_%010u\",\"type\":\"message\","
           "\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"stop_reason\":null,"
           "\"stop_sequence\":null,\"usage\":%s}}",
           number, usage_text(&to->usage, 1));
  to->ends[0] = at = put_event(bytes, at, &to->payload, "message_start", data);
  to->ends[1] = at = put_event(bytes, at, &to->payload, "content_block_start",
                               "{\"type\":\"content_block_start\",\"index\":0,"
                               "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}");
  if (at + deltas_len >= RESPONSE_MAX) outgrown();
  memcpy(bytes + at, deltas, deltas_len);
  for (int i = 0; i < DELTAS; i++) to->ends[2 + i] = at + delta_ends[i];
  at += deltas_len;
  to->ends[EVENTS - 3] = at = put_event(bytes, at, &to->payload, "content_block_stop",
                                        "{\"type\":\"content_block_stop\",\"index\":0}");
  snprintf(data, sizeof data,
           "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
           "\"usage\":{\"output_tokens\":%u}}",
           to->usage.output);
  to->ends[EVENTS - 2] = at = put_event(bytes, at, &to->payload, "message_delta", data);
  at = put_event(bytes, at, &to->payload, "message_stop", "{\"type\":\"message_stop\"}");
  /* The last chunk is sent with the last event. */
  to->ends[EVENTS - 1] = to->length = put(bytes, at, RESPONSE_MAX, "0\r\n\r\n");
  to->steps = EVENTS;
  if (one_write) as_one_write(to);
}

void render_text(struct response *to, const char *json) {
  to->length = put(to->bytes, 0, RESPONSE_MAX,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(json), json);
  to->payload = 0;
  as_one_write(to);
}
