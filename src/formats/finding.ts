import type { Reason } from '../verdict/reason.ts';
import type { Finding } from './signature-format.ts';

export function pass(evidence?: Readonly<Record<string, string>>): Finding {
  return { outcome: 'passed', ...(evidence !== undefined && { evidence }) };
}

export function fail(reason: Reason, because: string): Finding {
  return { outcome: 'failed', because, reason };
}

export function inconclude(reason: Reason, because: string): Finding {
  return { outcome: 'inconclusive', because, reason };
}
