#pragma once

#include "esphome/core/defines.h"

#ifdef USE_AMP_METER_REPORT

#include <string>
#include <vector>

#include "clamp_sensor.h"
#include "current.h"
#include "report.h"

#include "esphome/components/http_request/http_request.h"
#include "esphome/components/output/binary_output.h"
#include "esphome/components/sensor/sensor.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"

namespace esphome::amp_meter {

/// Posts the readings of all phases to Home Assistant's webhook, and says what became of them.
class Reporter final : public PollingComponent {
 public:
  explicit Reporter(const char *url) : url_(url) {}

  void set_http_request(http_request::HttpRequestComponent *http_request) { this->http_request_ = http_request; }
  void add_phase(ClampSensor *clamp) { this->phases_.push_back({clamp, {}}); }
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
    ClampSensor *clamp;
    amp_core::Energy energy;
  };

  double watts_(double amps) const { return amps * this->volts_ * this->power_factor_; }
  std::vector<amp_core::PhaseReading> readings_() const;
  double energy_wh_() const;
  void post_(const std::vector<amp_core::PhaseReading> &readings);
  void tell_(amp_core::Outcome outcome);

  const char *url_;
  http_request::HttpRequestComponent *http_request_{nullptr};
  output::BinaryOutput *led_{nullptr};
  text_sensor::TextSensor *status_{nullptr};
  sensor::Sensor *power_{nullptr}, *energy_{nullptr};

  std::vector<Phase> phases_;
  float volts_{NAN}, power_factor_{NAN};
  char boot_id_[9]{};
  amp_core::Schedule schedule_;
  amp_core::Outcome outcome_{amp_core::Outcome::NONE};
  uint32_t measured_ms_{0};
  bool is_lit_{false};
};

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT
