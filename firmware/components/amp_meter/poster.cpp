#include "esphome/core/defines.h"

#ifdef USE_AMP_METER_REPORT

#include "poster.h"

namespace esphome::amp_meter {

void Poster::post(size_t length) {
  this->length_ = length;
  this->step_.store(Step::POSTING, std::memory_order_release);
  this->wake_();
}

std::optional<Answer> Poster::take() {
  if (this->step_.load(std::memory_order_acquire) != Step::ANSWERED)
    return std::nullopt;
  const Answer answer = this->answer_;
  this->step_.store(Step::IDLE, std::memory_order_release);
  return answer;
}

void Poster::run_() {
  for (;;) {
    while (this->step_.load(std::memory_order_acquire) != Step::POSTING)
      this->wait_();
    this->answer_ = this->exchange_();
    this->step_.store(Step::ANSWERED, std::memory_order_release);
  }
}

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT
