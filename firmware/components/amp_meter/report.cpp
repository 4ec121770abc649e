#include "report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "current.h"

namespace amp_core {

namespace {

std::string_view without_leading_space(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

/// Whether a JSON text holds `"accepted": true`, however it is spaced.
bool says_accepted(std::string_view body) {
  constexpr std::string_view KEY = "\"accepted\"", YES = "true";
  const auto at = body.find(KEY);
  if (at == std::string_view::npos)
    return false;
  body = without_leading_space(body.substr(at + KEY.size()));
  if (body.empty() || body.front() != ':')
    return false;
  return without_leading_space(body.substr(1)).substr(0, YES.size()) == YES;
}

/// Writes one piece after the other into a space that may end.
class Writer {
 public:
  explicit Writer(std::span<char> into) : into_(into) {}

  template<typename... Ts> void write(const char *format, Ts... values) {
    const size_t left = this->into_.size() - this->length_;
    const int length = snprintf(this->into_.data() + this->length_, left, format, values...);
    if (length < 0 || static_cast<size_t>(length) >= left) {
      this->fits_ = false;
    } else {
      this->length_ += length;
    }
  }

  std::string_view text() const {
    return this->fits_ ? std::string_view(this->into_.data(), this->length_) : std::string_view{};
  }

 private:
  std::span<char> into_;
  size_t length_{0};
  bool fits_{true};
};

}  // namespace

Outcome judge(int status, std::string_view body) {
  if (status < 100)
    return Outcome::NO_ANSWER;
  if (status == 200)
    return says_accepted(body) ? Outcome::ACCEPTED : Outcome::UNKNOWN_ID;
  if (status == 429)
    return Outcome::TOO_MANY;
  if (status == 400 || status == 413 || status == 422)
    return Outcome::BAD_VALUE;
  if (status >= 500)
    return Outcome::TROUBLE;
  return Outcome::WRONG_PLACE;
}

const char *describe(Outcome outcome) {
  switch (outcome) {
    case Outcome::NONE:
      return "Starting";
    case Outcome::ACCEPTED:
      return "Accepted";
    case Outcome::NO_NETWORK:
      return "Wi-Fi: not connected";
    case Outcome::NO_ANSWER:
      return "Address: nothing answers there; is Home Assistant running, and is this its address and port?";
    case Outcome::WRONG_PLACE:
      return "Address: something answers there, but it is not Home Assistant's webhook";
    case Outcome::UNKNOWN_ID:
      return "Webhook id: Home Assistant does not know it, or is still starting";
    case Outcome::BAD_VALUE:
      return "Value: there is none, or it was refused";
    case Outcome::TOO_MANY:
      return "Home Assistant asks for a pause; does another device post to the same webhook?";
    case Outcome::TROUBLE:
      return "Home Assistant has an error of its own; its log says which";
  }
  return "";
}

int led_flashes(Outcome outcome) {
  switch (outcome) {
    case Outcome::NO_NETWORK:
      return 1;
    case Outcome::NO_ANSWER:
    case Outcome::WRONG_PLACE:
      return 2;
    case Outcome::UNKNOWN_ID:
      return 3;
    case Outcome::BAD_VALUE:
      return 4;
    case Outcome::TOO_MANY:
    case Outcome::TROUBLE:
      return 5;
    default:
      return 0;
  }
}

bool led_is_lit(Outcome outcome, uint32_t now_ms) {
  constexpr uint32_t FLASH_MS = 200, DARK_MS = 1'000;  // slow enough to count, quick enough to wait for
  if (outcome == Outcome::ACCEPTED)
    return true;
  const auto flashes = static_cast<uint32_t>(led_flashes(outcome));
  const uint32_t at_ms = now_ms % (flashes * 2 * FLASH_MS + DARK_MS);
  return at_ms < flashes * 2 * FLASH_MS && at_ms / FLASH_MS % 2 == 0;
}

std::optional<uint32_t> parse_retry_after(std::string_view header) {
  header = without_leading_space(header);
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error != std::errc{} || end != header.data() + header.size())
    return std::nullopt;
  return std::min(seconds, Schedule::LONGEST_RETRY_AFTER_S);
}

std::string_view to_json(std::span<char> into, std::span<const PhaseReading> phases, double energy_wh, Device device) {
  if (phases.empty() || !std::isfinite(energy_wh))
    return {};
  // One phase is told by the totals. Of several there is no one current, so the totals are left to Home Assistant.
  const bool is_list = phases.size() > 1;
  Writer json(into);
  json.write(is_list ? "{\"phases\": [" : "{");
  const char *between = is_list ? "{" : "";
  for (const auto &phase : phases) {
    if (!std::isfinite(phase.amps) || !std::isfinite(phase.watts))
      return {};
    json.write("%s\"amps\": %.2f, \"watts\": %.1f%s", between, phase.amps, phase.watts,
               phase.beyond_range ? ", \"beyond_range\": true" : "");
    between = "}, {";
  }
  json.write("%s, \"energy_wh\": %.3f, \"boot_id\": \"%.*s\", \"version\": \"%.*s\"}", is_list ? "}]" : "", energy_wh,
             static_cast<int>(device.boot_id.size()), device.boot_id.data(), static_cast<int>(device.version.size()),
             device.version.data());
  return json.text();
}

bool Schedule::is_due(uint32_t now_ms, std::span<const PhaseReading> phases) const {
  if (this->failures_ > 0)
    return now_ms - this->failed_ms_ >= this->pause_ms_;
  if (!this->posted_once_)
    return true;
  const uint32_t since_ms = now_ms - this->posted_ms_;
  if (since_ms < LEAST_MS)
    return false;
  bool stepped = false;
  for (size_t i = 0; i < std::min(phases.size(), MOST_PHASES); i++)
    stepped |= std::abs(phases[i].amps - this->told_[i]) >= STEP_A;
  return stepped || since_ms >= EVERY_MS;
}

void Schedule::posted(uint32_t now_ms, std::span<const PhaseReading> phases) {
  this->posted_once_ = this->is_under_way_ = true;
  this->posted_ms_ = now_ms;
  for (size_t i = 0; i < std::min(phases.size(), MOST_PHASES); i++)
    this->told_[i] = phases[i].amps;
}

void Schedule::answered(uint32_t now_ms, Outcome outcome, std::optional<uint32_t> retry_after_s, double chance) {
  this->is_under_way_ = false;
  if (outcome == Outcome::ACCEPTED) {
    this->failures_ = 0;
    return;
  }
  this->failures_++;
  this->failed_ms_ = now_ms;
  // 1, 2, 4… s, each up to half as long again by chance
  const uint32_t doubled_ms = LEAST_MS << std::min<uint32_t>(this->failures_ - 1, 10);
  uint32_t base_ms = std::min(doubled_ms, LONGEST_PAUSE_MS);
  if (retry_after_s)
    base_ms = std::max(LEAST_MS, *retry_after_s * 1'000);
  this->pause_ms_ = base_ms + static_cast<uint32_t>(base_ms * 0.5 * std::clamp(chance, 0.0, 1.0));
}

}  // namespace amp_core
