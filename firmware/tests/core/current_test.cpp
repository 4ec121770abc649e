#include "current.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace amp_core {
namespace {

Window of(double volts) {
  Window window{};
  window.volts_rms = volts;
  return window;
}

TEST(Current, IsUnknownBeforeTheFirstWindow) { EXPECT_FALSE(Current(30).amps().has_value()); }

TEST(Current, IsTheRmsOfTheLastSecond) {
  Current current(10);
  for (const double volts : {1.09, 1.00, 1.02, 1.00, 1.02, 1.00})
    current.add(of(volts));
  EXPECT_NEAR(*current.amps(), 10.08, 0.001);
}

TEST(Current, AStepIsToldOnceASecondWindowConfirmsIt) {
  Current current(10);
  for (int i = 0; i < 5; i++)
    current.add(of(1.0));
  current.add(of(1.4));  // half a window of before, half of after
  EXPECT_DOUBLE_EQ(*current.amps(), 10.0);
  current.add(of(1.9));
  EXPECT_DOUBLE_EQ(*current.amps(), 19.0);
}

TEST(Current, OneWindowOfInrushIsNoStep) {
  Current current(10);
  for (const double volts : {1.0, 1.0, 5.0, 1.0})
    current.add(of(volts));
  EXPECT_DOUBLE_EQ(*current.amps(), 10.0);
}

TEST(Current, ACurrentThatNeverRestsIsToldOneWindowLateAtMost) {
  Current current(10);
  for (int i = 1; i <= 100; i++) {
    current.add(of(0.2 * i));
    EXPECT_NEAR(*current.amps(), 2.0 * i, 2.01);
  }
}

TEST(Current, CalibrationMakesItReadTheKnownLoad) {
  Current current(10);
  current.add(of(0.9));
  EXPECT_TRUE(current.calibrate(10));
  EXPECT_NEAR(*current.amps(), 10, 1e-9);
  EXPECT_NEAR(current.gain(), 10 / 9., 1e-9);
}

TEST(Current, CalibrationRefusesWhatCannotBeRight) {
  Current current(10);
  EXPECT_FALSE(current.calibrate(10)) << "before the first window";
  current.add(of(0));
  EXPECT_FALSE(current.calibrate(10)) << "while nothing flows";
  current.add(of(0.9));
  EXPECT_FALSE(current.calibrate(0.5)) << "too small a load to read";
  EXPECT_FALSE(current.calibrate(30)) << "three times off: the wrong model";
  EXPECT_FALSE(current.calibrate(NAN));
  EXPECT_DOUBLE_EQ(current.gain(), 1);
}

TEST(Current, GainStaysInItsRange) {
  Current current(10);
  for (const double gain : {0.0, -1.0, 0.49, 2.01, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_FALSE(current.set_gain(gain)) << gain;
  EXPECT_TRUE(current.set_gain(1.2));
}

TEST(Energy, AddsUpAnHour) {
  Energy energy;
  uint32_t at_us = 4'290'000'000;  // the clock wraps around on the way
  for (int i = 0; i <= 3600 * 5; i++, at_us += 200'000)
    energy.add(at_us, 2300);
  EXPECT_NEAR(energy.watt_hours(), 2300, 0.01);
}

TEST(Energy, BridgesAPostThatWaitsButNotALongSilence) {
  Energy energy;
  energy.add(0, 3600);
  energy.add(5'000'000, 3600);
  EXPECT_NEAR(energy.watt_hours(), 5, 1e-9);
  energy.add(25'000'000, 3600);
  EXPECT_NEAR(energy.watt_hours(), 5, 1e-9);
}

TEST(Energy, NeverFalls) {
  Energy energy;
  energy.add(0, 3600);
  energy.add(1'000'000, -3600);
  EXPECT_DOUBLE_EQ(energy.watt_hours(), 0);
}

}  // namespace
}  // namespace amp_core
