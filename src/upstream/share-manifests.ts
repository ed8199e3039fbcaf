import { abortable } from '../kernel/abort.ts';
import type { KeptKey } from '../storage/manifest-store.ts';
import type { ContentSource, ManifestContent } from './content-source.ts';
import { fetchOnce } from './fetch-once.ts';
import type { SharedTier } from './shared-fill.ts';
import { isWorthKeeping } from './worth-keeping.ts';

/** A content source whose manifests by digest one replica fetches for all, of each repository. */
export function shareManifests(
  source: ContentSource,
  upstream: string,
  { content: shared, manifests }: Pick<SharedTier, 'content' | 'manifests'>,
): ContentSource {
  return {
    ...source,
    async fetchManifest(path, reference, signal) {
      const fetch = () => source.fetchManifest(path, reference, signal);
      if (!('digest' in reference) || !shared.isUp()) return fetch();
      const { digest } = reference;
      const key: KeptKey = { kind: 'manifest', place: `${upstream}/${path}`, digest };
      const { got } = fetchOnce<ManifestContent>(
        manifests,
        {
          name: `manifest/${key.place}@${digest}`,
          async look() {
            const found = await shared.getKept(key, signal);
            const content = found && { ...found, digest };
            return content !== undefined && isWorthKeeping(content) ? content : undefined;
          },
          fetch,
          async leave(content) {
            if (isWorthKeeping(content)) await shared.putKept(key, content);
          },
        },
        signal,
      );
      return abortable(got, signal);
    },
  };
}
