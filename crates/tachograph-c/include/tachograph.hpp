/*
 * Tachograph for C++11 and later: tachograph.h with owners that free what they own.
 *
 * Everything here is move-only. Registration and reading throw tachograph::Error; recording is
 * noexcept and does nothing through a handle that was moved from.
 */

#ifndef TACHOGRAPH_HPP
#define TACHOGRAPH_HPP

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>

#include "tachograph.h"

namespace tachograph {

/// A call has failed; `status()` says why.
class Error : public std::runtime_error {
 public:
  explicit Error(tachograph_status status)
      : std::runtime_error(tachograph_status_text(status)), status_(status) {}
  tachograph_status status() const noexcept { return status_; }

 private:
  tachograph_status status_;
};

namespace detail {

inline void check(tachograph_status status) {
  if (status != TACHOGRAPH_STATUS_OK) throw Error(status);
}

struct Free {
  void operator()(tachograph_collector *it) const noexcept { tachograph_collector_free(&it); }
  void operator()(tachograph_counter *it) const noexcept { tachograph_counter_free(&it); }
  void operator()(tachograph_up_down_counter *it) const noexcept {
    tachograph_up_down_counter_free(&it);
  }
  void operator()(tachograph_timing *it) const noexcept { tachograph_timing_free(&it); }
  void operator()(tachograph_histogram *it) const noexcept { tachograph_histogram_free(&it); }
  void operator()(tachograph_gauge *it) const noexcept { tachograph_gauge_free(&it); }
  void operator()(tachograph_recorder *it) const noexcept { tachograph_recorder_free(&it); }
};

/// An owned pointer of the C interface.
template <class T>
class Owned {
 public:
  explicit Owned(T *it) noexcept : it_(it) {}
  /// For calls of the C interface; NULL after a move.
  T *get() const noexcept { return it_.get(); }

 private:
  std::unique_ptr<T, Free> it_;
};

}  // namespace detail

/// Tags of a series: {{"key", "value"}, ...}.
using Tags = std::initializer_list<tachograph_tag>;

/// A moment, as a start or an end of a timing; 0 is none.
using Stamp = std::uint64_t;

class Counter : public detail::Owned<tachograph_counter> {
 public:
  using Owned::Owned;
  void increment() const noexcept { tachograph_counter_increment(get()); }
  void add(std::uint64_t amount) const noexcept { tachograph_counter_add(get(), amount); }
  /// Raises it to a total that another source has counted.
  void advance_to(std::uint64_t total) const noexcept {
    tachograph_counter_advance_to(get(), total);
  }
};

class UpDownCounter : public detail::Owned<tachograph_up_down_counter> {
 public:
  using Owned::Owned;
  void add(std::int64_t amount) const noexcept { tachograph_up_down_counter_add(get(), amount); }
};

class Timing : public detail::Owned<tachograph_timing> {
 public:
  using Owned::Owned;
  /// A negative duration counts as 0.
  void record(std::chrono::nanoseconds duration) const noexcept {
    tachograph_timing_record_ns(get(), nanoseconds(duration));
  }
  /// Records the time since a moment; returns this one, at which the next timing may start.
  Stamp record_since(Stamp start) const noexcept {
    return tachograph_timing_record_since(get(), start);
  }
  void record_between(Stamp start, Stamp end) const noexcept {
    tachograph_timing_record_between(get(), start, end);
  }
  static std::uint64_t nanoseconds(std::chrono::nanoseconds duration) noexcept {
    return duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count());
  }
};

class Histogram : public detail::Owned<tachograph_histogram> {
 public:
  using Owned::Owned;
  void record(std::uint64_t value) const noexcept { tachograph_histogram_record(get(), value); }
};

class Gauge : public detail::Owned<tachograph_gauge> {
 public:
  using Owned::Owned;
  void set(double value) const noexcept { tachograph_gauge_set(get(), value); }
  void add(double amount) const noexcept { tachograph_gauge_add(get(), amount); }
};

/// Records for a loop that owns its thread; one thread at a time.
class Recorder : public detail::Owned<tachograph_recorder> {
 public:
  using Owned::Owned;
  void increment(const Counter &counter) const noexcept {
    tachograph_recorder_increment(get(), counter.get());
  }
  void add(const Counter &counter, std::uint64_t amount) const noexcept {
    tachograph_recorder_counter_add(get(), counter.get(), amount);
  }
  void add(const UpDownCounter &counter, std::int64_t amount) const noexcept {
    tachograph_recorder_up_down_counter_add(get(), counter.get(), amount);
  }
  void record(const Timing &timing, std::chrono::nanoseconds duration) const noexcept {
    tachograph_recorder_record_ns(get(), timing.get(), Timing::nanoseconds(duration));
  }
  Stamp record_since(const Timing &timing, Stamp start) const noexcept {
    return tachograph_recorder_record_since(get(), timing.get(), start);
  }
  void record_between(const Timing &timing, Stamp start, Stamp end) const noexcept {
    tachograph_recorder_record_between(get(), timing.get(), start, end);
  }
  void record(const Histogram &histogram, std::uint64_t value) const noexcept {
    tachograph_recorder_record(get(), histogram.get(), value);
  }
  void set(const Gauge &gauge, double value) const noexcept {
    tachograph_recorder_set(get(), gauge.get(), value);
  }
};

class Collector : public detail::Owned<tachograph_collector> {
 public:
  explicit Collector(const tachograph_options &options = tachograph_options())
      : Owned(make(options)) {}

  Counter counter(const char *name, Tags tags = {}) const {
    return Counter(registered(tachograph_register_counter, name, tags));
  }
  UpDownCounter up_down_counter(const char *name, Tags tags = {}) const {
    return UpDownCounter(registered(tachograph_register_up_down_counter, name, tags));
  }
  Timing timing(const char *name, Tags tags = {}) const {
    return Timing(registered(tachograph_register_timing, name, tags));
  }
  Histogram histogram(const char *name, Tags tags = {}) const {
    return Histogram(registered(tachograph_register_histogram, name, tags));
  }
  Gauge gauge(const char *name, Tags tags = {}) const {
    return Gauge(registered(tachograph_register_gauge, name, tags));
  }
  Recorder recorder() const {
    tachograph_recorder *out = nullptr;
    detail::check(tachograph_recorder_new(get(), &out));
    return Recorder(out);
  }
  /// This moment; 0 while recording is off.
  Stamp now() const noexcept { return tachograph_now(get()); }
  void describe(const char *name, const char *unit, const char *description) const {
    detail::check(tachograph_describe(get(), name, unit, description));
  }
  std::string prometheus() const { return text(tachograph_prometheus); }
  std::string json() const { return text(tachograph_json); }

 private:
  static tachograph_collector *make(const tachograph_options &options) {
    tachograph_collector *out = nullptr;
    detail::check(tachograph_collector_new(&options, &out));
    return out;
  }

  template <class T>
  T *registered(tachograph_status (*call)(const tachograph_collector *, const char *,
                                          const tachograph_tag *, std::size_t, T **),
                const char *name, Tags tags) const {
    T *out = nullptr;
    detail::check(call(get(), name, tags.begin(), tags.size(), &out));
    return out;
  }

  std::string text(tachograph_status (*call)(const tachograph_collector *, char *, std::size_t,
                                             std::size_t *)) const {
    std::string text;
    for (;;) {
      std::size_t length = 0;
      const tachograph_status status = call(get(), &text[0], text.size(), &length);
      if (status == TACHOGRAPH_STATUS_OK) {
        text.resize(length);
        return text;
      }
      if (status != TACHOGRAPH_STATUS_BUFFER_TOO_SMALL) throw Error(status);
      // Some more, because the text may grow meanwhile.
      text.resize(length + length / 8 + 1);
    }
  }
};

}  // namespace tachograph

#endif  // TACHOGRAPH_HPP
