/*
 * A light Anthropic-format upstream: one thread, epoll, HTTP/1.1 keep-alive. It takes little CPU time, so that a proxy's own
 * time can be seen, and it keeps the sums that the ledger must have too. MIT, see ../LICENSE.
 *
 *   upstream           listens on 127.0.0.1, any free port, and prints it
 *   POST .../messages  answered by mode: w1 = one JSON; w2a = 200 events in one write; w2b = a write for each event;
 *                      w3 = an event every 20 ms
 *   POST /bench/mode/{w1,w2a,w2b,w3}, POST /bench/reset, GET /bench/totals: answered with the sums as JSON
 */
#define _GNU_SOURCE
#include <sys/epoll.h>

#include "responses.h"
#include "socket.h"

enum { HEAD_MAX = 16384, FD_MAX = 4096, SCRATCH = 262144, EVENT_US = 20000 };
enum mode { W1, W2A, W2B, W3 };

struct totals {
  uint64_t finished, input, output, write5m, write1h, read, request_bytes, response_bytes, bad;
};

struct conn {
  int fd;
  char head[HEAD_MAX];
  size_t head_len;
  size_t body_left;
  int in_body, body_is_json, is_message;
  char last_byte;
  struct response response;
  size_t sent;
  int step, blocked, is_paced;
  /* When the next event of a paced stream is due. */
  uint64_t due_us;
};

static struct conn *conns[FD_MAX];
static struct totals totals;
static enum mode mode = W1;
static unsigned counter;
static int epoll_fd, highest_fd;

static void render_totals(struct response *to) {
  char json[1024];
  snprintf(json, sizeof json,
           "{\"finished\":%llu,\"inputTokens\":%llu,\"outputTokens\":%llu,\"cacheWrite5mTokens\":%llu,"
           "\"cacheWrite1hTokens\":%llu,\"cacheReadTokens\":%llu,\"requestBytes\":%llu,\"responseBytes\":%llu,\"bad\":%llu}",
           (unsigned long long)totals.finished, (unsigned long long)totals.input, (unsigned long long)totals.output,
           (unsigned long long)totals.write5m, (unsigned long long)totals.write1h, (unsigned long long)totals.read,
           (unsigned long long)totals.request_bytes, (unsigned long long)totals.response_bytes,
           (unsigned long long)totals.bad);
  render_text(to, json);
}

static void drop(struct conn *c) {
  conns[c->fd] = NULL;
  close(c->fd);
  free(c);
}

static void refuse(struct conn *c) {
  static const char text[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  totals.bad++;
  if (write(c->fd, text, sizeof text - 1) < 0) perror("bench: refusing");
  drop(c);
}

static void count_finished(struct conn *c) {
  const struct usage *u = &c->response.usage;
  totals.finished++;
  totals.input += u->input;
  totals.output += u->output;
  totals.write5m += u->write5m;
  totals.write1h += u->write1h;
  totals.read += u->read;
  totals.response_bytes += c->response.payload;
}

/* Writes up to the end of the current step. Returns 0 once the connection is gone. */
static int send_step(struct conn *c) {
  while (c->sent < c->response.ends[c->step]) {
    ssize_t n = send(c->fd, c->response.bytes + c->sent, c->response.ends[c->step] - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      c->blocked = 1;
      return 1;
    }
    if (n < 0) {
      drop(c);
      return 0;
    }
    c->sent += (size_t)n;
  }
  if (++c->step < c->response.steps) return 1;
  if (c->is_message) count_finished(c);
  c->response.steps = 0;
  return 1;
}

static int control(struct conn *c) {
  if (strncmp(c->head, "POST /bench/mode/w1 ", 20) == 0) mode = W1;
  else if (strncmp(c->head, "POST /bench/mode/w2a ", 21) == 0) mode = W2A;
  else if (strncmp(c->head, "POST /bench/mode/w2b ", 21) == 0) mode = W2B;
  else if (strncmp(c->head, "POST /bench/mode/w3 ", 20) == 0) mode = W3;
  else if (strncmp(c->head, "POST /bench/reset ", 18) == 0) memset(&totals, 0, sizeof totals);
  else if (strncmp(c->head, "GET /bench/totals ", 18) != 0) return 0;
  return 1;
}

/* Responds to a complete request. Returns 0 once the connection is gone. */
static int respond(struct conn *c) {
  c->step = c->response.steps = c->blocked = c->is_paced = 0;
  c->sent = 0;
  c->is_message = strncmp(c->head, "POST ", 5) == 0 && memmem(c->head, strcspn(c->head, "\r"), "/v1/messages", 12) != NULL;
  if (c->is_message) {
    if (!c->body_is_json || c->last_byte != '}') {
      refuse(c);
      return 0;
    }
    counter++;
    if (mode == W1) render_json(&c->response, counter);
    else render_stream(&c->response, counter, mode == W2A);
    c->is_paced = mode == W3;
    c->due_us = now_us() + EVENT_US;
  } else if (control(c)) {
    render_totals(&c->response);
  } else {
    refuse(c);
    return 0;
  }
  c->head_len = 0;
  c->in_body = 0;
  return send_step(c);
}

/* Reads bytes of a body and keeps its beginning and end. Returns 0 once the connection is gone. */
static int take_body(struct conn *c, const char *bytes, size_t length) {
  if (length > c->body_left) {
    refuse(c);
    return 0;
  }
  totals.request_bytes += length;
  c->body_left -= length;
  if (length > 0) c->last_byte = bytes[length - 1];
  return c->body_left > 0 ? 1 : respond(c);
}

/* Looks for the end of the head in the received bytes. Returns 0 once the connection is gone. */
static int take_head(struct conn *c) {
  c->head[c->head_len] = 0;
  char *end = strstr(c->head, "\r\n\r\n");
  if (end == NULL) {
    if (c->head_len < HEAD_MAX - 1) return 1;
    refuse(c);
    return 0;
  }
  size_t head_size = (size_t)(end - c->head) + 4;
  size_t extra = c->head_len - head_size;
  end[2] = 0;
  char *length = strcasestr(c->head, "\r\ncontent-length:");
  c->body_left = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
  c->in_body = 1;
  c->last_byte = 0;
  c->body_is_json = -1;
  if (extra > 0) c->body_is_json = c->head[head_size] == '{';
  return take_body(c, c->head + head_size, extra);
}

static void receive(struct conn *c) {
  static char scratch[SCRATCH];
  for (;;) {
    ssize_t n = c->in_body ? recv(c->fd, scratch, sizeof scratch, 0)
                           : recv(c->fd, c->head + c->head_len, HEAD_MAX - 1 - c->head_len, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      drop(c);
      return;
    }
    if (c->response.steps > 0) {
      /* A second request before the response to the first: no client here pipelines. */
      refuse(c);
      return;
    }
    if (c->in_body) {
      if (c->body_is_json < 0) c->body_is_json = scratch[0] == '{';
      if (!take_body(c, scratch, (size_t)n)) return;
    } else {
      c->head_len += (size_t)n;
      if (!take_head(c)) return;
    }
  }
}

static void welcome(int listener) {
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) return;
    if (fd >= FD_MAX) {
      close(fd);
      continue;
    }
    make_prompt(fd);
    struct conn *c = calloc(1, sizeof *c);
    if (c == NULL) die("memory");
    c->fd = fd;
    conns[fd] = c;
    if (fd > highest_fd) highest_fd = fd;
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0) die("epoll_ctl");
  }
}

/*
 * Writes one event to each open stream in turn, so that two writes of one stream are never next to each other. Paced streams get
 * the events that are due. Returns the milliseconds until something can be sent, -1 when nothing is waiting.
 */
static int send_one_round(void) {
  int wait_ms = -1;
  uint64_t now = now_us();
  for (int fd = 0; fd <= highest_fd; fd++) {
    struct conn *c = conns[fd];
    if (c == NULL || c->response.steps == 0 || c->blocked) continue;
    if (c->is_paced && c->due_us > now) {
      if (wait_ms != 0) wait_ms = 1;
      continue;
    }
    c->due_us += EVENT_US;
    if (send_step(c) && c->response.steps > 0 && !c->blocked) wait_ms = c->is_paced && wait_ms != 0 ? 1 : 0;
  }
  return wait_ms;
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1024) < 0) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &size) < 0) die("getsockname");
  fcntl(listener, F_SETFL, O_NONBLOCK);
  prepare_deltas();
  epoll_fd = epoll_create1(0);
  struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &interest) < 0) die("epoll_ctl");
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (int wait_ms = -1;;) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll_fd, ready, 256, wait_ms);
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) {
        welcome(listener);
        continue;
      }
      struct conn *c = conns[fd];
      if (c == NULL) continue;
      if (ready[i].events & EPOLLOUT) c->blocked = 0;
      if (ready[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) receive(c);
    }
    wait_ms = send_one_round();
  }
}
