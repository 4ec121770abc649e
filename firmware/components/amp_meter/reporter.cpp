#include "reporter.h"

#ifdef USE_AMP_METER_REPORT

#include <cinttypes>
#include <cmath>
#include <string_view>

#include "esphome/components/network/util.h"
#include "esphome/core/application.h"
#include "esphome/core/hal.h"
#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

namespace esphome::amp_meter {

using amp_core::Outcome;

static const char *const TAG = "amp_meter.report";

// A meter without a reading for so long has a fault; less is a window that was torn
static constexpr uint32_t NO_READING_MS = 3'000;

void Reporter::setup() {
  snprintf(this->boot_id_, sizeof(this->boot_id_), "%08" PRIx32, random_uint32());
  this->measured_ms_ = millis();
  if (this->status_ != nullptr)
    this->status_->publish_state(amp_core::describe(this->outcome_));
  if (!this->poster_.start()) {
    ESP_LOGE(TAG, "There is too little memory for the task that posts");
    this->mark_failed();
  }
}

void Reporter::loop() {
  const uint32_t now_ms = millis();
  if (this->led_ != nullptr && amp_core::led_is_lit(this->outcome_, now_ms) != this->is_lit_) {
    this->is_lit_ = !this->is_lit_;
    this->led_->set_state(this->is_lit_);
  }
  for (auto &phase : std::span(this->phases_.data(), this->phase_count_)) {
    if (phase.clamp->take_fresh())
      phase.energy.add(micros(), this->watts_(phase.clamp->amps().value_or(0)));
  }
  if (const auto answer = this->poster_.take())
    this->answered_(*answer);
  if (this->schedule_.is_stuck(now_ms)) {  // the watchdog sees only this loop, which goes on
    ESP_LOGE(TAG, "A post does not end: restarting");
    App.safe_reboot();
  }
  const bool is_known = this->read_();
  if (is_known)
    this->measured_ms_ = now_ms;
  if (!network::is_connected()) {
    this->tell_(Outcome::NO_NETWORK);
    return;
  }
  if (!is_known) {
    if (now_ms - this->measured_ms_ > NO_READING_MS)
      this->tell_(Outcome::BAD_VALUE);
    return;
  }
  if (this->poster_.is_idle() && this->schedule_.is_due(now_ms, this->readings()))
    this->post_();
}

bool Reporter::read_() {
  for (size_t i = 0; i < this->phase_count_; i++) {
    const ClampSensor *clamp = this->phases_[i].clamp;
    const auto amps = clamp->amps();
    if (!amps || !std::isfinite(this->watts_(*amps)))
      return false;
    this->readings_[i] = {*amps, this->watts_(*amps), clamp->is_beyond_range()};
  }
  return true;
}

double Reporter::energy_wh_() const {
  double sum = 0;
  for (const auto &phase : this->phases())
    sum += phase.energy.watt_hours();
  return sum;
}

void Reporter::post_() {
  const auto body = amp_core::to_json(this->poster_.buffer(), this->readings(), this->energy_wh_(),
                                      {.boot_id = this->boot_id_, .version = AMP_METER_VERSION});
  if (body.empty())
    return;
  this->schedule_.posted(millis(), this->readings());
  this->poster_.post(body.size());
}

void Reporter::answered_(const Answer &answer) {
  const Outcome outcome = amp_core::judge(answer.status, answer.text());
  const uint32_t failures = this->schedule_.failures();
  this->schedule_.answered(millis(), outcome, answer.retry_after_s, random_float());
  if (outcome == Outcome::ACCEPTED) {
    ESP_LOGD(TAG, "Accepted: %s", this->poster_.buffer().data());
    if (failures > 0)
      ESP_LOGI(TAG, "Accepted again, after %" PRIu32 " posts that failed", failures);
  } else {
    ESP_LOGW(TAG, "%s (status %d%s%.*s; next try in %.1f s)", amp_core::describe(outcome), answer.status,
             answer.length == 0 ? "" : ", ", static_cast<int>(answer.length), answer.body.data(),
             this->schedule_.pause_ms() / 1e3f);
  }
  this->tell_(outcome);
}

void Reporter::tell_(Outcome outcome) {
  if (outcome == this->outcome_)
    return;
  this->outcome_ = outcome;
  if (outcome == Outcome::NO_NETWORK || outcome == Outcome::BAD_VALUE)
    ESP_LOGW(TAG, "%s", amp_core::describe(outcome));
  if (this->status_ != nullptr)
    this->status_->publish_state(amp_core::describe(outcome));
}

void Reporter::update() {
  double watts = this->read_() ? 0 : NAN;
  for (const auto &reading : this->readings())
    watts += reading.watts;
  if (this->power_ != nullptr)
    this->power_->publish_state(static_cast<float>(watts));
  if (this->energy_ != nullptr)
    this->energy_->publish_state(static_cast<float>(this->energy_wh_() / 1e3));
}

void Reporter::dump_config() {
  // Without the webhook's id: it is a secret, and logs are shown to others
  const int shown = static_cast<int>(std::string_view(this->url_).rfind('/') + 1);
  ESP_LOGCONFIG(TAG,
                "Report:\n"
                "  Address: %.*s…\n"
                "  Phases: %zu\n"
                "  Boot id: %s\n"
                "  Version: " AMP_METER_VERSION,
                shown, this->url_, this->phase_count_, this->boot_id_);
}

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT
