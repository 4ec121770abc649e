#include "sim_clamp.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "esphome/core/hal.h"

namespace esphome::sim_clamp {

using namespace std::chrono_literals;

SimClamp::SimClamp(const char *phase) {
  const char *folder = std::getenv("SIM_CLAMPS");
  this->path_ = std::string(folder == nullptr ? "." : folder) + "/" + phase + ".txt";
}

void SimClamp::loop() {
  if (millis() - this->read_ms_ < 10)
    return;
  this->read_ms_ = millis();
  std::ifstream file(this->path_);
  double amps, bias_volts;
  if (file >> amps)
    this->signal_.amps = amps;
  if (file >> bias_volts)
    this->signal_.bias_volts = bias_volts;
}

float SimClamp::sample() {
  std::this_thread::sleep_for(20us);  // with the kernel's slack about a conversion; and no core runs hot
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  const double volts = this->signal_.volts_at(seconds) + this->signal_.noise_volts * this->normal_(this->random_);
  return static_cast<float>(std::round(volts / this->signal_.step_volts) * this->signal_.step_volts);
}

}  // namespace esphome::sim_clamp
