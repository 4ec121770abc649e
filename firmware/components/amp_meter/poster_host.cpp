#include "esphome/core/defines.h"

#if defined(USE_AMP_METER_REPORT) && defined(USE_HOST)

#include "poster.h"

#include <thread>

#include "report.h"

#include "esphome/components/http_request/http_request.h"

// On Linux, for the tests: ESPHome's http_request in a thread

namespace esphome::amp_meter {

bool Poster::start() {
  std::thread([this] { this->run_(); }).detach();
  return true;
}

void Poster::wake_() { this->step_.notify_one(); }

void Poster::wait_() {
  const Step step = this->step_.load();
  if (step != Step::POSTING)
    this->step_.wait(step);
}

Answer Poster::exchange_() const {
  Answer answer;
  const std::string body(this->body_.data(), this->length_);
  const auto response =
      this->http_request_->start(this->url_, "POST", body, {{"Content-Type", "application/json"}}, {"retry-after"});
  if (response == nullptr)
    return answer;
  http_request::http_read_fully(response.get(), reinterpret_cast<uint8_t *>(answer.body.data()), answer.body.size(),
                                answer.body.size(), TIMEOUT_MS);
  answer.length = response->get_bytes_read();
  answer.status = response->status_code;
  answer.retry_after_s = amp_core::parse_retry_after(response->get_response_header("retry-after"));
  response->end();
  return answer;
}

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT && USE_HOST
