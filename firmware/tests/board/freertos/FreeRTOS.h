#pragma once

// Stands in for FreeRTOS: as much of it as poster_esp32.cpp uses, on threads.

#include <cstdint>

using BaseType_t = int;
using UBaseType_t = unsigned;
using TickType_t = uint32_t;
constexpr BaseType_t pdTRUE = 1, pdPASS = 1;
constexpr TickType_t portMAX_DELAY = 0xFFFFFFFF;
