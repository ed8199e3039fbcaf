import t from 'tap';
import { renderConfigurationReference } from '../../../src/config/reference.ts';

t.test('a key is told with its meaning, what it takes and what holds without it', async (t) => {
  const page = renderConfigurationReference();
  t.match(page, '- `listen.port`: The port. 0 takes any free one. Must be a port from 0 to 65535');
  t.match(page, /`lifetimes.tag`.*Default: `60s`/);
  t.match(page, /`upstreams.NAME.credentials.password`.*Required/);
  t.match(page, /## trustPolicy\n\n.*Required/);
});
