#include "report.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace amp_core {
namespace {

using Phases = std::vector<PhaseReading>;

TEST(Judge, OnlyABodyThatSaysAcceptedIsAccepted) {
  EXPECT_EQ(judge(200, R"({"accepted": true})"), Outcome::ACCEPTED);
  EXPECT_EQ(judge(200, "{\"accepted\"\n:\ttrue,\"more\":1}"), Outcome::ACCEPTED);
  for (const char *body : {"", "{}", "ok", R"({"accepted": false})", R"({"accepted")", R"({"accepted":)",
                           "accepted: true", R"({"accepted": "true"})"})
    EXPECT_EQ(judge(200, body), Outcome::UNKNOWN_ID) << body;
}

TEST(Judge, TellsWhichPartOfTheWayIsWrong) {
  EXPECT_EQ(judge(-1, ""), Outcome::NO_ANSWER);
  EXPECT_EQ(judge(0, ""), Outcome::NO_ANSWER);
  for (const int status : {301, 401, 403, 404, 405, 204})
    EXPECT_EQ(judge(status, ""), Outcome::WRONG_PLACE) << status;
  for (const int status : {400, 413, 422})
    EXPECT_EQ(judge(status, R"({"accepted": false})"), Outcome::BAD_VALUE) << status;
  EXPECT_EQ(judge(429, ""), Outcome::TOO_MANY);
  for (const int status : {500, 502, 503})
    EXPECT_EQ(judge(status, R"({"accepted": true})"), Outcome::TROUBLE) << status;
}

TEST(Led, FlashesTellTheFault) {
  const auto flashes = [](Outcome outcome) {
    int count = 0;
    bool lit = true;
    for (uint32_t ms = 0; ms < 1000 + 400u * led_flashes(outcome); ms += 10) {
      count += led_is_lit(outcome, ms) && !lit;
      lit = led_is_lit(outcome, ms);
    }
    return count + led_is_lit(outcome, 0);
  };
  EXPECT_EQ(flashes(Outcome::NO_NETWORK), 1);
  EXPECT_EQ(flashes(Outcome::NO_ANSWER), 2);
  EXPECT_EQ(flashes(Outcome::WRONG_PLACE), 2);
  EXPECT_EQ(flashes(Outcome::UNKNOWN_ID), 3);
  EXPECT_EQ(flashes(Outcome::BAD_VALUE), 4);
  EXPECT_EQ(flashes(Outcome::TROUBLE), 5);
  EXPECT_EQ(flashes(Outcome::NONE), 0);
  for (uint32_t ms = 0; ms < 5000; ms += 10)
    EXPECT_TRUE(led_is_lit(Outcome::ACCEPTED, ms));
}

TEST(Describe, EveryOutcomeHasItsOwnWords) {
  for (auto outcome : {Outcome::NONE, Outcome::ACCEPTED, Outcome::NO_NETWORK, Outcome::NO_ANSWER, Outcome::WRONG_PLACE,
                       Outcome::UNKNOWN_ID, Outcome::BAD_VALUE, Outcome::TOO_MANY, Outcome::TROUBLE})
    EXPECT_STRNE(describe(outcome), "");
}

TEST(RetryAfter, TakesSecondsOnly) {
  EXPECT_EQ(parse_retry_after("7"), 7u);
  EXPECT_EQ(parse_retry_after(" 0"), 0u);
  EXPECT_EQ(parse_retry_after("99999"), 300u) << "a typing error of the server must not silence the meter for a day";
  for (const char *text : {"", "-3", "soon", "3.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999"})
    EXPECT_FALSE(parse_retry_after(text).has_value()) << text;
}

std::string json(const Phases &phases, double energy_wh, size_t space = 512) {
  std::vector<char> into(space);  // on the heap, where the sanitizer sees a byte too many
  return std::string(to_json(into, phases, energy_wh, {.boot_id = "c0ffee", .version = "1.2.3"}));
}

TEST(ToJson, OnePhaseIsTheTotals) {
  EXPECT_EQ(json({{10, 2200}}, 12.5),
            R"({"amps": 10.00, "watts": 2200.0, "energy_wh": 12.500, "boot_id": "c0ffee", "version": "1.2.3"})");
}

TEST(ToJson, SeveralPhasesAreAList) {
  EXPECT_EQ(json({{1, 230}, {2, 460}, {0, 0}}, 0),
            R"({"phases": [{"amps": 1.00, "watts": 230.0}, {"amps": 2.00, "watts": 460.0}, )"
            R"({"amps": 0.00, "watts": 0.0}], "energy_wh": 0.000, "boot_id": "c0ffee", "version": "1.2.3"})");
}

TEST(ToJson, WhatIsBeyondTheRangeSaysSo) {
  EXPECT_EQ(json({{24, 5520, true}}, 0),
            R"({"amps": 24.00, "watts": 5520.0, "beyond_range": true, "energy_wh": 0.000, "boot_id": "c0ffee", )"
            R"("version": "1.2.3"})");
  EXPECT_EQ(json({{1, 230}, {24, 5520, true}}, 0),
            R"({"phases": [{"amps": 1.00, "watts": 230.0}, )"
            R"({"amps": 24.00, "watts": 5520.0, "beyond_range": true}], "energy_wh": 0.000, "boot_id": "c0ffee", )"
            R"("version": "1.2.3"})");
}

TEST(ToJson, HalfAReadingIsNone) {
  EXPECT_EQ(json({}, 0), "");
  EXPECT_EQ(json({{NAN, 1}}, 0), "");
  EXPECT_EQ(json({{1, NAN}}, 0), "");
  EXPECT_EQ(json({{1, 1}, {INFINITY, 1}}, 0), "");
  EXPECT_EQ(json({{1, 1}}, NAN), "");
}

TEST(ToJson, TheLongestSensibleOneFitsAndHalfATextIsNone) {
  const Phases phases(3, {1234.56, 299999.9, true});
  const std::string whole = json(phases, 99'999'999.999);
  EXPECT_EQ(whole.back(), '}');
  EXPECT_LT(whole.size(), 400u);
  EXPECT_EQ(json(phases, 99'999'999.999, whole.size() + 1), whole);
  for (size_t space = 1; space <= whole.size(); space++)
    EXPECT_EQ(json(phases, 99'999'999.999, space), "") << space;
  EXPECT_EQ(json({{1e300, 1e300}}, 0), "");
}

class Posting : public testing::Test {
 protected:
  void post(double amps, Outcome outcome = Outcome::ACCEPTED, std::optional<uint32_t> retry_after_s = {}) {
    schedule.posted(now, Phases{{amps, 0}});
    schedule.answered(now, outcome, retry_after_s, chance);
  }
  bool due_in(uint32_t ms, double amps) const { return schedule.is_due(now + ms, Phases{{amps, 0}}); }

  Schedule schedule;
  uint32_t now = 0xFFFFF000;  // the clock wraps around within four seconds
  double chance = 0;
};

TEST_F(Posting, StartsAtOnce) { EXPECT_TRUE(due_in(0, 5)); }

TEST_F(Posting, IsEveryFiveSecondsWhileNothingHappens) {
  post(5);
  EXPECT_FALSE(due_in(4'999, 5.9));
  EXPECT_TRUE(due_in(5'000, 5));
}

TEST_F(Posting, IsAtOnceAfterAStepEitherWayButNotWithinASecond) {
  post(5);
  for (const double amps : {6.0, 4.0}) {
    EXPECT_FALSE(due_in(999, amps));
    EXPECT_TRUE(due_in(1'000, amps));
  }
}

TEST_F(Posting, SeesAStepOfAnyPhase) {
  schedule.posted(now, Phases{{1, 0}, {1, 0}, {1, 0}});
  schedule.answered(now, Outcome::ACCEPTED, {}, 0);
  EXPECT_FALSE(schedule.is_due(now + 2'000, Phases{{1, 0}, {1, 0}, {1.5, 0}}));
  EXPECT_TRUE(schedule.is_due(now + 2'000, Phases{{1, 0}, {1, 0}, {2, 0}}));
}

TEST_F(Posting, BacksOffAndAStepDoesNotBreakThat) {
  uint32_t last_pause = 0;
  for (const uint32_t pause : {1'000u, 2'000u, 4'000u, 8'000u, 16'000u, 30'000u, 30'000u}) {
    post(5, Outcome::NO_ANSWER);
    EXPECT_FALSE(due_in(pause - 1, 50)) << pause;
    EXPECT_TRUE(due_in(pause, 5)) << pause;
    last_pause = pause;
  }
  EXPECT_EQ(last_pause, Schedule::LONGEST_PAUSE_MS);
  post(5);
  EXPECT_FALSE(due_in(999, 6)) << "one success, and the usual rhythm is back";
  EXPECT_TRUE(due_in(1'000, 6));
}

TEST_F(Posting, ForAYearWithoutAnAnswerKeepsTrying) {
  for (int i = 0; i < 100'000; i++)
    post(5, Outcome::NO_ANSWER);
  EXPECT_EQ(schedule.pause_ms(), Schedule::LONGEST_PAUSE_MS);
}

TEST_F(Posting, ThatDoesNotEndIsNoticed) {
  EXPECT_FALSE(schedule.is_stuck(now + 1'000'000)) << "nothing is under way";
  schedule.posted(now, Phases{{5, 0}});
  EXPECT_FALSE(schedule.is_stuck(now + 119'999));
  EXPECT_TRUE(schedule.is_stuck(now + 120'000));
  schedule.answered(now, Outcome::NO_ANSWER, {}, 0);
  EXPECT_FALSE(schedule.is_stuck(now + 120'000));
}

TEST_F(Posting, ChanceSpreadsTheReturnsButNeverShortensThem) {
  chance = 1;
  post(5, Outcome::TROUBLE);
  EXPECT_EQ(schedule.pause_ms(), 1'500u);
  post(5, Outcome::TOO_MANY, 10);
  EXPECT_EQ(schedule.pause_ms(), 15'000u);
}

TEST_F(Posting, RetryAfterIsHonouredEvenWhereItIsZero) {
  post(5, Outcome::TOO_MANY, 7);
  EXPECT_FALSE(due_in(6'999, 5));
  EXPECT_TRUE(due_in(7'000, 5));
  post(5, Outcome::TOO_MANY, 0);
  EXPECT_FALSE(due_in(999, 5));
  EXPECT_TRUE(due_in(1'000, 5));
}

}  // namespace
}  // namespace amp_core
