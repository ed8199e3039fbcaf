/** What holds where the configuration says nothing. Texts as a person would write them. */
export const defaults = {
  host: '127.0.0.1',
  listenPort: 5000,
  adminPort: 5001,
  trustStore: './trust',
  storagePath: './data',
  scrubRate: '5 MiB',
  verifyOnRead: 'never',
  quarantine: { maxBytes: '1 GiB', maxAge: '30d' },
  lifetimes: { tag: '60s', trusted: '24h', untrusted: '10s', staleTag: '1h' },
  limits: {
    client: { requests: 1000, streams: 2000, misses: { burst: 100, perMinute: 60 } },
    coldRequests: 4000,
  },
  rateLimitReserve: 20,
  pluginTimeout: '5s',
  redisKeyPrefix: 'assay',
  s3Prefix: 'assay',
  s3Addressing: 'path',
  s3Redirects: 'never',
} as const;
