const pattern =
  /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * The instant of an RFC 3339 date-time (section 5.6) to the millisecond, later digits dropped.
 * Undefined for anything else, days that do not exist and leap seconds.
 */
export function parseRfc3339(text: string): Date | undefined {
  if (!pattern.test(text)) return undefined;
  const time = new Date(text);
  // 30 February would be read as 2 March: the day must survive without its offset.
  const day = text.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  return exists && !Number.isNaN(time.getTime()) ? time : undefined;
}
