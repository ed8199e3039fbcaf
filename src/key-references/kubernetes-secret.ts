import { quoted } from '../kernel/quoted.ts';
import {
  askForObject,
  checkCredential,
  type KeyServiceAccess,
  malformed,
  misbehaved,
  notConfigured,
  objectIn,
  readCas,
  readNamed,
  textIn,
  variable,
} from './key-service.ts';

/** Where a pod finds its service account (Kubernetes, "Accessing the API from within a pod"). */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A namespace is a DNS label (RFC 1123), a secret's name such labels with dots. */
const form =
  /^k8s:\/\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/((?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/;
/** As `cosign generate-key-pair k8s://…` writes it. */
const entry = 'cosign.pub';

/**
 * The public key in a secret of the cluster that we run in: `k8s://NAMESPACE/SECRET`. The private
 * half stands beside it, so of what is read nothing but the public one is kept or told.
 */
export async function readKubernetesKey(uri: string, access: KeyServiceAccess): Promise<string> {
  const [, namespace, name] = form.exec(uri) ?? [];
  if (namespace === undefined || name === undefined) throw malformed('k8s://NAMESPACE/SECRET');
  const secret = await askForObject(access.ask, {
    method: 'GET',
    url: `${apiServer(access)}/api/v1/namespaces/${namespace}/secrets/${name}`,
    ...(await readAccount(access)),
  });
  if (secret['kind'] !== 'Secret') throw misbehaved('the answer is no Secret');
  const metadata = objectIn(secret, 'metadata');
  if (metadata['namespace'] !== namespace || metadata['name'] !== name) {
    throw misbehaved('the answer is another secret');
  }
  const data = objectIn(secret, 'data');
  if (data[entry] === undefined) throw misbehaved(`the secret has no entry ${entry}`);
  return decode(textIn(data, entry));
}

function apiServer(access: KeyServiceAccess): string {
  const host = variable(access, 'KUBERNETES_SERVICE_HOST');
  const port = variable(access, 'KUBERNETES_SERVICE_PORT') ?? '443';
  if (host === undefined) {
    throw notConfigured(
      'KUBERNETES_SERVICE_HOST is not set: outside of a cluster write the key into a file',
    );
  }
  const url = URL.parse(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  if (url === null || url.pathname !== '/' || url.username !== '') {
    throw notConfigured(`KUBERNETES_SERVICE_HOST ${quoted(host)} and its port are no address`);
  }
  return url.origin;
}

async function readAccount(
  access: KeyServiceAccess,
): Promise<{ readonly authorization: string; readonly ca: string }> {
  const text = await readNamed(`${accountFolder}/token`, "the service account's token", access);
  const token = checkCredential(text.trim(), "the service account's token");
  return { authorization: `Bearer ${token}`, ca: await readCas(`${accountFolder}/ca.crt`, access) };
}

function decode(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw misbehaved(`the entry ${entry} is not in base64`);
  return bytes.toString('latin1');
}
