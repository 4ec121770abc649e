#pragma once

// From windows of volts to a current worth reporting, and to energy. Plain C++, no ESPHome.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "rms_meter.h"

namespace amp_core {

constexpr double STEP_A = 1.0;  // a change that is told at once: the smallest step in which a car's charger is set

/// The current of one phase: steady to the hundredth while nothing happens, new within half a second after a step.
class Current {
 public:
  /// @param amps_per_volt of clamp and burden, A at the conductor for each V at the pin
  explicit Current(double amps_per_volt) : amps_per_volt_(amps_per_volt) {}

  /// Take the next window. A step of `STEP_A` or more counts once a second window confirms it: the first is part before
  /// and part after, or a motor's inrush. It then forgets the windows before, so that no mean of both is ever told.
  void add(const Window &window);

  /// Forget the windows so far: they are too old to be told.
  void forget();

  /// RMS of about the last second, A; nothing before the first window.
  std::optional<double> amps() const;

  double gain() const { return this->gain_; }

  /// @param gain correction of this chip and this clamp, `LEAST_GAIN`…`MOST_GAIN`
  /// @return false, and nothing changed, outside that range
  bool set_gain(double gain);

  /// Choose the gain so that the current now flowing reads `known_amps`.
  /// @return false, and nothing changed, below `LEAST_KNOWN_A`, or where the gain would leave its range
  bool calibrate(double known_amps);

  // Chips differ by up to 20 %, clamps and burdens by a few more: past a factor of two the model set is the wrong one.
  static constexpr double LEAST_GAIN = 0.5, MOST_GAIN = 2.0;
  static constexpr double LEAST_KNOWN_A = 1.0;  // below, the last digit of a clamp meter is several per cent

 private:
  static constexpr size_t WINDOWS = 5;  // of 200 ms: a second

  double amps_per_volt_;
  double gain_{1.0};
  std::array<double, WINDOWS> squares_{};  // V²
  size_t held_{0}, next_{0};
  bool stepped_{false};  ///< the last window, which the next one has yet to confirm
};

/// Energy since the device started, from power that is known every now and then.
class Energy {
 public:
  /// @param at_us when, µs; may wrap around at 2³²
  /// @param watts power since the moment before, W; negative counts as nothing, so that the counter never falls
  void add(uint32_t at_us, double watts);
  double watt_hours() const { return this->watt_hours_; }

 private:
  // A bias that is wrong for a moment, or flash being written, tears some windows; a longer gap is not filled with
  // guesses.
  static constexpr uint32_t LONGEST_GAP_US = 10'000'000;

  bool started_{false};
  uint32_t last_us_{0};
  double watt_hours_{0};
};

}  // namespace amp_core
