#include "reporter.h"

#ifdef USE_AMP_METER_REPORT

#include <cinttypes>
#include <cmath>

#include "esphome/components/network/util.h"
#include "esphome/core/hal.h"
#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

namespace esphome::amp_meter {

using amp_core::Outcome;
using amp_core::PhaseReading;

static const char *const TAG = "amp_meter.report";

// A meter without a reading for so long has a fault; less is a window that a slow answer tore
static constexpr uint32_t NO_READING_MS = 3'000;
static constexpr size_t MOST_ANSWER_BYTES = 256;  // the webhook's longest answer is an error of one sentence

void Reporter::setup() {
  snprintf(this->boot_id_, sizeof(this->boot_id_), "%08" PRIx32, random_uint32());
  this->measured_ms_ = millis();
  if (this->status_ != nullptr)
    this->status_->publish_state(amp_core::describe(this->outcome_));
}

void Reporter::loop() {
  const uint32_t now_ms = millis();
  if (this->led_ != nullptr && amp_core::led_is_lit(this->outcome_, now_ms) != this->is_lit_) {
    this->is_lit_ = !this->is_lit_;
    this->led_->set_state(this->is_lit_);
  }
  for (auto &phase : this->phases_) {
    if (phase.clamp->take_fresh())
      phase.energy.add(micros(), this->watts_(phase.clamp->amps().value_or(0)));
  }
  const auto readings = this->readings_();
  if (!readings.empty())
    this->measured_ms_ = now_ms;
  if (!network::is_connected()) {
    this->tell_(Outcome::NO_NETWORK);
    return;
  }
  if (readings.empty()) {
    if (now_ms - this->measured_ms_ > NO_READING_MS)
      this->tell_(Outcome::BAD_VALUE);
    return;
  }
  if (this->schedule_.is_due(now_ms, readings))
    this->post_(readings);
}

std::vector<PhaseReading> Reporter::readings_() const {
  std::vector<PhaseReading> readings;
  for (const auto &phase : this->phases_) {
    const auto amps = phase.clamp->amps();
    if (!amps || !std::isfinite(this->watts_(*amps)))
      return {};
    readings.push_back({*amps, this->watts_(*amps), phase.clamp->is_beyond_range()});
  }
  return readings;
}

double Reporter::energy_wh_() const {
  double sum = 0;
  for (const auto &phase : this->phases_)
    sum += phase.energy.watt_hours();
  return sum;
}

void Reporter::post_(const std::vector<PhaseReading> &readings) {
  const auto body = amp_core::to_json(readings, this->energy_wh_(), this->boot_id_);
  if (!body)
    return;
  this->schedule_.posted(millis(), readings);
  const auto answer =
      this->http_request_->start(this->url_, "POST", *body, {{"Content-Type", "application/json"}}, {"retry-after"});
  int status = -1;
  std::string said;
  std::optional<uint32_t> retry_after_s;
  if (answer != nullptr) {
    uint8_t buffer[MOST_ANSWER_BYTES];
    http_request::http_read_fully(answer.get(), buffer, sizeof(buffer), sizeof(buffer),
                                  this->http_request_->get_timeout());
    said.assign(reinterpret_cast<char *>(buffer), answer->get_bytes_read());
    status = answer->status_code;
    retry_after_s = amp_core::parse_retry_after(answer->get_response_header("retry-after"));
    answer->end();
  }
  const Outcome outcome = amp_core::judge(status, said);
  const uint32_t failures = this->schedule_.failures();
  this->schedule_.answered(millis(), outcome, retry_after_s, random_float());
  if (outcome == Outcome::ACCEPTED) {
    ESP_LOGD(TAG, "Accepted: %s", body->c_str());
    if (failures > 0)
      ESP_LOGI(TAG, "Accepted again, after %" PRIu32 " posts that failed", failures);
  } else {
    ESP_LOGW(TAG, "%s (status %d%s%s; next try in %.1f s)", amp_core::describe(outcome), status,
             said.empty() ? "" : ", ", said.c_str(), this->schedule_.pause_ms() / 1e3f);
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
  double watts = 0;
  for (const auto &reading : this->readings_())
    watts += reading.watts;
  if (this->power_ != nullptr)
    this->power_->publish_state(this->readings_().empty() ? NAN : static_cast<float>(watts));
  if (this->energy_ != nullptr)
    this->energy_->publish_state(static_cast<float>(this->energy_wh_() / 1e3));
}

void Reporter::dump_config() {
  ESP_LOGCONFIG(TAG,
                "Report:\n"
                "  Address: %s\n"
                "  Phases: %zu\n"
                "  Boot id: %s",
                this->url_, this->phases_.size(), this->boot_id_);
}

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT
