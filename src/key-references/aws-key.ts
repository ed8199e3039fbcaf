import type { Clock } from '../kernel/clock.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type AwsCredentials, signAwsRequest } from './aws-signature.ts';
import {
  askForObject,
  checkCredential,
  type KeyServiceAccess,
  malformed,
  misbehaved,
  notConfigured,
  pemOf,
  readCas,
  textIn,
  variable,
} from './key-service.ts';

/** A key of AWS KMS: its id or alias, or an ARN, which says the region too. */
interface AwsKeyName {
  readonly endpoint: string;
  readonly key: string;
  readonly region?: string | undefined;
}

const id = '(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})';
const alias = 'alias/[A-Za-z0-9/_-]{1,250}';
const form = new RegExp(
  `^awskms://([^/?#@\\s]*)/(${id}|${alias}|arn:aws[a-z-]*:kms:([a-z0-9-]{1,32}):[0-9]{12}:(?:key/${id}|${alias}))$`,
);
const regionForm = /^[a-z0-9-]{1,32}$/;
const type = 'application/x-amz-json-1.1';

/**
 * The public key of AWS KMS (GetPublicKey), in cosign's notation: `awskms:///KEYID`,
 * `awskms:///alias/NAME`, `awskms:///ARN`, each with an endpoint's host in front where it is not
 * AWS's own. Credentials are those in the environment, and nothing else: no profile, no role.
 */
export async function readAwsKey(
  uri: string,
  access: KeyServiceAccess,
  clock: Clock,
): Promise<string> {
  const name = parse(uri);
  const region = regionOf(name, access);
  const url = endpointOf(name, region);
  const body = Buffer.from(JSON.stringify({ KeyId: name.key }));
  const headers = { 'content-type': type, 'x-amz-target': 'TrentService.GetPublicKey' };
  const request = { method: 'POST', url, headers, body, region, service: 'kms' } as const;
  // As AWS's own clients take it.
  const bundle = variable(access, 'AWS_CA_BUNDLE');
  const { authorization, headers: signed } = signAwsRequest(
    request,
    credentialsOf(access),
    clock.now(),
  );
  const { 'content-type': _, ...others } = signed;
  const answer = await askForObject(access.ask, {
    method: 'POST',
    url: url.href,
    authorization,
    headers: others,
    body: { type, bytes: body },
    ca: bundle && (await readCas(bundle, access)),
  });
  checkAnswer(answer, name);
  return pemOf(textIn(answer, 'PublicKey'));
}

function parse(uri: string): AwsKeyName {
  const [, endpoint, key, region] = form.exec(uri) ?? [];
  if (endpoint === undefined || key === undefined) {
    throw malformed('awskms://[ENDPOINT]/KEY with the id, alias/NAME or ARN of a key');
  }
  return { endpoint, key, region };
}

function regionOf({ region }: AwsKeyName, access: KeyServiceAccess): string {
  const found = region ?? variable(access, 'AWS_REGION') ?? variable(access, 'AWS_DEFAULT_REGION');
  if (found === undefined) throw notConfigured('AWS_REGION is not set, and no ARN says the region');
  if (!regionForm.test(found)) throw notConfigured('AWS_REGION is no region');
  return found;
}

function endpointOf({ endpoint }: AwsKeyName, region: string): URL {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = URL.parse(`https://${endpoint === '' ? `kms.${region}.${domain}` : endpoint}/`);
  if (url === null || url.pathname !== '/') throw malformed('awskms://HOST:PORT/KEY');
  return url;
}

function credentialsOf(access: KeyServiceAccess): AwsCredentials {
  const read = (name: string): string | undefined => {
    const value = variable(access, name);
    return value === undefined ? undefined : checkCredential(value, name);
  };
  const accessKeyId = read('AWS_ACCESS_KEY_ID');
  const secretAccessKey = read('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw notConfigured('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set');
  }
  return { accessKeyId, secretAccessKey, sessionToken: read('AWS_SESSION_TOKEN') };
}

function checkAnswer(answer: JsonObject, { key }: AwsKeyName): void {
  if (!isOf(textIn(answer, 'KeyId'), key)) throw misbehaved('the answer is another key');
  if (answer['KeyUsage'] !== 'SIGN_VERIFY') throw misbehaved('the key is none to sign with');
}

/** AWS answers with the key's ARN, models of it with its id. What an alias is for, it alone knows. */
function isOf(answered: string, key: string): boolean {
  if (key.includes('alias/') || answered === key) return true;
  return answered.endsWith(`:key/${key}`) || key.endsWith(`:key/${answered}`);
}
