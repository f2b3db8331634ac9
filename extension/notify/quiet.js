// Hours in which nothing is told by a notification or a sound, by this machine's own clock.

/** @typedef {import("../shared/settings.js").QuietHours} QuietHours */

/** @param {string} time as 22:00 @returns {number} minutes since midnight; NaN for what is no time */
function minutes(time) {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  return hour === undefined ? NaN : 60 * Number(hour) + Number(minute);
}

/** @param {string} time @returns {boolean} whether it can be kept */
export function isTime(time) {
  return !Number.isNaN(minutes(time));
}

/**
 * @param {QuietHours} quiet
 * @param {Date} now
 * @returns {boolean} from the first minute on and up to the last; all day where they are the same
 */
export function isQuiet({ on, from, to }, now) {
  const [start, end] = [minutes(from), minutes(to)];
  if (!on || Number.isNaN(start) || Number.isNaN(end)) return false;
  const at = 60 * now.getHours() + now.getMinutes();
  return start < end ? at >= start && at < end : at >= start || at < end;
}
