#pragma once

// Stands in for ESP-IDF's header of that name: as much of it as poster_esp32.cpp uses, over a plain socket, no TLS.

#include <cstddef>
#include <cstring>
#include <string>

#include "exchange.h"

using esp_err_t = int;
constexpr esp_err_t ESP_OK = 0, ESP_FAIL = -1;

enum esp_http_client_method_t { HTTP_METHOD_GET = 0, HTTP_METHOD_POST };
enum esp_http_client_event_id_t { HTTP_EVENT_ERROR = 0, HTTP_EVENT_ON_HEADER = 4, HTTP_EVENT_ON_DATA = 6 };

struct esp_http_client;
using esp_http_client_handle_t = esp_http_client *;

struct esp_http_client_event_t {
  esp_http_client_event_id_t event_id;
  esp_http_client_handle_t client;
  void *data;
  int data_len;
  void *user_data;
  char *header_key;
  char *header_value;
};

struct esp_http_client_config_t {
  const char *url;
  const char *user_agent;
  esp_http_client_method_t method;
  int timeout_ms;
  bool disable_auto_redirect;
  esp_err_t (*event_handler)(esp_http_client_event_t *event);
  void *user_data;
  esp_err_t (*crt_bundle_attach)(void *conf);
};

struct esp_http_client {
  esp_http_client_config_t config;
  std::string headers, body;
  int length{0};
  size_t read{0};
  board::Response response;
};

inline esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config) {
  auto *client = new esp_http_client{*config, {}, {}, 0, 0, {}};
  client->headers = std::string("User-Agent: ") + config->user_agent + "\r\n";
  return client;
}

inline esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value) {
  client->headers += std::string(key) + ": " + value + "\r\n";
  return ESP_OK;
}

inline esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len) {
  client->length = write_len;
  return ESP_OK;
}

inline int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len) {
  client->body.append(buffer, len);
  return len;
}

inline int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client) {
  const auto &config = client->config;
  client->response = board::post(config.url, client->headers, client->body.substr(0, client->length), config.timeout_ms);
  if (client->response.status < 0)
    return ESP_FAIL;
  std::string headers = client->response.headers;
  for (char *line = std::strtok(headers.data(), "\r\n"); line != nullptr; line = std::strtok(nullptr, "\r\n")) {
    char *value = std::strchr(line, ':');
    *value = '\0';
    value += 1 + std::strspn(value + 1, " ");
    esp_http_client_event_t event{HTTP_EVENT_ON_HEADER, client, nullptr, 0, config.user_data, line, value};
    config.event_handler(&event);
  }
  return static_cast<int64_t>(client->response.body.size());
}

inline int esp_http_client_get_status_code(esp_http_client_handle_t client) { return client->response.status; }

inline int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len) {
  const size_t length = client->response.body.copy(buffer, len, client->read);
  client->read += length;
  return static_cast<int>(length);
}

inline esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client) {
  delete client;
  return ESP_OK;
}
