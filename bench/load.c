/* Over 300 lines: one small program is easier to follow than two that share a parser.
 *
 * The load generator: one thread, epoll, HTTP/1.1 keep-alive. Each connection sends again as soon as its response is complete.
 * It checks every response (status, framing, message_stop in a stream) and measures a window: responses finished and events received
 * in it, the time from a request to the first byte of its response, and the CPU time that the contender's process spent meanwhile
 * (utime + stime of all threads, /proc/PID/stat). MIT, see ../LICENSE.
 *
 *   load PORT PID HEAD_FILE BODY_FILE CONNECTIONS WARM_MS WARM_RESPONSES WINDOW_MS
 *
 * Warm-up lasts WARM_MS and, on a busy machine, up to WARM_MAX_MS more until there were WARM_RESPONSES: compilers count calls, not time.
 * PID 0: nobody to measure. HEAD_FILE: request line and headers, each line with CRLF, without the empty line at the end;
 * content-length and a session id for each connection are added here. Prints one line of JSON; exit code 0 also when responses were wrong.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "socket.h"

enum { CONNS_MAX = 1024, HEAD_MAX = 16384, LINE_MAX_ = 256, TAIL = 64, SCRATCH = 262144, ERRORS_MAX = 20, STALL_US = 10000000, WARM_MAX_MS = 6000 };
enum { TIMES_MAX = 1 << 20 };
enum state { IN_HEAD, IN_LENGTH, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER };

struct conn {
  int fd;
  char *request;
  size_t request_len, sent;
  int busy;
  enum state state;
  char head[HEAD_MAX];
  size_t head_len;
  char line[LINE_MAX_];
  size_t line_len;
  uint64_t left;
  int status, is_stream, closes;
  /* True when the last byte of payload was a line feed: another one ends an event. */
  int after_newline;
  uint64_t asked_us;
  char tail[TAIL];
  size_t tail_len;
  uint64_t payload;
};

static struct conn *conns;
static int conns_len, epoll_fd, port, draining, open_requests;
static char *body;
static size_t body_len;
static uint64_t finished, events, payload_bytes, reconnects, errors, last_progress_us;
static char first_error[512];
/* Microseconds from a request to the first byte of its response; only while `is_timing`. */
static uint32_t *first_byte_us;
static size_t times_len;
static int is_timing;

static void send_next(struct conn *c);

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) die(path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *bytes = malloc((size_t)size + 1);
  if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) die(path);
  bytes[size] = 0;
  fclose(file);
  *length = (size_t)size;
  return bytes;
}

/* CPU time of a process so far, microseconds, to the clock tick (10 ms). */
static uint64_t cpu_us(int pid) {
  char path[64], text[1024];
  unsigned long user, kernel;
  if (pid == 0) return 0;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) die(path);
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  /* The name in parentheses may contain anything: fields are counted from the last one. */
  char *rest = strrchr(text, ')');
  if (rest == NULL || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2) die(path);
  return (uint64_t)(user + kernel) * (1000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void connect_again(struct conn *c) {
  struct sockaddr_in address = loopback(port);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect to the contender");
  make_prompt(c->fd);
  struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &interest) < 0) die("epoll_ctl");
}

static void start_over(struct conn *c) {
  close(c->fd);
  reconnects++;
  if (c->busy) open_requests--;
  c->busy = 0;
  connect_again(c);
  send_next(c);
}

/* Counts the fault and reconnects. Returns 0, which a parser can return in turn. */
static int fail(struct conn *c, const char *what) {
  if (errors++ == 0) {
    snprintf(first_error, sizeof first_error, "%s (status %d, after %llu bytes: %.*s)", what, c->status,
             (unsigned long long)c->payload, (int)c->tail_len, c->tail);
    for (char *at = first_error; *at; at++) {
      if (*at == '"' || *at == '\\' || !isprint((unsigned char)*at)) *at = ' ';
    }
  }
  if (errors >= ERRORS_MAX) draining = 1;
  start_over(c);
  return 0;
}

static void send_request(struct conn *c) {
  while (c->busy && c->sent < c->request_len + body_len) {
    struct iovec parts[2];
    size_t of_body = c->sent > c->request_len ? c->sent - c->request_len : 0;
    size_t of_head = c->sent < c->request_len ? c->sent : c->request_len;
    parts[0] = (struct iovec){c->request + of_head, c->request_len - of_head};
    parts[1] = (struct iovec){body + of_body, body_len - of_body};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    if (n < 0) return; /* EAGAIN: EPOLLOUT comes; anything else: reading tells, with what the contender still said. */
    c->sent += (size_t)n;
  }
}

static void send_next(struct conn *c) {
  c->sent = c->head_len = c->line_len = c->tail_len = 0;
  c->payload = 0;
  c->status = c->is_stream = c->closes = c->after_newline = 0;
  c->state = IN_HEAD;
  if (draining) return;
  c->asked_us = now_us();
  c->busy = 1;
  open_requests++;
  send_request(c);
}

/* Called when a response is complete. Returns 0 after a reconnect. */
static int finish(struct conn *c) {
  if (c->status != 200) return fail(c, "not 200");
  if (c->is_stream && memmem(c->tail, c->tail_len, "\"message_stop\"", 14) == NULL) return fail(c, "a stream without message_stop");
  if (!c->is_stream && (c->tail_len == 0 || c->tail[c->tail_len - 1] != '}')) return fail(c, "JSON without an end");
  if (c->sent < c->request_len + body_len) return fail(c, "answered before the request was sent");
  finished++;
  payload_bytes += c->payload;
  c->busy = 0;
  open_requests--;
  if (c->closes) {
    start_over(c);
    return 0;
  }
  send_next(c);
  return 1;
}

static void count_events(struct conn *c, const char *bytes, size_t length) {
  const char *end = bytes + length;
  if (c->after_newline && length > 0 && *bytes == '\n') events++;
  for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at < end;) {
    if (*at == '\n') events++;
  }
  c->after_newline = length > 0 && end[-1] == '\n';
}

static void take_payload(struct conn *c, const char *bytes, size_t length) {
  c->payload += length;
  if (c->is_stream) count_events(c, bytes, length);
  if (length >= TAIL) {
    memcpy(c->tail, bytes + length - TAIL, TAIL);
    c->tail_len = TAIL;
    return;
  }
  size_t keep = c->tail_len + length > TAIL ? TAIL - length : c->tail_len;
  memmove(c->tail, c->tail + c->tail_len - keep, keep);
  memcpy(c->tail + keep, bytes, length);
  c->tail_len = keep + length;
}

static const char *header(const char *head, const char *name) {
  const char *at = strcasestr(head, name);
  return at == NULL ? NULL : at + strlen(name);
}

static int head_is_whole(struct conn *c) {
  const char *length = header(c->head, "\r\ncontent-length: ");
  const char *encoding = header(c->head, "\r\ntransfer-encoding: ");
  const char *connection = header(c->head, "\r\nconnection: ");
  const char *type = header(c->head, "\r\ncontent-type: ");
  if (strncmp(c->head, "HTTP/1.1 ", 9) != 0) return fail(c, "not HTTP/1.1");
  c->status = atoi(c->head + 9);
  c->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
  c->is_stream = type != NULL && strncasecmp(type, "text/event-stream", 17) == 0;
  if (encoding != NULL && strncasecmp(encoding, "chunked", 7) == 0) {
    c->state = IN_CHUNK_SIZE;
  } else if (length != NULL) {
    c->state = IN_LENGTH;
    c->left = strtoull(length, NULL, 10);
    if (c->left == 0) return finish(c);
  } else {
    return fail(c, "a response without a length");
  }
  return 1;
}

/* Collects a line of the chunked framing. Returns 1 when it is complete, 0 when more is needed, -1 when it is too long. */
static int take_line(struct conn *c, char byte) {
  if (c->line_len >= LINE_MAX_ - 1) return -1;
  c->line[c->line_len++] = byte;
  if (c->line_len < 2 || byte != '\n' || c->line[c->line_len - 2] != '\r') return 0;
  c->line[c->line_len - 2] = 0;
  c->line_len = 0;
  return 1;
}

/* Returns 0 after a reconnect. */
static int framing_line(struct conn *c) {
  if (c->state == IN_TRAILER) return c->line[0] == 0 ? finish(c) : 1;
  if (c->state == IN_CHUNK_END) {
    if (c->line[0] != 0) return fail(c, "a chunk longer than it said");
    c->state = IN_CHUNK_SIZE;
    return 1;
  }
  char *end;
  c->left = strtoull(c->line, &end, 16);
  if (end == c->line || (*end != 0 && *end != ';')) return fail(c, "a broken chunk size");
  c->state = c->left == 0 ? IN_TRAILER : IN_CHUNK;
  return 1;
}

/* Parses received bytes. Returns 0 after a reconnect. */
static int take(struct conn *c, const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (!c->busy) return fail(c, "bytes that nobody asked for");
    if (c->state == IN_HEAD) {
      if (c->head_len >= HEAD_MAX - 1) return fail(c, "a head too long");
      c->head[c->head_len++] = bytes[at++];
      if (c->head_len < 4 || memcmp(c->head + c->head_len - 4, "\r\n\r\n", 4) != 0) continue;
      c->head[c->head_len] = 0;
      if (!head_is_whole(c)) return 0;
    } else if (c->state == IN_LENGTH || c->state == IN_CHUNK) {
      size_t part = length - at < c->left ? length - at : (size_t)c->left;
      take_payload(c, bytes + at, part);
      at += part;
      c->left -= part;
      if (c->left > 0) continue;
      if (c->state == IN_CHUNK) c->state = IN_CHUNK_END;
      else if (!finish(c)) return 0;
    } else {
      int whole = take_line(c, bytes[at++]);
      if (whole < 0) return fail(c, "a framing line too long");
      if (whole > 0 && !framing_line(c)) return 0;
    }
  }
  return 1;
}

static void receive(struct conn *c) {
  static char scratch[SCRATCH];
  for (;;) {
    ssize_t n = recv(c->fd, scratch, sizeof scratch, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      /* A server may close an idle connection, but not before it has responded. */
      if (c->busy) fail(c, n == 0 ? "closed before the response was whole" : strerror(errno));
      else if (!draining) start_over(c);
      else epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
      return;
    }
    last_progress_us = now_us();
    if (c->busy && c->state == IN_HEAD && c->head_len == 0 && is_timing && times_len < TIMES_MAX) {
      first_byte_us[times_len++] = (uint32_t)(last_progress_us - c->asked_us);
    }
    if (!take(c, scratch, (size_t)n)) return;
  }
}

static void open_connections(const char *head, size_t head_len) {
  conns = calloc((size_t)conns_len, sizeof *conns);
  if (conns == NULL) die("memory");
  for (int i = 0; i < conns_len; i++) {
    struct conn *c = &conns[i];
    size_t room = head_len + 256;
    c->request = malloc(room);
    if (c->request == NULL) die("memory");
    c->request_len = (size_t)snprintf(c->request, room,
                                  "%sx-claude-code-session-id: 00000000-0000-4000-8000-%012d\r\ncontent-length: %zu\r\n\r\n", head,
                                  i, body_len);
    connect_again(c);
  }
  for (int i = 0; i < conns_len; i++) send_next(&conns[i]);
}

/* Serves the connections until `end_us`, or when draining until every response has arrived. */
static void run_until(uint64_t end_us) {
  while (now_us() < end_us && !(draining && open_requests == 0)) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll_fd, ready, 256, 5);
    for (int i = 0; i < count; i++) {
      struct conn *c = ready[i].data.ptr;
      if (ready[i].events & EPOLLOUT) send_request(c);
      if (ready[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) receive(c);
    }
    if (open_requests > 0 && now_us() - last_progress_us > STALL_US) {
      errors++;
      if (first_error[0] == 0) snprintf(first_error, sizeof first_error, "no byte came for 10 s");
      return;
    }
  }
}

static int by_size(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

/* The times must be sorted. */
static unsigned percentile(unsigned percent) {
  return times_len == 0 ? 0 : first_byte_us[(times_len - 1) * percent / 100];
}

int main(int argc, char **argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: load PORT PID HEAD_FILE BODY_FILE CONNECTIONS WARM_MS WARM_RESPONSES WINDOW_MS\n");
    return 2;
  }
  size_t head_len;
  port = atoi(argv[1]);
  int pid = atoi(argv[2]);
  char *head = read_file(argv[3], &head_len);
  body = read_file(argv[4], &body_len);
  conns_len = atoi(argv[5]);
  if (conns_len < 1 || conns_len > CONNS_MAX) {
    fprintf(stderr, "bench: 1 to %d connections\n", CONNS_MAX);
    return 2;
  }
  first_byte_us = malloc(TIMES_MAX * sizeof *first_byte_us);
  if (first_byte_us == NULL) die("memory");
  epoll_fd = epoll_create1(0);
  last_progress_us = now_us();
  open_connections(head, head_len);

  uint64_t warm_us = now_us() + (uint64_t)atoi(argv[6]) * 1000u, warm_responses = (uint64_t)atoi(argv[7]);
  run_until(warm_us);
  while (finished < warm_responses && errors < ERRORS_MAX && now_us() < warm_us + WARM_MAX_MS * 1000u) run_until(now_us() + 50000u);
  is_timing = 1;
  uint64_t start_us = now_us(), start_cpu = cpu_us(pid), start_finished = finished, start_events = events;
  run_until(start_us + (uint64_t)atoi(argv[8]) * 1000u);
  uint64_t window_us = now_us() - start_us, window_cpu = cpu_us(pid) - start_cpu, window_finished = finished - start_finished;
  uint64_t window_events = events - start_events;
  is_timing = 0;
  qsort(first_byte_us, times_len, sizeof *first_byte_us, by_size);

  draining = 1;
  run_until(now_us() + STALL_US);
  if (open_requests > 0) {
    errors += (uint64_t)open_requests;
    if (first_error[0] == 0) snprintf(first_error, sizeof first_error, "responses were still missing 10 s after the last request");
  }
  printf("{\"windowUs\":%llu,\"windowCpuUs\":%llu,\"windowFinished\":%llu,\"windowEvents\":%llu,"
         "\"firstByteP50Us\":%u,\"firstByteP99Us\":%u,\"finished\":%llu,\"payloadBytes\":%llu,"
         "\"reconnects\":%llu,\"errors\":%llu,\"firstError\":\"%s\"}\n",
         (unsigned long long)window_us, (unsigned long long)window_cpu, (unsigned long long)window_finished,
         (unsigned long long)window_events, percentile(50), percentile(99),
         (unsigned long long)finished, (unsigned long long)payload_bytes, (unsigned long long)reconnects,
         (unsigned long long)errors, first_error);
  return 0;
}
