// A measured number as one line of JSON; percentiles by nearest rank. The same words as the Rust generators'.

/** The smallest sample that at least `p` percent of all are not above; NaN without samples.
 * @param {number[]} samples @param {number} p */
export function percentile(samples, p) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil((p / 100) * sorted.length)) - 1] ?? NaN;
}

/** @param {string} figure @param {number} value @param {string} unit @param {number} n @param {number} errors */
export function line(figure, value, unit, n, errors) {
  return JSON.stringify({ figure, value: Math.round(value * 1000) / 1000, unit, n, errors });
}
