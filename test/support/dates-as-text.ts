/** The same with its dates as text: tap's `match` takes any two dates to be alike. */
export function datesAsText(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(datesAsText);
  const isPlain = typeof value === 'object' && value?.constructor === Object;
  if (!isPlain) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, datesAsText(each)]));
}
