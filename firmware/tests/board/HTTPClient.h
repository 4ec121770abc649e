#pragma once

// Stands in for the ESP32 core's header of that name: as much of it as the recipe for Arduino uses, with the same types.

#include <cstdint>
#include <cstdio>
#include <string>

#include "exchange.h"

class String {
 public:
  String(const char *text = "") : text_(text) {}
  int indexOf(const String &part) const {
    const auto at = this->text_.find(part.text_);
    return at == std::string::npos ? -1 : static_cast<int>(at);
  }
  const char *c_str() const { return this->text_.c_str(); }

 private:
  std::string text_;
};

class HTTPClient {
 public:
  void setConnectTimeout(int32_t) {}
  void setTimeout(uint16_t timeout_ms) { this->timeout_ms_ = timeout_ms; }
  bool begin(String url) {
    this->url_ = url.c_str();
    return true;
  }
  void addHeader(const String &name, const String &value, bool = false, bool = true) {
    this->headers_ += std::string(name.c_str()) + ": " + value.c_str() + "\r\n";
  }
  int POST(String payload) {
    this->response_ = board::post(this->url_, this->headers_, payload.c_str(), this->timeout_ms_);
    return this->response_.status;
  }
  String getString() { return this->response_.body.c_str(); }
  void end() {}

 private:
  std::string url_, headers_;
  uint16_t timeout_ms_{5000};
  board::Response response_;
};
