#pragma once

// A clamp on a simulated house, as the ADC of an ESP32 sees it.

#include <cmath>
#include <numbers>

namespace amp_core {

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
  double torn_pairs = 0;        // share of pairs that a stall comes between

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

}  // namespace amp_core
