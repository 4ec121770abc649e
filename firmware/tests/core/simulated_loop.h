#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>

#include "rms_meter.h"
#include "simulated_signal.h"

namespace amp_core {

/// Reads a signal as the firmware's loop does: pairs of readings, at times that wander.
class Sampler {
 public:
  explicit Sampler(Signal signal, uint32_t seed = 1) : signal(signal), random_(seed) {}

  /// Let a meter measure for so many seconds, and hand over what it says.
  void run(RmsMeter &meter, double seconds, const std::function<void(const Window &)> &take) {
    const double until = now_ + seconds;
    while (now_ < until) {
      const auto at_us = static_cast<uint32_t>(static_cast<int64_t>(now_ * 1e6));
      const bool torn = signal.torn_pairs > 0 && (even_(random_) + 1) / 2 < signal.torn_pairs;
      const double pair_s = torn ? signal.stall_s : signal.pair_s;
      const auto took_us = static_cast<uint32_t>((signal.pair_s + pair_s) * 1e6);
      if (const auto window = meter.add(at_us, took_us, read(now_), read(now_ + pair_s)))
        take(*window);
      now_ += (1 + signal.jitter * even_(random_)) / signal.rate_hz;
      if (signal.stall_every_s > 0 && now_ >= next_stall_) {
        now_ += signal.stall_s;
        next_stall_ = now_ + signal.stall_every_s;
      }
    }
  }

  Signal signal;

 private:
  double read(double seconds) {
    const double volts = signal.volts_at(seconds) + signal.noise_volts * normal_(random_);
    return std::round(volts / signal.step_volts) * signal.step_volts;
  }

  std::mt19937 random_;
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> even_{-1, 1};
  double now_ = 4290;  // the 32-bit clock wraps around at 4295 s: every test runs across it
  double next_stall_ = 4290.5;
};

}  // namespace amp_core
