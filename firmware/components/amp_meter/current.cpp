#include "current.h"

#include <algorithm>
#include <cmath>

namespace amp_core {

void Current::add(const Window &window) {
  const double amps = window.volts_rms * this->amps_per_volt_ * this->gain_;
  const auto before = this->amps();
  if (before && std::abs(amps - *before) >= STEP_A) {
    if (!this->stepped_) {
      this->stepped_ = true;
      return;
    }
    this->forget();
  }
  this->stepped_ = false;
  this->squares_[this->next_] = window.volts_rms * window.volts_rms;
  this->next_ = (this->next_ + 1) % WINDOWS;
  this->held_ = std::min(this->held_ + 1, WINDOWS);
}

void Current::forget() {
  this->held_ = this->next_ = 0;
  this->stepped_ = false;
}

std::optional<double> Current::amps() const {
  if (this->held_ == 0)
    return std::nullopt;
  double sum = 0;
  for (size_t i = 0; i < this->held_; i++)
    sum += this->squares_[i];
  return std::sqrt(sum / static_cast<double>(this->held_)) * this->amps_per_volt_ * this->gain_;
}

bool Current::set_gain(double gain) {
  if (!(gain >= LEAST_GAIN && gain <= MOST_GAIN))
    return false;
  this->gain_ = gain;
  return true;
}

bool Current::calibrate(double known_amps) {
  const auto now = this->amps();
  if (!(known_amps >= LEAST_KNOWN_A) || !now || *now <= 0)
    return false;
  return this->set_gain(this->gain_ * known_amps / *now);
}

void Energy::add(uint32_t at_us, double watts) {
  const uint32_t gap_us = at_us - this->last_us_;  // unsigned: right across the wrap-around
  if (this->started_ && gap_us <= LONGEST_GAP_US)
    this->watt_hours_ += std::max(watts, 0.0) * gap_us / 3.6e9;
  this->started_ = true;
  this->last_us_ = at_us;
}

}  // namespace amp_core
