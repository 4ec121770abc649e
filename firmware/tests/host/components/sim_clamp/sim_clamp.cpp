#include "sim_clamp.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include "esphome/core/hal.h"
#include "esphome/core/log.h"

// Of the address sanitizer's run-time library; GCC brings no header that declares it
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                                         void (*)(const volatile void *));

namespace esphome::sim_clamp {

using namespace std::chrono_literals;

static const char *const TAG = "sim_clamp";
static thread_local uint32_t allocations = 0;

SimClamp::SimClamp(const char *phase) {
  const char *folder = std::getenv("SIM_CLAMPS");
  this->path_ = std::string(folder == nullptr ? "." : folder) + "/" + phase + ".txt";
}

void SimClamp::setup() {
  __sanitizer_install_malloc_and_free_hooks([](const volatile void *, size_t) { allocations++; },
                                            [](const volatile void *) {});
  this->told_ms_ = millis();
  this->sampled_us_ = micros();
}

void SimClamp::loop() {
  const uint32_t now_ms = millis();
  if (now_ms - this->read_ms_ >= 10) {
    this->read_ms_ = now_ms;
    this->read_();
  }
  if (now_ms - this->told_ms_ >= 1'000)
    this->tell_(now_ms);
}

void SimClamp::read_() {
  const int file = ::open(this->path_.c_str(), O_RDONLY);  // a stream would allocate
  if (file < 0)
    return;
  char text[64];
  const auto length = ::read(file, text, sizeof(text) - 1);
  ::close(file);
  text[std::max<ssize_t>(length, 0)] = '\0';
  std::sscanf(text, "%lf %lf", &this->signal_.amps, &this->signal_.bias_volts);
}

void SimClamp::tell_(uint32_t now_ms) {
  ESP_LOGD(TAG, "%" PRIu32 " readings in %" PRIu32 " ms, at most %" PRIu32 " us apart; %" PRIu32 " allocations",
           this->readings_, now_ms - this->told_ms_, this->longest_gap_us_, allocations - this->allocations_);
  this->told_ms_ = now_ms;
  this->readings_ = this->longest_gap_us_ = 0;
  this->allocations_ = allocations;
}

float SimClamp::sample() {
  std::this_thread::sleep_for(20us);  // with the kernel's slack about a conversion; and no core runs hot
  const uint32_t now_us = micros();
  this->longest_gap_us_ = std::max(this->longest_gap_us_, now_us - this->sampled_us_);
  this->sampled_us_ = now_us;
  this->readings_++;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  const double volts = this->signal_.volts_at(seconds) + this->signal_.noise_volts * this->normal_(this->random_);
  return static_cast<float>(std::round(volts / this->signal_.step_volts) * this->signal_.step_volts);
}

}  // namespace esphome::sim_clamp
