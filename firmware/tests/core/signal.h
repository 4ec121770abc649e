#pragma once

// A clamp on a simulated house, as the ADC of an ESP32 sees it.

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <random>

namespace amp_meter {

/// What flows, and what spoils it.
struct Signal {
  double amps = 10;
  double hz = 50;
  double amps_per_volt = 30;    // SCT-013-030
  double bias_volts = 1.3;      // the middle of the ESP32's accurate range at 12 dB
  double noise_volts = 0.003;   // of each reading; what ESP32 boards show with a capacitor at the pin
  double step_volts = 0.001;    // ESPHome hands out whole millivolts
  double third = 0, fifth = 0;  // harmonics, as shares of the fundamental
  double rate_hz = 2000;        // turns of ESPHome's main loop
  double jitter = 0.3;          // of the interval, either way
  double pair_s = 50e-6;        // between the two readings of a pair: one conversion
  double stall_every_s = 0;     // Wi-Fi holds the loop up this often…
  double stall_s = 0.012;       // …for this long

  double volts_per_amp_of_fundamental() const {
    return 1 / std::sqrt(1 + third * third + fifth * fifth) / amps_per_volt;
  }

  /// The pin's voltage at a moment, without noise, V.
  double volts_at(double seconds) const {
    const double turn = 2 * std::numbers::pi * hz * seconds;
    return bias_volts + amps * volts_per_amp_of_fundamental() * std::numbers::sqrt2 *
                            (std::sin(turn) + third * std::sin(3 * turn + 1) + fifth * std::sin(5 * turn + 2));
  }
};

/// Reads a signal as the firmware's loop does: pairs of readings, at times that wander.
class Sampler {
 public:
  explicit Sampler(Signal signal, uint32_t seed = 1) : signal(signal), random_(seed) {}

  /// Hand samples over for so many seconds.
  void run(double seconds, const std::function<void(uint32_t at_us, double first, double second)> &take) {
    const double until = now_ + seconds;
    while (now_ < until) {
      take(static_cast<uint32_t>(static_cast<int64_t>(now_ * 1e6)), read(now_), read(now_ + signal.pair_s));
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

}  // namespace amp_meter
