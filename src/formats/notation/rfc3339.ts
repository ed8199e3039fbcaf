export { parseRfc3339 } from '../../crypto/rfc3339.ts';
