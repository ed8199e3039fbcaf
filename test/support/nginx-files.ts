/** Configuration of an nginx with one worker that serves the files of a folder by sendfile. */
export function nginxFilesConfiguration({
  folder,
  root,
  port,
}: {
  /** For its own files. */
  readonly folder: string;
  readonly root: string;
  readonly port: number;
}): string {
  // Its worker must get into folders that are only ours.
  const asRoot = process.getuid?.() === 0 ? 'user root; ' : '';
  return `daemon off; ${asRoot}worker_processes 1; pid ${folder}/pid; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on; tcp_nopush on;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000000;
    root ${root};
    # Several ranges at once are not served.
    max_ranges 1;
  }
}
`;
}
