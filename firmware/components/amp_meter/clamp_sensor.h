#pragma once

#include <optional>

#include "current.h"
#include "rms_meter.h"

#include "esphome/components/binary_sensor/binary_sensor.h"
#include "esphome/components/sensor/sensor.h"
#include "esphome/components/voltage_sampler/voltage_sampler.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"
#include "esphome/core/preferences.h"

namespace esphome::amp_meter {

/// One clamp on one phase: hands the ADC's readings to the core, and its results to ESPHome.
class ClampSensor final : public sensor::Sensor, public PollingComponent {
 public:
  ClampSensor(double amps_per_volt, double low_volts, double high_volts)
      : low_volts_(low_volts), high_volts_(high_volts), meter_(low_volts, high_volts), current_(amps_per_volt),
        amps_per_volt_(amps_per_volt) {}

  void set_source(voltage_sampler::VoltageSampler *source) { this->source_ = source; }
  void set_clipping(binary_sensor::BinarySensor *clipping) { this->clipping_ = clipping; }
  void set_frequency(sensor::Sensor *frequency) { this->frequency_ = frequency; }

  void setup() override;
  void loop() override;
  void update() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::DATA - 1.0f; }  // after the ADC

  /// RMS current, A; nothing before the first window, while the bias is wrong, or once the last window is stale.
  std::optional<double> amps() const;

  /// Whether more flows than the clamp can show, so that `amps` is too low.
  bool is_beyond_range() const;

  /// Whether a window came since the last call: each one counts once towards the energy.
  bool take_fresh();

  /// Make the current that flows now read `known_amps`, and keep that over restarts.
  void calibrate(float known_amps);

  /// Correct by a factor instead, and keep it over restarts.
  void set_gain(float gain);
  float gain() const { return this->current_.gain(); }

 protected:
  bool is_bias_sound_(double volts) const;
  void keep_gain_();

  double low_volts_, high_volts_;
  amp_core::RmsMeter meter_;
  amp_core::Current current_;
  double amps_per_volt_;

  voltage_sampler::VoltageSampler *source_{nullptr};
  binary_sensor::BinarySensor *clipping_{nullptr};
  sensor::Sensor *frequency_{nullptr};
  HighFrequencyLoopRequester every_turn_;
  ESPPreferenceObject kept_gain_;

  amp_core::Window window_{};
  uint32_t window_ms_{0};
  bool has_window_{false}, is_fresh_{false}, bias_sound_{true}, clipped_lately_{false}, told_clipping_{false};
};

}  // namespace esphome::amp_meter
