#pragma once

#include <random>
#include <string>

#include "simulated_signal.h"

#include "esphome/components/sensor/sensor.h"
#include "esphome/components/voltage_sampler/voltage_sampler.h"
#include "esphome/core/component.h"

namespace esphome::sim_clamp {

/// Answers as an ESP32's ADC with a clamp would. What flows is told by the files <name of the phase>.txt in the folder
/// that the environment variable SIM_CLAMPS names: amps, and as an option the bias in volts.
///
/// Once a second it logs how the loop asked for readings: how many, the longest time without one, and what was
/// allocated in the loop's thread meanwhile.
class SimClamp final : public sensor::Sensor, public Component, public voltage_sampler::VoltageSampler {
 public:
  explicit SimClamp(const char *phase);
  void setup() override;
  void loop() override;
  float sample() override;

 protected:
  void read_();
  void tell_(uint32_t now_ms);

  std::string path_;
  uint32_t read_ms_{0}, told_ms_{0}, sampled_us_{0};
  uint32_t readings_{0}, longest_gap_us_{0}, allocations_{0};
  amp_core::Signal signal_;
  std::mt19937 random_{1};
  std::normal_distribution<double> normal_;
};

}  // namespace esphome::sim_clamp
