import { type DerElement, derTags } from './der.ts';
import { EnvelopeError } from './envelope-error.ts';

const timePatterns: Readonly<Record<number, RegExp>> = {
  [derTags.utcTime]: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
  [derTags.generalizedTime]: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
};

/**
 * A UTCTime or GeneralizedTime: with seconds, no fraction, in Z (RFC 5280, sections 4.1.2.5.1 and
 * 4.1.2.5.2). `what` names it in the error.
 */
export function readTime(element: DerElement | undefined, what: string): Date {
  const { tag = 0, content = new Uint8Array() } = element ?? {};
  const match = timePatterns[tag]?.exec(Buffer.from(content).toString('latin1'));
  if (!match) throw malformed(`${what} is malformed`);
  const [, year = '', month, day, hour, minute, second] = match;
  const century = tag === derTags.generalizedTime ? '' : year >= '50' ? '19' : '20';
  const text = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(text);
  // 30 February would be read as 2 March.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== text) {
    throw malformed(`${what} does not exist`);
  }
  return time;
}

/** The same where GeneralizedTime alone may stand (RFC 6960, section 4.2.2.1). */
export function readGeneralizedTime(element: DerElement | undefined, what: string): Date {
  if (element?.tag !== derTags.generalizedTime) throw malformed(`${what} is malformed`);
  return readTime(element, what);
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
