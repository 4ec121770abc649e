// Posts as the ESP32 does, again and again: the address is the first argument, each further one a body. Writes for each
// the answer's status, Retry-After, and body.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "poster.h"

int main(int count, char **arguments) {
  // Never destroyed, as on the device: its task never ends
  auto &poster = *new esphome::amp_meter::Poster(arguments[1]);
  if (!poster.start())
    return 1;
  for (int i = 2; i < count; i++) {
    if (!poster.is_idle() || poster.take())
      return 2;
    const size_t length = std::strlen(arguments[i]);
    std::memcpy(poster.buffer().data(), arguments[i], length);
    poster.post(length);
    std::optional<esphome::amp_meter::Answer> answer;
    while (!(answer = poster.take()))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::printf("%d %d %.*s\n", answer->status, answer->retry_after_s ? static_cast<int>(*answer->retry_after_s) : -1,
                static_cast<int>(answer->length), answer->body.data());
  }
  std::fflush(stdout);
  std::_Exit(0);
}
