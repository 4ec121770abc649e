#include "rms_meter.h"

#include <algorithm>
#include <cmath>

namespace amp_core {

namespace {

constexpr double MOST_VOLTS = 5.0;  // no ADC here takes more; keeps the integer sums far from their limits
constexpr double UNIT_VOLTS = 1e-5;  // 10 µV: a hundredth of the 1 mV steps in which ESPHome hands out the ESP32's ADC
// 200 ms hold 10 cycles at 50 Hz and 12 at 60 Hz: whole cycles of either, before the frequency is known
constexpr int64_t WINDOW_US = 200'000;
constexpr int64_t PERIOD_50HZ_US = 20'000;
// Grids stay within 47…52 Hz and 57…62 Hz (EN 50160, NERC PRC-024); generators stray further
constexpr int64_t SHORTEST_PERIOD_US = 1'000'000 / 66;
constexpr int64_t LONGEST_PERIOD_US = 1'000'000 / 44;
// Longer than an eighth of a cycle, a straight line between two samples is no longer a fair picture of a sine
constexpr uint32_t LONGEST_STEP_US = 2'500;
// Readings 200 µs apart lose 0.3 % of the square at 60 Hz, 0.15 % of the current; the ESP32 takes a fifth of that
constexpr uint32_t LONGEST_PAIR_US = 400;
constexpr double HYSTERESIS_OF_RMS = 0.5;        // far above harmonics' wiggles at the crossing, far below the crest
constexpr double HYSTERESIS_OVER_NOISE = 5.7;    // four sigma of the sum of two readings (4·√2)
constexpr uint32_t PERIODS_TO_TRUST = 3;

int32_t to_units(double volts) {
  return static_cast<int32_t>(std::lround(std::clamp(volts, -MOST_VOLTS, MOST_VOLTS) / UNIT_VOLTS));
}

}  // namespace

void RmsMeter::Sums::add(const Sums &more) {
  this->mean += more.mean;
  this->product += more.product;
  this->noise += more.noise;
  this->time_us += more.time_us;
}

RmsMeter::RmsMeter(double low_volts, double high_volts)
    : low_(to_units(low_volts)),
      high_(to_units(high_volts)),
      period_us_(PERIOD_50HZ_US),
      cycle_left_us_(PERIOD_50HZ_US) {}

std::optional<Window> RmsMeter::add(uint32_t at_us, uint32_t took_us, double first_volts, double second_volts) {
  if (took_us > LONGEST_PAIR_US || !std::isfinite(first_volts) || !std::isfinite(second_volts))
    return std::nullopt;
  const int32_t first = to_units(first_volts), second = to_units(second_volts);
  for (const int32_t reading : {first, second}) {
    this->readings_++;
    if (reading < this->low_ || reading > this->high_)
      this->clipped_++;
  }
  const bool is_first = !this->started_;
  if (is_first) {
    this->zero_ = first;
    this->started_ = true;
  }
  const int64_t a = first - this->zero_, b = second - this->zero_;
  const Sample now{at_us, a + b, a * b, (a - b) * (a - b)};
  const uint32_t step_us = now.at_us - this->last_.at_us;  // unsigned: right across the wrap-around
  if (is_first || step_us > LONGEST_STEP_US) {
    this->restart_cycle();
    this->last_ = now;
    return std::nullopt;
  }
  if (step_us == 0)
    return std::nullopt;

  this->watch_crossing(this->last_, now);
  this->samples_++;
  Sample from = this->last_;
  this->last_ = now;
  int64_t left_us = step_us;
  std::optional<Window> done;
  if (left_us >= this->cycle_left_us_) {  // this step ends a cycle: cut it there
    const int64_t part = this->cycle_left_us_;
    const auto cut = [&](int64_t begin, int64_t end) { return begin + (end - begin) * part / left_us; };
    const Sample edge{0, cut(from.sum, now.sum), cut(from.product, now.product), cut(from.noise, now.noise)};
    add_trapezoid(this->cycle_, from, edge, part);
    this->window_.add(this->cycle_);
    this->cycles_++;
    if (this->cycles_ * this->period_us_ >= WINDOW_US - this->period_us_ / 2)
      done = this->close_window();
    this->cycle_ = {};
    this->cycle_left_us_ = this->period_us_;
    from = edge;
    left_us -= part;
  }
  add_trapezoid(this->cycle_, from, now, left_us);
  this->cycle_left_us_ -= left_us;
  return done;
}

void RmsMeter::add_trapezoid(Sums &sums, const Sample &from, const Sample &to, int64_t time_us) {
  sums.mean += (from.sum + to.sum) * time_us;
  sums.product += (from.product + to.product) * time_us;
  sums.noise += (from.noise + to.noise) * time_us;
  sums.time_us += time_us;
}

void RmsMeter::restart_cycle() {
  this->cycle_ = {};
  this->cycle_left_us_ = this->period_us_;
  this->was_below_ = false;
  this->has_crossing_ = false;
}

void RmsMeter::watch_crossing(const Sample &from, const Sample &to) {
  if (this->crossing_hysteresis_ == 0)
    return;
  const int64_t before = from.sum - this->crossing_level_, after = to.sum - this->crossing_level_;
  if (before < 0 && after >= 0)
    this->candidate_us_ = from.at_us + static_cast<uint32_t>(-before * (to.at_us - from.at_us) / (after - before));
  if (after < -this->crossing_hysteresis_) {
    this->was_below_ = true;
  } else if (this->was_below_ && after > this->crossing_hysteresis_) {
    this->was_below_ = false;
    const int64_t period_us = this->candidate_us_ - this->crossing_us_;
    if (this->has_crossing_ && period_us >= SHORTEST_PERIOD_US && period_us <= LONGEST_PERIOD_US) {
      this->periods_us_ += period_us;
      this->periods_++;
    }
    this->crossing_us_ = this->candidate_us_;
    this->has_crossing_ = true;
  }
}

Window RmsMeter::close_window() {
  const auto time_us = static_cast<double>(this->window_.time_us);
  const double mean = static_cast<double>(this->window_.mean) / (4 * time_us);
  const double square = static_cast<double>(this->window_.product) / (2 * time_us) - mean * mean;
  // The difference of two readings carries the noise of both
  const double noise = std::sqrt(static_cast<double>(this->window_.noise) / (4 * time_us));
  const double rms = std::sqrt(std::max(square, 0.0));

  if (this->periods_ >= PERIODS_TO_TRUST) {
    const int64_t seen_us = this->periods_us_ / this->periods_;
    this->period_us_ = (this->period_us_ + seen_us) / 2;
  }
  this->crossing_level_ = std::llround(2 * mean);
  const double hysteresis = 2 * HYSTERESIS_OF_RMS * rms;
  this->crossing_hysteresis_ = hysteresis > HYSTERESIS_OVER_NOISE * noise ? std::llround(hysteresis) : 0;

  const Window window{
      .volts_rms = rms * UNIT_VOLTS,
      .bias_volts = (this->zero_ + mean) * UNIT_VOLTS,
      .noise_volts = noise * UNIT_VOLTS,
      .clipped = static_cast<double>(this->clipped_) / this->readings_,
      .mains_hz = 1e6 / static_cast<double>(this->period_us_),
      .samples = this->samples_,
  };
  this->window_ = {};
  this->cycles_ = this->samples_ = this->clipped_ = this->readings_ = this->periods_ = 0;
  this->periods_us_ = 0;
  return window;
}

}  // namespace amp_core
