/** Numbers and times as whoever looks has set them. */

const NUMBERS = { comma_decimal: "en-US", decimal_comma: "de", space_comma: "fr", quote_decimal: "de-CH" };
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;

export function formatsOf(hass) {
  const { language = hass.language, number_format, time_format, time_zone } = hass.locale ?? {};
  const numbers = number_format === "system" ? undefined : (NUMBERS[number_format] ?? language);
  const numeric = (options) => {
    const format = new Intl.NumberFormat(numbers, { useGrouping: number_format !== "none", ...options });
    return (value) => format.format(value).replace("-", "−");
  };
  const timed = (options) => {
    const format = new Intl.DateTimeFormat(time_format === "system" ? undefined : language, {
      hourCycle: { 12: "h12", 24: "h23" }[time_format],
      timeZone: time_zone === "server" ? hass.config.time_zone : undefined,
      ...options,
    });
    return (at_s) => format.format(at_s * 1000);
  };
  const unit = (name, unitDisplay) => new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay });
  const spanned = (seconds, unitDisplay) => {
    if (seconds < MINUTE_S) return unit("second", unitDisplay).format(Math.round(seconds));
    if (seconds < HOUR_S) return unit("minute", unitDisplay).format(Math.round(seconds / MINUTE_S));
    if (seconds <= DAY_S) return unit("hour", unitDisplay).format(Math.round(seconds / HOUR_S));
    return unit("day", unitDisplay).format(Math.round(seconds / DAY_S));
  };
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  return {
    tenths: numeric({ minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    hundredths: numeric({ minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    short: numeric({ maximumFractionDigits: 1 }),
    whole: numeric({ maximumFractionDigits: 0 }),
    time: timed({ hour: "2-digit", minute: "2-digit" }),
    precise: timed({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    day: timed({ weekday: "short", day: "numeric" }),
    dayTime: timed({ weekday: "short", hour: "2-digit", minute: "2-digit" }),
    /** A span of time in one unit: 15 min, 1 h, 7 d. */
    span: (seconds) => spanned(seconds, seconds < HOUR_S ? "short" : "narrow"),
    longSpan: (seconds) => spanned(seconds, "long"),
    /** A span of time in hours and minutes, or minutes and seconds. */
    duration(seconds) {
      const whole = Math.round(seconds);
      if (whole < MINUTE_S) return unit("second", "narrow").format(whole);
      const [large, small, size] =
        whole < HOUR_S ? ["minute", "second", MINUTE_S] : ["hour", "minute", HOUR_S];
      const rest = Math.floor((whole % size) / (size / 60));
      const first = unit(large, "narrow").format(Math.floor(whole / size));
      return rest ? `${first} ${unit(small, "narrow").format(rest)}` : first;
    },
    ago: (seconds) =>
      seconds < MINUTE_S
        ? relative.format(-Math.max(1, Math.round(seconds)), "second")
        : relative.format(-Math.round(seconds / MINUTE_S), "minute"),
    list: (names) => new Intl.ListFormat(language, { type: "conjunction" }).format(names),
  };
}
