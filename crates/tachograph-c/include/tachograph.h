/*
 * Tachograph: metrics for latency-sensitive event loops.
 *
 * Generated from the Rust sources by cbindgen; do not edit.
 *
 * Every pointer passed in is NULL or valid. Recording through a NULL handle or recorder does
 * nothing; every other call with a NULL that it needs returns TACHOGRAPH_STATUS_NULL_POINTER.
 *
 * You own what a function puts into *out, and free it once. A free function takes the address of
 * your pointer and sets it to NULL; freeing NULL does nothing. A pointer that was copied before must
 * not be used after that, and no thread may free what another one still uses. Collector, handles and
 * recorders may be freed in any order: what is recorded after its collector is gone is dropped.
 *
 * Collectors and handles are for any number of threads at once, a recorder for one at a time. All of
 * them survive fork(): in the child they start over from zero.
 *
 * Texts are UTF-8 and end with NUL; none is kept after the call.
 */

#ifndef TACHOGRAPH_H
#define TACHOGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The result of a call.
 */
typedef enum {
  /**
   * Done.
   */
  TACHOGRAPH_STATUS_OK = 0,
  /**
   * A pointer that must not be NULL is NULL.
   */
  TACHOGRAPH_STATUS_NULL_POINTER = 1,
  /**
   * A name, tag, unit or description is not valid UTF-8.
   */
  TACHOGRAPH_STATUS_NOT_UTF8 = 2,
  /**
   * More than 64 tags.
   */
  TACHOGRAPH_STATUS_TOO_MANY_TAGS = 3,
  /**
   * The buffer is too small: `*length` is the length that is needed, without the final NUL.
   */
  TACHOGRAPH_STATUS_BUFFER_TOO_SMALL = 4,
  /**
   * There is no such series, or it has another kind, or the collector was never enabled.
   */
  TACHOGRAPH_STATUS_NOT_FOUND = 5,
  /**
   * The time was over before everything was counted; a later read has it all.
   */
  TACHOGRAPH_STATUS_TIMED_OUT = 6,
  /**
   * A bug in the library, whose message is on stderr. The collector remains usable.
   */
  TACHOGRAPH_STATUS_PANICKED = 7,
} tachograph_status;

/**
 * Collects metrics from any number of threads; every thread may use it.
 */
typedef struct tachograph_collector tachograph_collector;

/**
 * A handle of a monotonic counter: unsigned 64 bits, wrapping.
 */
typedef struct tachograph_counter tachograph_counter;

/**
 * A handle of a value that is set, such as a queue's depth.
 */
typedef struct tachograph_gauge tachograph_gauge;

/**
 * A handle of a distribution of plain values, such as sizes.
 */
typedef struct tachograph_histogram tachograph_histogram;

/**
 * A recorder for a loop that owns its thread: records without looking up a thread-local, which is
 * slower from a shared library.
 *
 * One thread may use it at a time; it may move to another one if the two are synchronised.
 */
typedef struct tachograph_recorder tachograph_recorder;

/**
 * A handle of a distribution of durations: recorded in nanoseconds, reported in seconds.
 */
typedef struct tachograph_timing tachograph_timing;

/**
 * A handle of an up-down counter: signed 64 bits, wrapping.
 */
typedef struct tachograph_up_down_counter tachograph_up_down_counter;

/**
 * The settings of a collector. Zero in every field, as `{0}` gives it, is every default.
 */
typedef struct {
  /**
   * Starts with recording switched off.
   */
  bool disabled;
  /**
   * Starts no background thread: you call `tachograph_run_pass`.
   */
  bool manual;
  /**
   * Keeps lifetime statistics only.
   */
  bool no_window;
  /**
   * The sliding window's steps; 6 by default. Used together with `window_ms`.
   */
  uint32_t window_steps;
  /**
   * The sliding window; 60,000 by default.
   */
  uint64_t window_ms;
  /**
   * How often a snapshot is published; 100 by default.
   */
  uint64_t publish_every_ms;
  /**
   * Hides a series that records nothing for so long; never by default.
   */
  uint64_t idle_timeout_ms;
  /**
   * How many threads may record at once; 4,096 by default.
   */
  size_t max_threads;
  /**
   * How many series a metric may have; 2,000 by default.
   */
  size_t series_per_metric;
  /**
   * How many series there may be; 20,000 by default.
   */
  size_t max_series;
  /**
   * How many metrics there may be; 2,000 by default.
   */
  size_t max_metrics;
  /**
   * How many bytes all timings and histograms may take; 256 MiB by default.
   */
  size_t max_distribution_bytes;
  /**
   * Called once for each problem that you should look at; may be NULL. `text` is valid during
   * the call. Runs on any thread that makes a pass or reads, and must neither throw nor
   * `longjmp`.
   */
  void (*on_warning)(void *context, const char *text);
  /**
   * The first argument of `on_warning`.
   */
  void *context;
} tachograph_options;

/**
 * What happened to every sample: recorded = aggregated + dropped.
 */
typedef struct {
  /**
   * Recording calls, including dropped ones.
   */
  uint64_t recorded;
  /**
   * Samples that are part of a series.
   */
  uint64_t aggregated;
  /**
   * Samples that were counted as dropped.
   */
  uint64_t dropped;
  /**
   * Threads that may have been recording at that moment; the next read counts it.
   */
  uint64_t unfinished_threads;
} tachograph_shutdown_report;

/**
 * A tag. Tags are a set: their order makes no difference, and the last one with a key wins.
 */
typedef struct {
  /**
   * UTF-8, ends with NUL. Cut at 256 bytes.
   */
  const char *key;
  /**
   * UTF-8, ends with NUL. Cut at 256 bytes. A tag with an empty value is no tag.
   */
  const char *value;
} tachograph_tag;

/**
 * The statistics of a timing, in seconds, or of a histogram, in its own unit. NaN while nothing is
 * recorded, except `sum`, which is 0.
 */
typedef struct {
  /**
   * The number of samples.
   */
  uint64_t count;
  /**
   * Their sum.
   */
  double sum;
  /**
   * The least one.
   */
  double min;
  /**
   * The greatest one.
   */
  double max;
  /**
   * The mean.
   */
  double mean;
  /**
   * The median.
   */
  double p50;
  /**
   * The 90th percentile.
   */
  double p90;
  /**
   * The 95th percentile.
   */
  double p95;
  /**
   * The 99th percentile.
   */
  double p99;
  /**
   * The 99.9th percentile.
   */
  double p999;
  /**
   * The relative error of the percentiles; everything else is exact.
   */
  double error;
} tachograph_timing_stats;

/**
 * The statistics of a gauge. NaN while no value is set.
 */
typedef struct {
  /**
   * How often it was set.
   */
  uint64_t count;
  /**
   * The value that was set last.
   */
  double current;
  /**
   * The least value.
   */
  double min;
  /**
   * The greatest value.
   */
  double max;
  /**
   * The mean of the finite values.
   */
  double mean;
} tachograph_gauge_stats;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A sentence about a status, for people: never NULL, valid forever, whatever the number.
 */
const char *tachograph_status_text(int32_t status);

/**
 * Creates a collector, which you free with `tachograph_collector_free`; sets `*out` to NULL on an
 * error. `options` may be NULL.
 */
tachograph_status tachograph_collector_new(const tachograph_options *options,
                                           tachograph_collector **out);

/**
 * Shuts a collector down, frees it and sets the pointer to NULL. Its handles and recorders may
 * outlive it; free them, too.
 */
void tachograph_collector_free(tachograph_collector **collector);

/**
 * Stops recording, makes a final pass, and says in `*report`, unless it is NULL, what happened to
 * every sample. Reading still works. After `timeout_ms` it returns
 * `TACHOGRAPH_STATUS_TIMED_OUT`, with only those counts that need no pass: call it again for all.
 */
tachograph_status tachograph_shutdown(const tachograph_collector *collector,
                                      uint64_t timeout_ms,
                                      tachograph_shutdown_report *report);

/**
 * Switches recording on or off, for every thread and handle. Reading goes on.
 */
tachograph_status tachograph_set_enabled(const tachograph_collector *collector, bool enabled);

/**
 * Discards all values; handles stay valid.
 */
tachograph_status tachograph_reset(const tachograph_collector *collector);

/**
 * Aggregates and publishes now, for a loop that drives a manual collector. `*wait_ns`, unless it
 * is NULL, is how long the next pass may wait: 1 to 100 ms.
 */
tachograph_status tachograph_run_pass(const tachograph_collector *collector, uint64_t *wait_ns);

/**
 * Sets a metric's unit and description, before or after its first record. `unit` is a plural such
 * as `bytes`, `ratio` or `requests`, or "" for none; a timing's is always seconds.
 */
tachograph_status tachograph_describe(const tachograph_collector *collector,
                                      const char *name,
                                      const char *unit,
                                      const char *description);

/**
 * Registers a monotonic counter, or finds it again: sets `*out` to a handle that you free with
 * `tachograph_counter_free`, or to NULL on an error. `tags` are `tag_count` tags, NULL if there
 * are none. Takes a lock and allocates.
 *
 * A name that has another kind still gives a handle: what it records is dropped and counted, and
 * the collector warns. Any number of threads may use a handle at once.
 */
tachograph_status tachograph_register_counter(const tachograph_collector *collector,
                                              const char *name,
                                              const tachograph_tag *tags,
                                              size_t tag_count,
                                              tachograph_counter **out);

/**
 * Registers an up-down counter; see `tachograph_register_counter`.
 */
tachograph_status tachograph_register_up_down_counter(const tachograph_collector *collector,
                                                      const char *name,
                                                      const tachograph_tag *tags,
                                                      size_t tag_count,
                                                      tachograph_up_down_counter **out);

/**
 * Registers a timing; see `tachograph_register_counter`.
 */
tachograph_status tachograph_register_timing(const tachograph_collector *collector,
                                             const char *name,
                                             const tachograph_tag *tags,
                                             size_t tag_count,
                                             tachograph_timing **out);

/**
 * Registers a histogram of plain values; see `tachograph_register_counter`.
 */
tachograph_status tachograph_register_histogram(const tachograph_collector *collector,
                                                const char *name,
                                                const tachograph_tag *tags,
                                                size_t tag_count,
                                                tachograph_histogram **out);

/**
 * Registers a gauge; see `tachograph_register_counter`.
 */
tachograph_status tachograph_register_gauge(const tachograph_collector *collector,
                                            const char *name,
                                            const tachograph_tag *tags,
                                            size_t tag_count,
                                            tachograph_gauge **out);

/**
 * Frees a handle and sets the pointer to NULL. The series and its values stay.
 */
void tachograph_counter_free(tachograph_counter **counter);

/**
 * Frees a handle and sets the pointer to NULL. The series and its values stay.
 */
void tachograph_up_down_counter_free(tachograph_up_down_counter **counter);

/**
 * Frees a handle and sets the pointer to NULL. The series and its values stay.
 */
void tachograph_timing_free(tachograph_timing **timing);

/**
 * Frees a handle and sets the pointer to NULL. The series and its values stay.
 */
void tachograph_histogram_free(tachograph_histogram **histogram);

/**
 * Frees a handle and sets the pointer to NULL. The series and its values stay.
 */
void tachograph_gauge_free(tachograph_gauge **gauge);

/**
 * Adds 1. Does nothing if `counter` is NULL, as every recording call.
 */
void tachograph_counter_increment(const tachograph_counter *counter);

/**
 * Adds `amount`; the total wraps at 2^64.
 */
void tachograph_counter_add(const tachograph_counter *counter, uint64_t amount);

/**
 * Raises the counter to a total that another source has counted, such as the kernel. A lower one
 * than before changes nothing. Totals of different sources belong in different series.
 */
void tachograph_counter_advance_to(const tachograph_counter *counter, uint64_t total);

/**
 * Adds 1 from a signal handler: async-signal-safe. The handle must already exist.
 */
void tachograph_counter_increment_from_signal(const tachograph_counter *counter);

/**
 * Adds `amount`, which may be negative.
 */
void tachograph_up_down_counter_add(const tachograph_up_down_counter *counter, int64_t amount);

/**
 * Records a duration in nanoseconds.
 */
void tachograph_timing_record_ns(const tachograph_timing *timing, uint64_t nanoseconds);

/**
 * This moment, as a start or an end of a timing; 0, which is no moment, while recording is off or
 * if `collector` is NULL. A timing with a start or end of 0 records nothing.
 */
uint64_t tachograph_now(const tachograph_collector *collector);

/**
 * Records the time since a moment, and returns this one, at which the next timing may start.
 */
uint64_t tachograph_timing_record_since(const tachograph_timing *timing, uint64_t start);

/**
 * Records the time from one moment to another.
 */
void tachograph_timing_record_between(const tachograph_timing *timing,
                                      uint64_t start,
                                      uint64_t end);

/**
 * Records a value.
 */
void tachograph_histogram_record(const tachograph_histogram *histogram, uint64_t value);

/**
 * Sets the value. NaN is refused and counted; an infinity is left out of the mean.
 */
void tachograph_gauge_set(const tachograph_gauge *gauge, double value);

/**
 * Adds to the value that was set last, or to 0. Not wait-free, unlike nearly all recording
 * calls: it repeats while other threads change the gauge in between.
 */
void tachograph_gauge_add(const tachograph_gauge *gauge, double amount);

/**
 * Creates a recorder, which you free with `tachograph_recorder_free`; sets `*out` to NULL on an
 * error. A handle of another collector is refused by it: counted, not recorded.
 */
tachograph_status tachograph_recorder_new(const tachograph_collector *collector,
                                          tachograph_recorder **out);

/**
 * Frees a recorder and sets the pointer to NULL. What it recorded stays.
 */
void tachograph_recorder_free(tachograph_recorder **recorder);

/**
 * Adds 1. Does nothing if `recorder` or `counter` is NULL, as every recording call.
 */
void tachograph_recorder_increment(const tachograph_recorder *recorder,
                                   const tachograph_counter *counter);

/**
 * Adds `amount` to a counter; the total wraps at 2^64.
 */
void tachograph_recorder_counter_add(const tachograph_recorder *recorder,
                                     const tachograph_counter *counter,
                                     uint64_t amount);

/**
 * Adds `amount` to an up-down counter; it may be negative.
 */
void tachograph_recorder_up_down_counter_add(const tachograph_recorder *recorder,
                                             const tachograph_up_down_counter *counter,
                                             int64_t amount);

/**
 * Records a duration in nanoseconds.
 */
void tachograph_recorder_record_ns(const tachograph_recorder *recorder,
                                   const tachograph_timing *timing,
                                   uint64_t nanoseconds);

/**
 * Records the time since a moment, and returns this one, at which the next timing may start.
 */
uint64_t tachograph_recorder_record_since(const tachograph_recorder *recorder,
                                          const tachograph_timing *timing,
                                          uint64_t start);

/**
 * Records the time from one moment to another.
 */
void tachograph_recorder_record_between(const tachograph_recorder *recorder,
                                        const tachograph_timing *timing,
                                        uint64_t start,
                                        uint64_t end);

/**
 * Records a value.
 */
void tachograph_recorder_record(const tachograph_recorder *recorder,
                                const tachograph_histogram *histogram,
                                uint64_t value);

/**
 * Sets a gauge.
 */
void tachograph_recorder_set(const tachograph_recorder *recorder,
                             const tachograph_gauge *gauge,
                             double value);

/**
 * Adds to a gauge; see `tachograph_gauge_add`.
 */
void tachograph_recorder_gauge_add(const tachograph_recorder *recorder,
                                   const tachograph_gauge *gauge,
                                   double amount);

/**
 * Reads the total of a monotonic counter. `*value` is set only if the status is OK, as in every
 * read. May wait for another reader; no recorder waits for it.
 */
tachograph_status tachograph_read_counter(const tachograph_collector *collector,
                                          const char *name,
                                          const tachograph_tag *tags,
                                          size_t tag_count,
                                          uint64_t *value);

/**
 * Reads the total of an up-down counter.
 */
tachograph_status tachograph_read_up_down_counter(const tachograph_collector *collector,
                                                  const char *name,
                                                  const tachograph_tag *tags,
                                                  size_t tag_count,
                                                  int64_t *value);

/**
 * Reads the lifetime statistics of a timing or histogram.
 */
tachograph_status tachograph_read_timing(const tachograph_collector *collector,
                                         const char *name,
                                         const tachograph_tag *tags,
                                         size_t tag_count,
                                         tachograph_timing_stats *stats);

/**
 * Reads the lifetime statistics of a gauge.
 */
tachograph_status tachograph_read_gauge(const tachograph_collector *collector,
                                        const char *name,
                                        const tachograph_tag *tags,
                                        size_t tag_count,
                                        tachograph_gauge_stats *stats);

/**
 * Writes every series in Prometheus text format 0.0.4 and a NUL into `buffer`, which has
 * `capacity` bytes, and the length without the NUL into `*length`.
 *
 * If the buffer is NULL or too small, it stays as it is, and `*length` says how much is needed.
 * Between two calls the text may grow: ask for some more than that. Includes everything that was
 * recorded before the call. Allocates; may wait for another reader.
 */
tachograph_status tachograph_prometheus(const tachograph_collector *collector,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *length);

/**
 * Like `tachograph_prometheus`, but writes JSON with every statistic of every series.
 */
tachograph_status tachograph_json(const tachograph_collector *collector,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TACHOGRAPH_H */
