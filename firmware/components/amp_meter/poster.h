#pragma once

// Takes posts to Home Assistant in a task of its own: a server that is slow or gone, a name that nobody resolves and the
// arithmetic of TLS hold up that task, and never the loop that measures. Knows nothing of ESPHome; everything is handed
// over in buffers that are there from the start.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace esphome::http_request {
class HttpRequestComponent;
}

namespace esphome::amp_meter {

/// What came back.
struct Answer {
  int status{-1};                           ///< of HTTP; below 100 where nothing answered
  std::array<char, 256> body{};             ///< the webhook's longest answer is an error of one sentence
  size_t length{0};                         ///< of the body
  std::optional<uint32_t> retry_after_s{};  ///< what it asked for, if it did

  std::string_view text() const { return {this->body.data(), this->length}; }
};

/// One post at a time. `post` and `take` are for the loop, and never wait.
class Poster {
 public:
  /// @param url outlives this object
  explicit Poster(const char *url) : url_(url) {}

  /// Start the task.
  /// @return whether there was memory for it
  bool start();

  bool is_idle() const { return this->step_.load(std::memory_order_acquire) == Step::IDLE; }

  /// Where the next body is written, while idle.
  std::array<char, 512> &buffer() { return this->body_; }

  /// Post what was written.
  void post(size_t length);

  /// The answer to the last post, once.
  std::optional<Answer> take();

#ifdef USE_HOST
  void set_http_request(http_request::HttpRequestComponent *http_request) { this->http_request_ = http_request; }
#endif

 private:
  enum class Step : uint8_t { IDLE, POSTING, ANSWERED };

  [[noreturn]] void run_();
  void wake_();
  void wait_();
  Answer exchange_() const;

  const char *url_;
  std::atomic<Step> step_{Step::IDLE};  ///< whose the two below are: the task's while POSTING, else the loop's
  std::array<char, 512> body_{};        ///< three phases with all that is told of them take 350
  size_t length_{0};
  Answer answer_{};
  void *task_{nullptr};
#ifdef USE_HOST
  http_request::HttpRequestComponent *http_request_{nullptr};
#endif

  static constexpr uint32_t TIMEOUT_MS = 4'000;  // for each of connecting, sending and the answer
};

}  // namespace esphome::amp_meter
