#include "esphome/core/defines.h"

#if defined(USE_AMP_METER_REPORT) && defined(USE_ESP32)

#include "poster.h"

#include <strings.h>

#include <esp_http_client.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#if CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
#include <esp_crt_bundle.h>
#endif

#include "report.h"

namespace esphome::amp_meter {

// ESP-IDF's own examples give as much to a task that speaks TLS
static constexpr uint32_t STACK_BYTES = 8'192;
// As ESPHome's loop: below it, a loop that never sleeps would starve this task on a chip with one core. On two, the
// scheduler puts it on the one that does not measure.
static constexpr UBaseType_t PRIORITY = 1;

// Deliberately no task of the watchdog: resolving a name may take lwIP longer than that has patience
bool Poster::start() {
  TaskHandle_t task = nullptr;
  const auto run = [](void *self) { static_cast<Poster *>(self)->run_(); };
  if (xTaskCreate(run, "amp_meter_post", STACK_BYTES, this, PRIORITY, &task) != pdPASS)
    return false;
  this->task_ = task;
  return true;
}

void Poster::wake_() { xTaskNotifyGive(static_cast<TaskHandle_t>(this->task_)); }

void Poster::wait_() { ulTaskNotifyTake(pdTRUE, portMAX_DELAY); }

static esp_err_t take_header(esp_http_client_event_t *event) {
  if (event->event_id == HTTP_EVENT_ON_HEADER && strcasecmp(event->header_key, "Retry-After") == 0)
    static_cast<Answer *>(event->user_data)->retry_after_s = amp_core::parse_retry_after(event->header_value);
  return ESP_OK;
}

Answer Poster::exchange_() const {
  Answer answer;
  esp_http_client_config_t config = {};
  config.url = this->url_;
  config.method = HTTP_METHOD_POST;
  config.timeout_ms = TIMEOUT_MS;
  config.disable_auto_redirect = true;  // a redirected post loses its body: better to say that the address is wrong
  config.user_agent = "amp_meter/" AMP_METER_VERSION;
  config.event_handler = take_header;
  config.user_data = &answer;
#if defined(AMP_METER_VERIFY_SSL) && CONFIG_MBEDTLS_CERTIFICATE_BUNDLE
  config.crt_bundle_attach = esp_crt_bundle_attach;
#endif
  const esp_http_client_handle_t client = esp_http_client_init(&config);
  if (client == nullptr)
    return answer;
  esp_http_client_set_header(client, "Content-Type", "application/json");
  const int length = static_cast<int>(this->length_);
  if (esp_http_client_open(client, length) == ESP_OK &&
      esp_http_client_write(client, this->body_.data(), length) == length && esp_http_client_fetch_headers(client) >= 0) {
    answer.status = esp_http_client_get_status_code(client);
    int got;
    while (answer.length < answer.body.size() &&
           (got = esp_http_client_read(client, answer.body.data() + answer.length,
                                       static_cast<int>(answer.body.size() - answer.length))) > 0)
      answer.length += got;
  }
  esp_http_client_cleanup(client);
  return answer;
}

}  // namespace esphome::amp_meter

#endif  // USE_AMP_METER_REPORT && USE_ESP32
