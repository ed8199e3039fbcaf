import type { Complain, PartialConfig } from './cross-checks.ts';
import { checkPlainHttp } from './plain-http.ts';

type S3Given = NonNullable<NonNullable<PartialConfig['storage']>['s3']>;

/** Who sends what we do not see can't be held to what we hash as it is sent. */
export function checkStorage({ storage, listen }: PartialConfig, complain: Complain): void {
  const { s3, accelLocation, verifyOnRead } = storage ?? {};
  if (s3 !== undefined) checkS3(s3, complain);
  // Whoever else connects would take an answer without bytes for the whole of a blob.
  if (accelLocation !== undefined && listen?.trustedProxies?.length === 0) {
    complain('storage.accelLocation', 'needs the address of that nginx in `listen.trustedProxies`');
  }
  if (verifyOnRead !== 'always') return;
  const because = 'sends blobs past `verifyOnRead: always`: take one of them away';
  if (accelLocation !== undefined) complain('storage.accelLocation', because);
  if (s3?.redirects === 'verified') complain('storage.s3.redirects', because);
}

function checkS3(
  { endpoint, plainHttp, ca, redirects, publicEndpoint }: S3Given,
  complain: Complain,
): void {
  checkPlainHttp(endpoint, plainHttp, 'storage.s3', complain, 'endpoint');
  if (endpoint?.startsWith('http:') === true && ca !== undefined) {
    complain('storage.s3.ca', 'has no meaning beside an http endpoint');
  }
  if (publicEndpoint !== undefined && redirects !== 'verified') {
    complain('storage.s3.publicEndpoint', 'has no meaning without `redirects: verified`');
  }
}
