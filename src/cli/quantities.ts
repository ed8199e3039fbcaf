const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** An amount for a person: `0 B`, `512 B`, `1.5 KiB`, `12 GiB`. */
export function describeBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let amount = bytes;
  let unit = 'B';
  for (const next of units) {
    if (amount < 1024) break;
    amount /= 1024;
    unit = next;
  }
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
}

/** A span for a person, to its two greatest parts: `3 s`, `2 min 5 s`, `1 h 12 min`, `3 d 4 h`. */
export function describeSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    { amount: Math.floor(whole / 86_400), unit: 'd' },
    { amount: Math.floor(whole / 3600) % 24, unit: 'h' },
    { amount: Math.floor(whole / 60) % 60, unit: 'min' },
    { amount: whole % 60, unit: 's' },
  ];
  const first = parts.findIndex(({ amount }) => amount > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(({ amount }) => amount > 0)
    .map(({ amount, unit }) => `${amount} ${unit}`)
    .join(' ');
}

/** `1 file`, `2 files`. */
export function describeCount(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}
