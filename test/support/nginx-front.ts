import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCertificate } from './server-certificate.ts';

const deployed = join(import.meta.dirname, '..', '..', 'deploy', 'nginx');
const file = join(deployed, 'nginx.conf');

export interface NginxFront {
  /** For its own files. */
  readonly folder: string;
  readonly port: number;
  /** Ports of the replicas: two, as the configuration names, or more. */
  readonly replicas: readonly number[];
  readonly tls: Pick<ServerCertificate, 'certificate' | 'key'>;
  /** The folder of stored blobs, where nginx is to send them: stored-content.conf is included then. */
  readonly stored?: string;
  /** Clients' and those to replicas, at a time; 256 unless told. */
  readonly connections?: number;
}

/** Writes deploy/nginx/nginx.conf with the places of this machine in it; returns nginx's words. */
export function writeNginxFront({
  folder,
  port,
  replicas,
  tls,
  stored,
  connections = 256,
}: NginxFront): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const [named, more] = [replicas.slice(0, 2), replicas.slice(2)];
  const places: Readonly<Record<string, string>> = {
    // Its worker must get into folders that are only ours.
    'worker_processes auto;': `daemon off; ${process.getuid?.() === 0 ? 'user root; ' : ''}worker_processes 1;`,
    '/var/run/nginx.pid': join(folder, 'pid'),
    'worker_rlimit_nofile 65536;': '',
    'worker_connections 16384;': `worker_connections ${connections};`,
    '/dev/stdout': join(folder, 'access.log'),
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    '/etc/nginx/tls/tls.crt': join(folder, 'tls.crt'),
    '/etc/nginx/tls/tls.key': join(folder, 'tls.key'),
    'server_tokens off;': `server_tokens off; ${temporaryFolders(folder)}`,
    ...Object.fromEntries(
      named.map((replica, index) => [`assay-${index + 1}:5000`, `127.0.0.1:${replica}`]),
    ),
  };
  let text = readFileSync(file, 'utf8');
  for (const [theirs, ours] of Object.entries(places)) {
    if (!text.includes(theirs)) throw new Error(`nginx.conf does not say ${theirs}`);
    text = text.replaceAll(theirs, ours);
  }
  // As an operator adds them: the same line again.
  text = text.replace(/^.*server 127\.0\.0\.1:\d+ (max_fails.*)\n(?!.*server 127)/m, (line, how) =>
    [line, ...more.map((replica) => `    server 127.0.0.1:${replica} ${how}\n`)].join(''),
  );
  if (stored !== undefined) {
    const content = readFileSync(join(deployed, 'stored-content.conf'), 'utf8');
    text = text.replace(
      'location / {',
      `${content.replace('/var/lib/assay/blobs/', `${stored}/`)}\nlocation / {`,
    );
  }
  writeFileSync(join(folder, 'nginx.conf'), text);
  writeFileSync(join(folder, 'tls.crt'), tls.certificate);
  writeFileSync(join(folder, 'tls.key'), tls.key);
  return ['-c', join(folder, 'nginx.conf'), '-p', folder];
}

function temporaryFolders(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
}
