#include "clamp_sensor.h"

#include <cmath>
#include <numbers>

#include "esphome/core/hal.h"
#include "esphome/core/log.h"

namespace esphome::amp_meter {

static const char *const TAG = "amp_meter";

// Five windows: normally nothing is that old, and what is older is not the current that flows now
static constexpr uint32_t STALE_MS = 1'000;
// A sine whose crests touch the limit for a hundredth of the time loses a ten-thousandth of its height
static constexpr double CLIPPED_SHARE = 0.01;

void ClampSensor::setup() {
  this->kept_gain_ = this->make_entity_preference<float>();
  float gain;
  if (this->kept_gain_.load(&gain) && !this->current_.set_gain(gain))
    ESP_LOGW(TAG, "'%s': the kept calibration factor %.3f makes no sense; calibrate again", this->get_name().c_str(),
             gain);
  this->every_turn_.start();
}

void ClampSensor::loop() {
  const uint32_t at_us = micros();
  const float first = this->source_->sample();
  const float second = this->source_->sample();
  const auto window = this->meter_.add(at_us, micros() - at_us, first, second);
  if (!window)
    return;
  const uint32_t now_ms = millis();
  const bool sound = this->is_bias_sound_(window->bias_volts);
  if (!sound || now_ms - this->window_ms_ > STALE_MS)
    this->current_.forget();
  if (sound && this->bias_sound_)  // the window in which a bias returns is torn as well
    this->current_.add(*window);
  this->window_ = *window;
  this->window_ms_ = now_ms;
  this->has_window_ = this->is_fresh_ = true;
  this->clipped_lately_ |= this->is_beyond_range();

  if (sound != this->bias_sound_) {
    this->bias_sound_ = sound;
    if (sound) {
      ESP_LOGI(TAG, "'%s': the bias is right again, %.2f V", this->get_name().c_str(), window->bias_volts);
    } else {
      ESP_LOGE(TAG,
               "'%s': the pin rests at %.2f V instead of near %.2f V, so nothing is reported: check the bias divider "
               "and the clamp's plug",
               this->get_name().c_str(), window->bias_volts, (this->low_volts_ + this->high_volts_) / 2);
    }
  }
}

bool ClampSensor::is_bias_sound_(double volts) const {
  // The middle half of the range: 1.65 V from two equal resistors passes on every ESP32, a shorted pin on none
  const double quarter = (this->high_volts_ - this->low_volts_) / 4;
  return volts > this->low_volts_ + quarter && volts < this->high_volts_ - quarter;
}

std::optional<double> ClampSensor::amps() const {
  if (!this->has_window_ || millis() - this->window_ms_ > STALE_MS)
    return std::nullopt;
  return this->current_.amps();
}

bool ClampSensor::is_beyond_range() const { return this->window_.clipped > CLIPPED_SHARE; }

bool ClampSensor::take_fresh() {
  const bool fresh = this->is_fresh_;
  this->is_fresh_ = false;
  return fresh;
}

void ClampSensor::update() {
  const auto amps = this->amps();
  this->publish_state(amps ? static_cast<float>(*amps) : NAN);
  if (this->frequency_ != nullptr && this->has_window_)
    this->frequency_->publish_state(this->window_.mains_hz);
  const bool clipping = this->clipped_lately_ && this->bias_sound_;
  if (clipping && !this->told_clipping_)
    ESP_LOGW(TAG, "'%s': the current is beyond what this clamp and burden can show, and reads too low",
             this->get_name().c_str());
  if (this->clipping_ != nullptr && this->has_window_)
    this->clipping_->publish_state(clipping);
  this->told_clipping_ = clipping;
  this->clipped_lately_ = false;
}

void ClampSensor::calibrate(float known_amps) {
  const auto before = this->amps();
  if (!before || !this->current_.calibrate(known_amps)) {
    ESP_LOGW(TAG,
             "'%s': not calibrated to %.2f A while %.2f A are read: it takes a load of at least %.0f A, and a reading "
             "within a factor of two (else the model or the burden set is not the one built in)",
             this->get_name().c_str(), known_amps, before.value_or(NAN), amp_core::Current::LEAST_KNOWN_A);
    return;
  }
  ESP_LOGI(TAG, "'%s': %.2f A now read %.2f A; factor %.3f", this->get_name().c_str(), *before, known_amps,
           this->gain());
  this->keep_gain_();
}

void ClampSensor::set_gain(float gain) {
  if (!this->current_.set_gain(gain)) {
    ESP_LOGW(TAG, "'%s': a calibration factor of %.3f makes no sense", this->get_name().c_str(), gain);
    return;
  }
  this->keep_gain_();
}

void ClampSensor::keep_gain_() {
  const float gain = this->gain();
  this->kept_gain_.save(&gain);
  global_preferences->sync();  // now, not in a minute: people cut the power as soon as they are done
}

void ClampSensor::dump_config() {
  LOG_SENSOR("", "Clamp", this);
  ESP_LOGCONFIG(TAG,
                "  %.2f A per volt, accurate from %.2f to %.2f V: up to %.0f A with the bias in the middle\n"
                "  Calibration factor: %.3f",
                this->amps_per_volt_, this->low_volts_, this->high_volts_,
                (this->high_volts_ - this->low_volts_) / 2 / std::numbers::sqrt2 * this->amps_per_volt_, this->gain());
}

}  // namespace esphome::amp_meter
