/* What benches/cost.rs times: loops in C that record by each call. */

#include "tachograph.h"

enum call {
  COUNTER,
  TIMING,
  GAUGE,
  COUNTER_BY_RECORDER,
  TIMING_BY_RECORDER,
  GAUGE_BY_RECORDER,
};

static tachograph_collector *collector;
static tachograph_recorder *recorder;
static tachograph_counter *counter;
static tachograph_timing *timing;
static tachograph_gauge *gauge;

bool c_start(void);
void c_pass(void);
void c_loop(int32_t call, uint64_t times);
uint64_t c_recorded(void);

bool c_start(void) {
  const tachograph_options options = {.manual = true};
  return tachograph_collector_new(&options, &collector) == TACHOGRAPH_STATUS_OK &&
         tachograph_recorder_new(collector, &recorder) == TACHOGRAPH_STATUS_OK &&
         tachograph_register_counter(collector, "counter", NULL, 0, &counter) ==
             TACHOGRAPH_STATUS_OK &&
         tachograph_register_timing(collector, "timing", NULL, 0, &timing) ==
             TACHOGRAPH_STATUS_OK &&
         tachograph_register_gauge(collector, "gauge", NULL, 0, &gauge) == TACHOGRAPH_STATUS_OK;
}

void c_pass(void) { tachograph_run_pass(collector, NULL); }

uint64_t c_recorded(void) {
  uint64_t recorded = 0;
  tachograph_read_counter(collector, "telemetry.aggregated", NULL, 0, &recorded);
  return recorded;
}

void c_loop(int32_t call, uint64_t times) {
  switch (call) {
    case COUNTER:
      for (uint64_t i = 0; i < times; i++) tachograph_counter_increment(counter);
      break;
    case TIMING:
      for (uint64_t i = 0; i < times; i++) tachograph_timing_record_ns(timing, i);
      break;
    case GAUGE:
      for (uint64_t i = 0; i < times; i++) tachograph_gauge_set(gauge, (double)i);
      break;
    case COUNTER_BY_RECORDER:
      for (uint64_t i = 0; i < times; i++) tachograph_recorder_increment(recorder, counter);
      break;
    case TIMING_BY_RECORDER:
      for (uint64_t i = 0; i < times; i++) tachograph_recorder_record_ns(recorder, timing, i);
      break;
    case GAUGE_BY_RECORDER:
      for (uint64_t i = 0; i < times; i++) tachograph_recorder_set(recorder, gauge, (double)i);
      break;
  }
}
