#pragma once

// Stands in for the ESP32 core's header of that name: as much of it as the recipe for Arduino uses.

enum wl_status_t { WL_IDLE_STATUS = 0, WL_CONNECTED = 3 };

struct WiFiClass {
  wl_status_t status() { return WL_CONNECTED; }
};
inline WiFiClass WiFi;
