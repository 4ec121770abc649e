#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "FreeRTOS.h"

struct tskTaskControlBlock {
  std::mutex mutex;
  std::condition_variable given;
  uint32_t notifications{0};
};
using TaskHandle_t = tskTaskControlBlock *;
using TaskFunction_t = void (*)(void *);

inline thread_local TaskHandle_t current_task = nullptr;

inline BaseType_t xTaskCreate(TaskFunction_t function, const char *, uint32_t, void *parameters, UBaseType_t,
                              TaskHandle_t *created) {
  auto *task = new tskTaskControlBlock;
  *created = task;
  std::thread([=] {
    current_task = task;
    function(parameters);
  }).detach();
  return pdPASS;
}

inline void xTaskNotifyGive(TaskHandle_t task) {
  const std::lock_guard lock(task->mutex);
  task->notifications++;
  task->given.notify_one();
}

inline uint32_t ulTaskNotifyTake(BaseType_t, TickType_t) {
  std::unique_lock lock(current_task->mutex);
  current_task->given.wait(lock, [] { return current_task->notifications > 0; });
  const uint32_t taken = current_task->notifications;
  current_task->notifications = 0;
  return taken;
}
