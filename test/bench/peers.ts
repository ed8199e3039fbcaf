import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nginxFilesConfiguration } from '../support/nginx-files.ts';
import { findTool } from '../support/require-tool.ts';
import { freePort, type Owner } from '../interop/support/process.ts';
import { type ServerOnCore, startOnCore } from './server-on-core.ts';

// Its worker must get into the temporary folder, which is only ours.
const asRoot = process.getuid?.() === 0 ? 'user root; ' : '';
const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The path of a real tool, which must be there. */
export function tool(name: string): string {
  const found = findTool(name);
  if (found === undefined) throw new Error(`the benchmark needs ${name}: see .ci/install-tools`);
  return found;
}

async function folderIn(folder: string, name: string): Promise<string> {
  const made = join(folder, name);
  await mkdir(made, { recursive: true });
  return made;
}

/** distribution, by itself or as the pull-through cache of `remoteUrl`. */
export async function startDistribution(
  owner: Owner,
  parent: string,
  name: string,
  remoteUrl?: string,
): Promise<ServerOnCore> {
  const folder = await folderIn(parent, name);
  const port = await freePort();
  const proxy = remoteUrl === undefined ? '' : `proxy: { remoteurl: "${remoteUrl}" }\n`;
  const file = join(folder, 'config.yml');
  await writeFile(
    file,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: "${folder}/content" } }
http: { addr: "127.0.0.1:${port}" }
${proxy}`,
  );
  const env = { OTEL_TRACES_EXPORTER: 'none' };
  return startOnCore(owner, tool('registry'), ['serve', file], port, env);
}

/** zot with its sync extension, which pulls what is asked for; undefined where it is not there. */
export async function startZot(
  owner: Owner,
  parent: string,
  remoteUrl: string,
): Promise<ServerOnCore | undefined> {
  const program = findTool('zot');
  if (program === undefined) return undefined;
  const folder = await folderIn(parent, 'zot');
  const port = await freePort();
  const file = join(folder, 'config.json');
  const registry = {
    urls: [remoteUrl],
    onDemand: true,
    tlsVerify: false,
    content: [{ prefix: '**' }],
  };
  const config = {
    storage: { rootDirectory: join(folder, 'content') },
    http: { address: '127.0.0.1', port: String(port) },
    log: { level: 'error' },
    extensions: { sync: { enable: true, registries: [registry] } },
  };
  await writeFile(file, JSON.stringify(config));
  return startOnCore(owner, program, ['serve', file], port);
}

/** nginx with one worker that keeps what it got from `remoteUrl`. */
export async function startNginx(
  owner: Owner,
  parent: string,
  remoteUrl: string,
): Promise<ServerOnCore> {
  const folder = await folderIn(parent, 'nginx');
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; ${asRoot}worker_processes 1; pid ${folder}/pid; error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache keys_zone=kept:1m;
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000000;
    location / {
      proxy_pass ${remoteUrl};
      proxy_cache kept; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control Expires Vary;
    }
  }
}
`,
  );
  return startOnCore(owner, tool('nginx'), ['-c', file], port);
}

/** nginx with one worker that serves the files of a folder. */
export async function startNginxFiles(
  owner: Owner,
  parent: string,
  root: string,
): Promise<ServerOnCore> {
  const folder = await folderIn(parent, 'nginx-files');
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, nginxFilesConfiguration({ folder, root, port }));
  return startOnCore(owner, tool('nginx'), ['-c', file], port);
}

/** The built proxy over `remoteUrl`, trusting one root; needs `npm run build` first. */
export function startAssay(
  owner: Owner,
  parent: string,
  remoteUrl: string,
  rootPem: string,
): Promise<ServerOnCore> {
  return startAssayUnder(owner, parent, remoteUrl, {
    trustPolicy: `version: 1
identities:
  signer: { notation: { trustStores: ["ca:bench"], trustedIdentities: ["*"] } }
rules:
  - repositories: ["up/**"]
    require: { signedBy: signer }
`,
    files: { 'trust/x509/ca/bench/root.pem': rootPem },
  });
}

export interface AssayOptions {
  readonly trustPolicy: string;
  /** Beside the configuration, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the list of `taskset`; the first unless told. */
  readonly cores?: string;
}

/** The same with a policy and trust material of any kind. */
export async function startAssayUnder(
  owner: Owner,
  parent: string,
  remoteUrl: string,
  { trustPolicy, files, cores }: AssayOptions,
): Promise<ServerOnCore> {
  const folder = await folderIn(parent, 'assay');
  const [port, adminPort] = [await freePort(), await freePort()];
  await folderIn(folder, 'trust');
  for (const [path, text] of Object.entries(files)) {
    await folderIn(folder, dirname(path));
    await writeFile(join(folder, path), text);
  }
  await writeFile(join(folder, 'trust-policy.yaml'), trustPolicy);
  const file = join(folder, 'assay.yaml');
  await writeFile(
    file,
    `listen: { host: 127.0.0.1, port: ${port} }
admin: { host: 127.0.0.1, port: ${adminPort} }
upstreams: { up: { url: "${remoteUrl}", plainHttp: allowed } }
trustPolicy: ./trust-policy.yaml
trust: { store: ./trust }
storage: { path: ./data }
`,
  );
  const main = join(projectRoot, 'dist', 'main.js');
  // As in the image.
  const words = ['--max-semi-space-size=8', main, 'serve', '--config', file];
  return startOnCore(owner, process.execPath, words, port, {}, cores);
}
