/*
 * Everything that a C program can get wrong without breaking the memory rules of tachograph.h, and
 * threads, forks and buffers besides. Fails by an assertion, or by a finding of a sanitizer.
 */

#undef NDEBUG
#define _GNU_SOURCE
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tachograph.h"

#define OK TACHOGRAPH_STATUS_OK
#define NULL_POINTER TACHOGRAPH_STATUS_NULL_POINTER

static tachograph_collector *new_manual(void) {
  const tachograph_options options = {.manual = true};
  tachograph_collector *collector = NULL;
  assert(tachograph_collector_new(&options, &collector) == OK && collector != NULL);
  return collector;
}

static tachograph_counter *new_counter(const tachograph_collector *collector, const char *name) {
  tachograph_counter *counter = NULL;
  assert(tachograph_register_counter(collector, name, NULL, 0, &counter) == OK);
  return counter;
}

static uint64_t total(const tachograph_collector *collector, const char *name) {
  uint64_t value = 0;
  assert(tachograph_read_counter(collector, name, NULL, 0, &value) == OK);
  return value;
}

static void records_through_null_do_nothing(void) {
  tachograph_collector *collector = new_manual();
  tachograph_recorder *recorder = NULL;
  assert(tachograph_recorder_new(collector, &recorder) == OK);
  tachograph_counter *counter = new_counter(collector, "counter");
  tachograph_counter_increment(NULL);
  tachograph_counter_add(NULL, 1);
  tachograph_counter_advance_to(NULL, 1);
  tachograph_counter_increment_from_signal(NULL);
  tachograph_up_down_counter_add(NULL, -1);
  tachograph_timing_record_ns(NULL, 1);
  assert(tachograph_timing_record_since(NULL, 1) == 0);
  tachograph_timing_record_between(NULL, 1, 2);
  tachograph_histogram_record(NULL, 1);
  tachograph_gauge_set(NULL, 1.0);
  tachograph_gauge_add(NULL, 1.0);
  tachograph_recorder_increment(recorder, NULL);
  tachograph_recorder_increment(NULL, counter);
  tachograph_recorder_increment(NULL, NULL);
  tachograph_recorder_counter_add(recorder, NULL, 1);
  tachograph_recorder_up_down_counter_add(recorder, NULL, 1);
  tachograph_recorder_record_ns(recorder, NULL, 1);
  assert(tachograph_recorder_record_since(recorder, NULL, 1) == 0);
  tachograph_recorder_record_between(recorder, NULL, 1, 2);
  tachograph_recorder_record(recorder, NULL, 1);
  tachograph_recorder_set(recorder, NULL, 1.0);
  tachograph_recorder_gauge_add(recorder, NULL, 1.0);
  assert(tachograph_now(NULL) == 0);
  assert(total(collector, "telemetry.recorded") == 0);
  tachograph_counter_free(&counter);
  tachograph_recorder_free(&recorder);
  tachograph_collector_free(&collector);
}

static void other_calls_say_which_pointer_is_null(void) {
  tachograph_collector *collector = new_manual(), *none = collector;
  tachograph_counter *counter = NULL;
  tachograph_recorder *recorder = NULL;
  size_t length = 0;
  char page[8];
  assert(tachograph_collector_new(NULL, NULL) == NULL_POINTER);
  assert(tachograph_recorder_new(NULL, &recorder) == NULL_POINTER && recorder == NULL);
  assert(tachograph_recorder_new(collector, NULL) == NULL_POINTER);
  assert(tachograph_register_counter(NULL, "a", NULL, 0, &counter) == NULL_POINTER);
  assert(tachograph_register_counter(collector, NULL, NULL, 0, &counter) == NULL_POINTER);
  assert(tachograph_register_counter(collector, "a", NULL, 1, &counter) == NULL_POINTER);
  assert(tachograph_register_counter(collector, "a", NULL, 0, NULL) == NULL_POINTER);
  const tachograph_tag half = {"key", NULL};
  assert(tachograph_register_counter(collector, "a", &half, 1, &counter) == NULL_POINTER);
  assert(counter == NULL);
  assert(tachograph_describe(collector, "a", NULL, "text") == NULL_POINTER);
  assert(tachograph_set_enabled(NULL, true) == NULL_POINTER);
  assert(tachograph_reset(NULL) == NULL_POINTER);
  assert(tachograph_run_pass(NULL, NULL) == NULL_POINTER);
  assert(tachograph_run_pass(collector, NULL) == OK);
  assert(tachograph_shutdown(NULL, 0, NULL) == NULL_POINTER);
  assert(tachograph_read_counter(collector, "a", NULL, 0, NULL) == NULL_POINTER);
  assert(tachograph_prometheus(NULL, page, sizeof page, &length) == NULL_POINTER);
  assert(tachograph_json(collector, page, sizeof page, NULL) == NULL_POINTER);
  tachograph_collector_free(NULL);
  tachograph_counter_free(NULL);
  tachograph_recorder_free(NULL);
  tachograph_collector_free(&collector);
  assert(collector == NULL && none != NULL);
  /* The same variable again. */
  tachograph_collector_free(&collector);
}

static void texts_that_are_not_utf8_are_refused(void) {
  tachograph_collector *collector = new_manual();
  tachograph_counter *counter = NULL;
  const tachograph_tag bad[] = {{"good", "good"}, {"key", "\xc3("}};
  const tachograph_status refused = TACHOGRAPH_STATUS_NOT_UTF8;
  assert(tachograph_register_counter(collector, "\xff", NULL, 0, &counter) == refused);
  assert(tachograph_register_counter(collector, "a", bad, 2, &counter) == refused);
  assert(tachograph_describe(collector, "a", "bytes", "\x80") == refused);
  assert(counter == NULL);
  /* A negative number that became a size. */
  assert(tachograph_register_counter(collector, "a", bad, (size_t)-1, &counter) ==
         TACHOGRAPH_STATUS_TOO_MANY_TAGS);
  for (int status = -2; status < 12; status++) assert(*tachograph_status_text(status) != '\0');
  assert(tachograph_read_counter(collector, "a", NULL, 0, &(uint64_t){0}) ==
         TACHOGRAPH_STATUS_NOT_FOUND);
  tachograph_collector_free(&collector);
}

static void warned(void *context, const char *text) {
  assert(strstr(text, "metric `name` is a counter and was recorded as a gauge") != NULL);
  ++*(int *)context;
}

static void another_kind_is_refused_and_told_once(void) {
  int warnings = 0;
  const tachograph_options options = {.manual = true, .on_warning = warned, .context = &warnings};
  tachograph_collector *collector = NULL;
  assert(tachograph_collector_new(&options, &collector) == OK);
  tachograph_counter *counter = new_counter(collector, "name");
  tachograph_gauge *gauge = NULL;
  assert(tachograph_register_gauge(collector, "name", NULL, 0, &gauge) == OK);
  tachograph_gauge_set(gauge, 1.0);
  tachograph_gauge_set(gauge, 2.0);
  tachograph_gauge_stats stats;
  assert(tachograph_read_gauge(collector, "name", NULL, 0, &stats) == TACHOGRAPH_STATUS_NOT_FOUND);
  assert(total(collector, "name") == 0);
  assert(warnings == 1);
  tachograph_gauge_free(&gauge);
  tachograph_counter_free(&counter);
  tachograph_collector_free(&collector);
}

static void statistics_are_those_of_what_was_recorded(void) {
  tachograph_collector *collector = new_manual();
  tachograph_timing *timing = NULL;
  tachograph_histogram *histogram = NULL;
  tachograph_gauge *gauge = NULL;
  tachograph_up_down_counter *level = NULL;
  const tachograph_tag ab[] = {{"a", "1"}, {"b", "2"}}, ba[] = {{"b", "2"}, {"a", "1"}};
  assert(tachograph_register_timing(collector, "timing", ab, 2, &timing) == OK);
  assert(tachograph_register_histogram(collector, "histogram", NULL, 0, &histogram) == OK);
  assert(tachograph_register_gauge(collector, "gauge", NULL, 0, &gauge) == OK);
  assert(tachograph_register_up_down_counter(collector, "level", NULL, 0, &level) == OK);
  tachograph_timing_stats timed, sized;
  assert(tachograph_read_timing(collector, "timing", ba, 2, &timed) == OK);
  assert(timed.count == 0 && timed.sum == 0.0 && isnan(timed.mean));
  for (uint64_t i = 1; i <= 1000; i++) {
    tachograph_timing_record_ns(timing, i * 1000000);
    tachograph_histogram_record(histogram, i);
  }
  assert(tachograph_read_timing(collector, "timing", ba, 2, &timed) == OK);
  assert(timed.count == 1000 && timed.min == 0.001 && timed.max == 1.0);
  assert(fabs(timed.sum - 500.5) < 1e-9 && fabs(timed.mean - 0.5005) < 1e-9);
  tachograph_counter *mirrored = new_counter(collector, "mirrored");
  for (uint64_t i = 0; i < 3; i++) tachograph_counter_advance_to(mirrored, i == 1 ? 250 : 100 + i);
  assert(total(collector, "mirrored") == 250);
  tachograph_counter_free(&mirrored);
  assert(fabs(timed.p50 - 0.5) <= 0.5 * 0.001 && fabs(timed.p99 - 0.99) <= 0.99 * 0.001);
  assert(tachograph_read_timing(collector, "histogram", NULL, 0, &sized) == OK);
  assert(sized.count == 1000 && sized.sum == 500500.0 && sized.max == 1000.0);
  tachograph_gauge_set(gauge, -3.5);
  tachograph_gauge_add(gauge, 1.0);
  tachograph_gauge_set(gauge, (double)NAN);
  tachograph_gauge_stats gauged;
  assert(tachograph_read_gauge(collector, "gauge", NULL, 0, &gauged) == OK);
  assert(gauged.count == 2 && gauged.current == -2.5 && gauged.max == -2.5 && gauged.min == -3.5);
  tachograph_up_down_counter_add(level, -7);
  tachograph_up_down_counter_add(level, 2);
  int64_t value = 0;
  assert(tachograph_read_up_down_counter(collector, "level", NULL, 0, &value) == OK);
  assert(value == -5);
  assert(tachograph_reset(collector) == OK);
  assert(tachograph_read_up_down_counter(collector, "level", NULL, 0, &value) == OK && value == 0);
  tachograph_up_down_counter_free(&level);
  tachograph_gauge_free(&gauge);
  tachograph_histogram_free(&histogram);
  tachograph_timing_free(&timing);
  tachograph_collector_free(&collector);
}

static void a_buffer_is_filled_only_if_all_fits(void) {
  tachograph_collector *collector = new_manual();
  tachograph_counter *counter = new_counter(collector, "counter");
  tachograph_counter_add(counter, 42);
  size_t needed = 0, length = 0;
  const tachograph_status small = TACHOGRAPH_STATUS_BUFFER_TOO_SMALL;
  assert(tachograph_prometheus(collector, NULL, 0, &needed) == small && needed > 100);
  /* The page's own numbers may have more digits the next time, but not a hundred. */
  const size_t capacity = needed + 101;
  char *page = malloc(capacity);
  memset(page, 'x', capacity);
  assert(tachograph_prometheus(collector, page, 100, &length) == small && length > 100);
  for (size_t i = 0; i < capacity; i++) assert(page[i] == 'x');
  assert(tachograph_prometheus(collector, page, capacity, &length) == OK);
  assert(strlen(page) == length && strstr(page, "\ncounter_total 42\n") != NULL);
  /* Exactly the text leaves no room for the NUL. */
  char *exact = malloc(length);
  assert(tachograph_prometheus(collector, exact, length < needed ? length : needed, &length) ==
         small);
  free(exact);
  free(page);
  assert(tachograph_json(collector, NULL, 0, &needed) == small);
  page = malloc(needed + 101);
  assert(tachograph_json(collector, page, needed + 101, &length) == OK);
  assert(page[0] == '{' && page[length - 1] == '}' && strstr(page, "\"counter\"") != NULL);
  free(page);
  tachograph_counter_free(&counter);
  tachograph_collector_free(&collector);
}

static void handles_outlive_their_collector(void) {
  tachograph_collector *collector = new_manual(), *other = new_manual();
  tachograph_recorder *recorder = NULL;
  assert(tachograph_recorder_new(collector, &recorder) == OK);
  tachograph_counter *counter = new_counter(collector, "counter");
  tachograph_counter *foreign = new_counter(other, "counter");
  tachograph_recorder_increment(recorder, counter);
  tachograph_recorder_increment(recorder, foreign);
  assert(total(collector, "counter") == 1 && total(other, "counter") == 0);
  tachograph_shutdown_report report;
  assert(tachograph_shutdown(collector, 1000, &report) == OK);
  assert(report.recorded == 2 && report.aggregated == 1 && report.dropped == 1);
  tachograph_counter_increment(counter);
  assert(tachograph_shutdown(collector, 1000, &report) == OK);
  assert(report.recorded == 3 && report.aggregated == 1 && report.dropped == 2);
  tachograph_collector_free(&other);
  tachograph_collector_free(&collector);
  tachograph_counter_increment(foreign);
  tachograph_counter_increment(counter);
  tachograph_recorder_increment(recorder, counter);
  tachograph_counter_free(&foreign);
  tachograph_counter_free(&counter);
  tachograph_recorder_free(&recorder);
}

static void nothing_is_recorded_while_off(void) {
  const tachograph_options options = {.disabled = true};
  tachograph_collector *collector = NULL;
  assert(tachograph_collector_new(&options, &collector) == OK);
  tachograph_counter *counter = new_counter(collector, "counter");
  tachograph_counter_increment(counter);
  assert(tachograph_now(collector) == 0);
  assert(tachograph_set_enabled(collector, true) == OK);
  tachograph_counter_increment(counter);
  assert(total(collector, "counter") == 1);
  tachograph_counter_free(&counter);
  tachograph_collector_free(&collector);
}

static void stamps_measure_and_chain(void) {
  tachograph_collector *collector = new_manual();
  tachograph_timing *first = NULL, *second = NULL, *both = NULL;
  assert(tachograph_register_timing(collector, "first", NULL, 0, &first) == OK);
  assert(tachograph_register_timing(collector, "second", NULL, 0, &second) == OK);
  assert(tachograph_register_timing(collector, "both", NULL, 0, &both) == OK);
  tachograph_recorder *recorder = NULL;
  assert(tachograph_recorder_new(collector, &recorder) == OK);
  const uint64_t start = tachograph_now(collector);
  assert(start != 0);
  usleep(2000);
  const uint64_t middle = tachograph_timing_record_since(first, start);
  usleep(3000);
  const uint64_t end = tachograph_recorder_record_since(recorder, second, middle);
  tachograph_timing_record_between(both, start, end);
  /* No time, no record. */
  assert(tachograph_timing_record_since(first, 0) > 0);
  tachograph_timing_record_between(first, 0, end);
  tachograph_recorder_record_between(recorder, first, start, 0);
  tachograph_timing_stats one, two, sum;
  assert(tachograph_read_timing(collector, "first", NULL, 0, &one) == OK);
  assert(tachograph_read_timing(collector, "second", NULL, 0, &two) == OK);
  assert(tachograph_read_timing(collector, "both", NULL, 0, &sum) == OK);
  assert(one.count == 1 && two.count == 1 && sum.count == 1);
  assert(one.sum >= 0.002 && two.sum >= 0.003);
  assert(fabs(sum.sum - one.sum - two.sum) < 1e-6);
  tachograph_recorder_free(&recorder);
  tachograph_timing_free(&both);
  tachograph_timing_free(&second);
  tachograph_timing_free(&first);
  tachograph_collector_free(&collector);
}

enum { THREADS = 8, ROUNDS = 20000 };

struct work {
  tachograph_collector *collector;
  tachograph_counter *counter;
  tachograph_histogram *histogram;
};

static void *record_many(void *argument) {
  const struct work *work = argument;
  tachograph_recorder *recorder = NULL;
  assert(tachograph_recorder_new(work->collector, &recorder) == OK);
  for (uint64_t i = 0; i < ROUNDS; i++) {
    tachograph_counter_increment(work->counter);
    tachograph_recorder_record(recorder, work->histogram, i);
  }
  tachograph_recorder_free(&recorder);
  return NULL;
}

static void threads_lose_nothing(void) {
  struct work work = {0};
  assert(tachograph_collector_new(NULL, &work.collector) == OK);
  work.counter = new_counter(work.collector, "counter");
  assert(tachograph_register_histogram(work.collector, "size", NULL, 0, &work.histogram) == OK);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    assert(pthread_create(&threads[i], NULL, record_many, &work) == 0);
  }
  for (int i = 0; i < THREADS; i++) assert(pthread_join(threads[i], NULL) == 0);
  assert(total(work.collector, "counter") == THREADS * ROUNDS);
  tachograph_timing_stats stats;
  assert(tachograph_read_timing(work.collector, "size", NULL, 0, &stats) == OK);
  assert(stats.count == THREADS * ROUNDS);
  assert(stats.sum == (double)THREADS * ROUNDS * (ROUNDS - 1) / 2);
  tachograph_shutdown_report report;
  assert(tachograph_shutdown(work.collector, 10000, &report) == OK);
  assert(report.recorded == 2 * THREADS * ROUNDS);
  assert(report.aggregated == report.recorded && report.dropped == 0);
  tachograph_histogram_free(&work.histogram);
  tachograph_counter_free(&work.counter);
  tachograph_collector_free(&work.collector);
}

static void the_child_of_a_fork_starts_over(void) {
  tachograph_collector *collector = NULL;
#ifdef __SANITIZE_ADDRESS__
  /* The sanitizer's own allocator is not made for forks while another thread allocates. */
  collector = new_manual();
#else
  assert(tachograph_collector_new(NULL, &collector) == OK);
#endif
  tachograph_counter *counter = new_counter(collector, "counter");
  tachograph_counter_add(counter, 5);
  const pid_t child = fork();
  assert(child >= 0);
  if (child == 0) {
    tachograph_counter_increment(counter);
    const uint64_t value = total(collector, "counter");
    tachograph_counter_free(&counter);
    tachograph_collector_free(&collector);
    _exit(value == 1 ? 0 : 1);
  }
  int status = -1;
  assert(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert(total(collector, "counter") == 5);
  tachograph_counter_free(&counter);
  tachograph_collector_free(&collector);
}

static tachograph_counter *signals;

static void on_signal(int number) {
  (void)number;
  tachograph_counter_increment_from_signal(signals);
}

static void a_signal_handler_counts(void) {
  tachograph_collector *collector = new_manual();
  signals = new_counter(collector, "signals");
  signal(SIGUSR1, on_signal);
  for (int i = 0; i < 3; i++) raise(SIGUSR1);
  signal(SIGUSR1, SIG_DFL);
  assert(total(collector, "signals") == 3);
  tachograph_counter_free(&signals);
  tachograph_collector_free(&collector);
}

/* With an argument: a leak that the sanitizer has to find. */
static __attribute__((noinline)) void forget_to_free(void) {
  tachograph_collector *collector = new_manual();
  new_counter(collector, "forgotten");
  tachograph_collector_free(&collector);
}

int main(int count, char **arguments) {
  (void)arguments;
  if (count > 1) forget_to_free();
  records_through_null_do_nothing();
  other_calls_say_which_pointer_is_null();
  texts_that_are_not_utf8_are_refused();
  another_kind_is_refused_and_told_once();
  statistics_are_those_of_what_was_recorded();
  a_buffer_is_filled_only_if_all_fits();
  handles_outlive_their_collector();
  nothing_is_recorded_while_off();
  stamps_measure_and_chain();
  threads_lose_nothing();
  the_child_of_a_fork_starts_over();
  a_signal_handler_counts();
  return 0;
}
