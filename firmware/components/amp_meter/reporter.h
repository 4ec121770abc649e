#pragma once

#include "esphome/core/defines.h"

#ifdef USE_AMP_METER_REPORT

#include <array>
#include <span>

#include "clamp_sensor.h"
#include "current.h"
#include "poster.h"
#include "report.h"

#include "esphome/components/output/binary_output.h"
#include "esphome/components/sensor/sensor.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"

namespace esphome::amp_meter {

/// Posts the readings of all phases to Home Assistant's webhook, and says what became of them.
class Reporter final : public PollingComponent {
 public:
  explicit Reporter(const char *url) : url_(url), poster_(url) {}

  /// Up to `MOST_PHASES`.
  void add_phase(ClampSensor *clamp) { this->phases_[this->phase_count_++].clamp = clamp; }
#ifdef USE_HOST
  void set_http_request(http_request::HttpRequestComponent *client) { this->poster_.set_http_request(client); }
#endif
  void set_status_led(output::BinaryOutput *led) { this->led_ = led; }
  void set_status(text_sensor::TextSensor *status) { this->status_ = status; }
  void set_power(sensor::Sensor *power) { this->power_ = power; }
  void set_energy(sensor::Sensor *energy) { this->energy_ = energy; }

  /// Nominal voltage, V: there is no voltage sensor. Nothing is posted before it is set.
  void set_voltage(float volts) { this->volts_ = volts; }

  /// What turns volt-amperes into watts, 0…1. Nothing is posted before it is set.
  void set_power_factor(float power_factor) { this->power_factor_ = power_factor; }

  void setup() override;
  void loop() override;
  void update() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::AFTER_CONNECTION; }

 protected:
  struct Phase {
    ClampSensor *clamp{nullptr};
    amp_core::Energy energy;
  };

  double watts_(double amps) const { return amps * this->volts_ * this->power_factor_; }
  std::span<const Phase> phases() const { return {this->phases_.data(), this->phase_count_}; }
  /// Read all phases into `readings_`, and tell whether each of them has a value.
  bool read_();
  std::span<const amp_core::PhaseReading> readings() const { return {this->readings_.data(), this->phase_count_}; }
  double energy_wh_() const;
  void post_();
  void answered_(const Answer &answer);
  void tell_(amp_core::Outcome outcome);

  const char *url_;
  Poster poster_;
  output::BinaryOutput *led_{nullptr};
  text_sensor::TextSensor *status_{nullptr};
  sensor::Sensor *power_{nullptr}, *energy_{nullptr};

  std::array<Phase, amp_core::MOST_PHASES> phases_{};
  std::array<amp_core::PhaseReading, amp_core::MOST_PHASES> readings_{};
  size_t phase_count_{0};
  float volts_{NAN}, power_factor_{NAN};
  char boot_id_[9]{};
  amp_core::Schedule schedule_;
  amp_core::Outcome outcome_{amp_core::Outcome::NONE};
  uint32_t measured_ms_{0};
  bool is_lit_{false};
};

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT
