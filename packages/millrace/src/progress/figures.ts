const steps = ['', ' k', ' M', ' G', ' T'];

/** A count for people: `0`, `950`, `12.3 k`, `4.5 M`. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value < 999.5) return String(Math.round(value));
  let step = 0;
  let rest = value;
  do {
    rest /= 1_000;
    step++;
  } while (rest >= 999.95 && step < steps.length - 1);
  return `${rest.toFixed(1)}${steps[step]}`;
}

/** A count to the last digit, in groups of three: `3 000 000`. */
export function formatWhole(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Bytes for people, in powers of 1 000: `0 B`, `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const count = formatCount(bytes);
  return count.includes(' ') ? `${count}B` : `${count} B`;
}

/** An event time in UTC; `-` before the first, `end` at the end of the input. */
export function formatTime(timeMs: number): string {
  if (Number.isNaN(timeMs) || timeMs === Number.NEGATIVE_INFINITY) return '-';
  if (timeMs > 8.64e15) return 'end';
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}
