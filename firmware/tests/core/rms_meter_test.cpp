#include "rms_meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "current.h"
#include "simulated_loop.h"

namespace amp_core {
namespace {

constexpr double LOW = 0.150, HIGH = 2.450;  // the ESP32's accurate range at 12 dB

/// The worst reading, of those that could be posted in a minute, after a second to settle.
double worst_error(Signal signal) {
  Sampler sampler(signal);
  RmsMeter meter(LOW, HIGH);
  Current current(signal.amps_per_volt);
  double worst = 0;
  int told = 0;
  sampler.run(meter, 60, [&](const Window &window) {
    current.add(window);
    if (++told > 5)
      worst = std::max(worst, std::abs(*current.amps() - signal.amps));
  });
  EXPECT_GT(told, 100);
  return worst;
}

double allowed(double amps) { return amps < 1 ? 0.03 : 0.01 * amps; }

struct Case {
  std::string name;
  Signal signal;
};

class Accuracy : public testing::TestWithParam<std::tuple<Case, double>> {};

TEST_P(Accuracy, IsWithinOnePerCentOrThreeHundredths) {
  auto [spoiled, amps] = GetParam();
  Signal signal = spoiled.signal;
  signal.amps = amps;
  if (amps * std::numbers::sqrt2 / signal.amps_per_volt > 1.1)
    signal.amps_per_volt = 2000. / 22;  // a larger clamp, as anybody would take: SCT-013-000 with 22 Ω
  const double error = worst_error(signal);
  RecordProperty("error_amps", std::to_string(error));
  EXPECT_LE(error, allowed(amps));
}

const Case CASES[] = {
    {"Clean", {.noise_volts = 0}},
    {"Noise", {}},
    {"DcOffset", {.bias_volts = 1.18}},
    {"Harmonics", {.third = 0.3, .fifth = 0.2}},
    {"At49Hz", {.hz = 49}},
    {"At51Hz", {.hz = 51}},
    {"At59Hz", {.hz = 59}},
    {"At60Hz", {.hz = 60}},
    {"At61Hz", {.hz = 61}},
    {"Jitter", {.jitter = 0.8}},
    {"SlowLoop", {.rate_hz = 1000}},
    {"FastLoop", {.rate_hz = 6000}},
    {"Stalls", {.stall_every_s = 0.15}},
    {"TornPairs", {.torn_pairs = 0.02}},
    {"Everything", {.hz = 61, .bias_volts = 1.25, .third = 0.3, .fifth = 0.2, .jitter = 0.8, .stall_every_s = 0.15}},
};

INSTANTIATE_TEST_SUITE_P(
    Signals, Accuracy, testing::Combine(testing::ValuesIn(CASES), testing::Values(0.1, 1.0, 10.0, 20.0, 50.0)),
    [](const auto &info) {
      const auto tenths = std::to_string(static_cast<int>(std::get<1>(info.param) * 10));
      return std::get<0>(info.param).name + "_" + tenths + "_tenths_of_an_amp";
    });

Window last_window(Sampler &sampler, RmsMeter &meter, double seconds) {
  Window last{};
  sampler.run(meter, seconds, [&](const Window &window) { last = window; });
  return last;
}

TEST(RmsMeter, FindsTheMainsFrequency) {
  for (const double hz : {49., 50., 51., 59., 60., 61.}) {
    Sampler sampler({.hz = hz, .stall_every_s = 0.15});
    RmsMeter meter(LOW, HIGH);
    EXPECT_NEAR(last_window(sampler, meter, 5).mains_hz, hz, 0.1);
  }
}

TEST(RmsMeter, KeepsTheFrequencyWhileTooLittleFlowsToSeeIt) {
  Sampler sampler({.hz = 60});
  RmsMeter meter(LOW, HIGH);
  last_window(sampler, meter, 2);
  sampler.signal.amps = 0.02;
  EXPECT_NEAR(last_window(sampler, meter, 10).mains_hz, 60, 0.2);
}

TEST(RmsMeter, ReadsNothingWhereNothingFlows) {
  Sampler sampler({.amps = 0});
  RmsMeter meter(LOW, HIGH);
  Current current(30);
  sampler.run(meter, 20, [&](const Window &window) { current.add(window); });
  EXPECT_LE(*current.amps(), 0.03);
}

TEST(RmsMeter, TellsTheNoiseThatItTookOff) {
  Sampler sampler({.amps = 0, .noise_volts = 0.004});
  RmsMeter meter(LOW, HIGH);
  EXPECT_NEAR(last_window(sampler, meter, 2).noise_volts, 0.004, 0.001);
}

TEST(RmsMeter, TellsTheBias) {
  Sampler sampler({.bias_volts = 1.18});
  RmsMeter meter(LOW, HIGH);
  EXPECT_NEAR(last_window(sampler, meter, 2).bias_volts, 1.18, 0.002);
}

TEST(RmsMeter, ReportsClippingOnlyWhereItClips) {
  for (const auto &[amps, clips] : {std::pair{20., false}, {23., false}, {26., true}, {40., true}}) {
    Sampler sampler({.amps = amps});
    RmsMeter meter(LOW, HIGH);
    EXPECT_EQ(last_window(sampler, meter, 2).clipped > 0.01, clips) << amps << " A";
  }
}

TEST(RmsMeter, AnUnwiredPinIsAllClipped) {
  Sampler sampler({.amps = 0, .bias_volts = 0.02});
  RmsMeter meter(LOW, HIGH);
  EXPECT_GT(last_window(sampler, meter, 2).clipped, 0.99);
}

TEST(RmsMeter, SkipsReadingsThatAreNoNumber) {
  RmsMeter meter(LOW, HIGH);
  const Signal signal;
  Window last{};
  for (int i = 0; i < 10'000; i++) {
    const double volts = signal.volts_at(i * 0.0005);
    if (const auto window = meter.add(i * 500, 100, i % 7 == 0 ? NAN : volts, i % 11 == 0 ? INFINITY : volts))
      last = *window;
  }
  EXPECT_NEAR(last.volts_rms * 30, 10, 0.1);
}

TEST(RmsMeter, SaysNothingRatherThanGuessWhereSamplesAreTooFewForACycle) {
  Sampler sampler({.rate_hz = 300});
  RmsMeter meter(LOW, HIGH);
  sampler.run(meter, 10, [](const Window &) { ADD_FAILURE(); });
}

TEST(RmsMeter, AbsurdReadingsDoNotOverflow) {
  RmsMeter meter(LOW, HIGH);
  uint32_t at_us = 0;
  for (int i = 0; i < 10'000; i++)
    meter.add(at_us += 500, 100, i % 2 ? 1e30 : -1e30, i % 3 ? 1e30 : -1e30);
}

}  // namespace
}  // namespace amp_core
