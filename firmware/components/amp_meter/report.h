#pragma once

// What is posted, when, and what an answer means. Plain C++: no ESPHome, no clock, no I/O.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace amp_core {

/// What became of the last post, and so which part of the way to Home Assistant is wrong.
enum class Outcome : uint8_t {
  NONE,        ///< nothing was posted yet
  ACCEPTED,    ///< the only success: a body that says so
  NO_NETWORK,  ///< no Wi-Fi
  NO_ANSWER,   ///< nothing answers at this address
  WRONG_PLACE, ///< something answers, but it is not Home Assistant's webhook
  UNKNOWN_ID,  ///< Home Assistant answers; it does not know this webhook, or has not loaded its site yet
  BAD_VALUE,   ///< the webhook refused a value, or there is none
  TOO_MANY,    ///< the webhook asks for a pause
  TROUBLE,     ///< Home Assistant has an error of its own
};

/// @param status HTTP status; below 100 where nothing answered
Outcome judge(int status, std::string_view body);

/// One short line for a person: what is wrong, and where to look.
const char *describe(Outcome outcome);

/// Whether the status LED is lit: steady while readings are accepted; otherwise groups of flashes, as many as
/// `led_flashes` says, a second of darkness between them.
/// @param now_ms may wrap around
bool led_is_lit(Outcome outcome, uint32_t now_ms);

/// 1 Wi-Fi · 2 address · 3 webhook id · 4 value · 5 Home Assistant itself; 0 for no fault.
int led_flashes(Outcome outcome);

/// Seconds of a Retry-After header; nothing where it holds none (a date, or nonsense).
std::optional<uint32_t> parse_retry_after(std::string_view header);

struct PhaseReading {
  double amps;   ///< A, ≥ 0
  double watts;  ///< W
  bool beyond_range{false};  ///< whether more flows than the clamp can show: `amps` is too low
};

constexpr size_t MOST_PHASES = 3;

/// What a device says of itself.
struct Device {
  std::string_view boot_id;  ///< another one after each start
  std::string_view version;  ///< of this firmware
};

/// Write the webhook's JSON.
/// @return what was written of `into`; nothing where a value is missing or not finite, since half a reading is worse
///         than none, or where there is too little space
std::string_view to_json(std::span<char> into, std::span<const PhaseReading> phases, double energy_wh, Device device);

/// Decides when to post: every 5 s, at once after a step, never more often than once a second, and ever more rarely
/// while posts fail. It holds no readings: what could not be sent is never sent later.
class Schedule {
 public:
  /// @param now_ms may wrap around
  bool is_due(uint32_t now_ms, std::span<const PhaseReading> phases) const;

  void posted(uint32_t now_ms, std::span<const PhaseReading> phases);

  /// @param retry_after_s what the answer asked for, if it did
  /// @param chance 0…1, evenly spread: many devices must not return in the same moment
  void answered(uint32_t now_ms, Outcome outcome, std::optional<uint32_t> retry_after_s, double chance);

  /// Whether a post has been under way for so long that it will never end.
  /// @param now_ms may wrap around
  bool is_stuck(uint32_t now_ms) const { return this->is_under_way_ && now_ms - this->posted_ms_ >= STUCK_MS; }

  uint32_t failures() const { return this->failures_; }

  /// How long until the next try after a failure, ms.
  uint32_t pause_ms() const { return this->pause_ms_; }

  static constexpr uint32_t EVERY_MS = 5'000;
  static constexpr uint32_t LEAST_MS = 1'000;
  // Home Assistant restarts in half a minute: a longer pause would only make its readings stale for longer
  static constexpr uint32_t LONGEST_PAUSE_MS = 30'000;
  static constexpr uint32_t LONGEST_RETRY_AFTER_S = 300;
  // Three name servers that do not answer take lwIP less than a minute, connection, TLS and answer 4 s each
  static constexpr uint32_t STUCK_MS = 120'000;

 private:
  bool posted_once_{false}, is_under_way_{false};
  uint32_t posted_ms_{0};
  std::array<double, MOST_PHASES> told_{};  ///< amps of each phase
  uint32_t failures_{0};
  uint32_t failed_ms_{0}, pause_ms_{0};
};

}  // namespace amp_core
