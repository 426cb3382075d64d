/*
 * An epoll loop in C that measures itself: sends back what clients send, until stdin ends, then
 * prints its metrics for Prometheus. The first line it prints is its port.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tachograph.h"

enum { EVENTS = 64, CHUNK = 16384 };

struct metrics {
  tachograph_collector *collector;
  tachograph_recorder *recorder;
  tachograph_counter *accepted;
  tachograph_up_down_counter *open;
  tachograph_histogram *chunk;
  tachograph_timing *turn;
  tachograph_gauge *ready;
};

static void check(tachograph_status status) {
  if (status != TACHOGRAPH_STATUS_OK) {
    fprintf(stderr, "tachograph: %s\n", tachograph_status_text(status));
    exit(1);
  }
}

static void start(struct metrics *metrics) {
  const tachograph_tag tcp[] = {{"protocol", "tcp"}};
  check(tachograph_collector_new(NULL, &metrics->collector));
  const tachograph_collector *all = metrics->collector;
  check(tachograph_recorder_new(all, &metrics->recorder));
  check(tachograph_register_counter(all, "connections.accepted", tcp, 1, &metrics->accepted));
  check(tachograph_register_up_down_counter(all, "connections.open", NULL, 0, &metrics->open));
  check(tachograph_register_histogram(all, "chunk.size", NULL, 0, &metrics->chunk));
  check(tachograph_describe(all, "chunk.size", "bytes", "what one read returns"));
  check(tachograph_register_timing(all, "loop.turn", NULL, 0, &metrics->turn));
  check(tachograph_register_gauge(all, "loop.ready", NULL, 0, &metrics->ready));
}

static void print(const struct metrics *metrics) {
  size_t length = 0;
  char *page = NULL;
  tachograph_status status = tachograph_prometheus(metrics->collector, NULL, 0, &length);
  while (status == TACHOGRAPH_STATUS_BUFFER_TOO_SMALL) {
    /* Some more, because the text may grow meanwhile. */
    const size_t capacity = length + length / 8 + 1;
    free(page);
    page = malloc(capacity);
    status = page == NULL ? TACHOGRAPH_STATUS_NULL_POINTER
                          : tachograph_prometheus(metrics->collector, page, capacity, &length);
  }
  check(status);
  fwrite(page, 1, length, stdout);
  free(page);
}

static void stop(struct metrics *metrics) {
  tachograph_gauge_free(&metrics->ready);
  tachograph_timing_free(&metrics->turn);
  tachograph_histogram_free(&metrics->chunk);
  tachograph_up_down_counter_free(&metrics->open);
  tachograph_counter_free(&metrics->accepted);
  tachograph_recorder_free(&metrics->recorder);
  tachograph_collector_free(&metrics->collector);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_on_loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
    fail("listen");
  }
  printf("%u\n", (unsigned)ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void watch(int epoll, int file) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = file};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) != 0) fail("epoll_ctl");
}

static void accept_one(const struct metrics *metrics, int epoll, int listener) {
  const int client = accept(listener, NULL, NULL);
  if (client < 0) fail("accept");
  watch(epoll, client);
  tachograph_recorder_increment(metrics->recorder, metrics->accepted);
  tachograph_recorder_up_down_counter_add(metrics->recorder, metrics->open, 1);
}

static void echo(const struct metrics *metrics, int client) {
  char chunk[CHUNK];
  const ssize_t received = read(client, chunk, sizeof chunk);
  if (received <= 0) {
    close(client);
    tachograph_recorder_up_down_counter_add(metrics->recorder, metrics->open, -1);
    return;
  }
  tachograph_recorder_record(metrics->recorder, metrics->chunk, (uint64_t)received);
  /* Blocks while the client does not read, which is good enough for an example. */
  for (ssize_t sent = 0; sent < received;) {
    const ssize_t more = send(client, chunk + sent, (size_t)(received - sent), MSG_NOSIGNAL);
    if (more < 0) break;
    sent += more;
  }
}

int main(void) {
  struct metrics metrics = {0};
  start(&metrics);
  const int listener = listen_on_loopback();
  const int epoll = epoll_create1(0);
  if (epoll < 0) fail("epoll_create1");
  watch(epoll, listener);
  watch(epoll, STDIN_FILENO);
  for (int running = 1; running;) {
    struct epoll_event events[EVENTS];
    const int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    const uint64_t began = tachograph_now(metrics.collector);
    for (int i = 0; i < ready; i++) {
      const int file = events[i].data.fd;
      if (file == STDIN_FILENO) {
        running = 0;
      } else if (file == listener) {
        accept_one(&metrics, epoll, listener);
      } else {
        echo(&metrics, file);
      }
    }
    tachograph_recorder_set(metrics.recorder, metrics.ready, ready);
    tachograph_recorder_record_since(metrics.recorder, metrics.turn, began);
  }
  close(epoll);
  close(listener);
  print(&metrics);
  stop(&metrics);
  return 0;
}
