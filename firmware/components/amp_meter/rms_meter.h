#pragma once

// True RMS of a mains-frequency voltage at an ADC pin. Plain C++: no ESPHome, no clock, no I/O; time and samples are
// handed in, so that a day of them runs in seconds under GoogleTest.

#include <cstdint>
#include <optional>

namespace amp_core {

/// What one window of whole mains cycles said.
struct Window {
  double volts_rms;     ///< RMS of the alternating part, V at the pin, noise taken off
  double bias_volts;    ///< mean, V at the pin: about half the ADC's range where the divider is sound
  double noise_volts;   ///< RMS of what differs within a pair, V: the noise, and at large currents the slope
  double clipped;       ///< share of the readings outside the ADC's accurate range, 0…1
  double mains_hz;      ///< frequency in use, Hz: 50 until a current large enough has shown another
  uint32_t samples;     ///< pairs of readings that the window holds
};

/// Sums pairs of readings into windows of about 200 ms of whole mains cycles.
///
/// Each sample is two readings taken one right after the other. The mains hardly moves in between, so the product of
/// the two holds the signal squared, while noise, which differs from one to the other, averages out of it: that
/// takes the noise off in quadrature without ever measuring it at no load.
///
/// All sums are 64-bit integers and thus exact: float32 sums around a bias of 1.3 V lose what 0.1 A leaves behind.
class RmsMeter {
 public:
  /// @param low_volts  below this a reading counts as clipped
  /// @param high_volts above this too
  RmsMeter(double low_volts, double high_volts);

  /// Take the readings of one moment.
  /// @param at_us when, µs; may wrap around at 2³²
  /// @param took_us both readings together, µs: a pair that something came between is skipped
  /// @return a window, whenever one is complete
  std::optional<Window> add(uint32_t at_us, uint32_t took_us, double first_volts, double second_volts);

 private:
  /// Integrals over time, from the trapezoids between samples. With values up to ±5 V they stay below 2⁶¹ in a second.
  struct Sums {
    int64_t mean{0};      ///< four times the integral of the value
    int64_t product{0};   ///< twice the integral of the product of both readings
    int64_t noise{0};     ///< twice the integral of the squared difference of both readings
    int64_t time_us{0};
    void add(const Sums &more);
  };
  struct Sample {
    uint32_t at_us;
    int64_t sum;      ///< of both readings, 10 µV above `zero_`
    int64_t product;  ///< of both readings
    int64_t noise;    ///< squared difference of both readings
  };

  static void add_trapezoid(Sums &sums, const Sample &from, const Sample &to, int64_t time_us);
  void restart_cycle();
  void watch_crossing(const Sample &from, const Sample &to);
  Window close_window();

  int32_t low_, high_;
  int32_t zero_{0};  ///< the first reading ever: subtracting it keeps the squares small
  bool started_{false};
  Sample last_{};

  int64_t period_us_;   ///< one mains cycle, as far as known
  int64_t cycle_left_us_;
  Sums cycle_{};        ///< of the cycle under way: dropped if a gap tears it
  Sums window_{};       ///< of the whole cycles so far
  uint32_t cycles_{0};
  uint32_t samples_{0}, clipped_{0}, readings_{0};

  // Upward crossings of the mean, with hysteresis, give the mains period.
  int64_t crossing_level_{0};       ///< mean of the last window, as a sum of two readings
  int64_t crossing_hysteresis_{0};  ///< 0: the current is too small to see crossings in its noise
  bool was_below_{false};
  bool has_crossing_{false};
  uint32_t candidate_us_{0}, crossing_us_{0};
  int64_t periods_us_{0};
  uint32_t periods_{0};
};

}  // namespace amp_core
