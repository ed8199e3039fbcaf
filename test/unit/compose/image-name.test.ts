import t from 'tap';
import { ImageNameError, readImageName } from '../../../src/compose/image-name.ts';
import { referenceSuffix } from '../../../src/oci/reference.ts';
import { scopeOf } from '../../../src/oci/repository.ts';

const upstreams = ['docker.io', 'ghcr.io', 'demo', 'localhost:5555'];
const digest = `sha256:${'a'.repeat(64)}`;

const names = [
  ['docker.io/library/nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['docker.io/nginx', 'docker.io/library/nginx:latest'],
  [`ghcr.io/acme/app@${digest}`, `ghcr.io/acme/app@${digest}`],
  [`ghcr.io/acme/app:1.4@${digest}`, `ghcr.io/acme/app@${digest}`],
  ['demo/app', 'demo/app:latest'],
  ['localhost:5555/app', 'localhost:5555/app:latest'],
  ['localhost:5555/team/app:v1', 'localhost:5555/team/app:v1'],
] as const;

for (const [text, expected] of names) {
  t.test(`${text.slice(0, 40)} is ${expected.slice(0, 40)}`, async (t) => {
    const { repository, reference } = readImageName(text, upstreams);
    t.equal(scopeOf(repository) + referenceSuffix(reference), expected);
  });
}

const refusals = [
  ['nginx', 'UPSTREAM_UNKNOWN', /"nginx" names no upstream/],
  ['quay.io/a/b:1', 'UPSTREAM_UNKNOWN', /"quay.io" is no upstream of this configuration/],
  ['Demo/app', 'UPSTREAM_UNKNOWN', /"Demo" is no upstream/],
  ['', 'UPSTREAM_UNKNOWN', /names no upstream/],
  ['https://ghcr.io/acme/app', 'UPSTREAM_UNKNOWN', /no upstream/],
  ['demo/', 'IMAGE_NAME_MALFORMED', /no valid repository name behind demo\//],
  ['demo/App', 'IMAGE_NAME_MALFORMED', /no valid repository name/],
  ['demo/../app', 'IMAGE_NAME_MALFORMED', /no valid repository name/],
  ['demo/app:', 'IMAGE_NAME_MALFORMED', /"" is no tag and no digest/],
  ['demo/app:a b', 'IMAGE_NAME_MALFORMED', /"a b" is no tag/],
  ['demo/app@1.4', 'IMAGE_NAME_MALFORMED', /"1.4" is no digest/],
  [`demo/app@${digest.toUpperCase()}`, 'IMAGE_NAME_MALFORMED', /is no digest/],
  ['demo/app:\u001b[2K', 'IMAGE_NAME_MALFORMED', /"\\u001b\[2K" is no tag/],
] as const;

for (const [text, code, message] of refusals) {
  t.test(`${JSON.stringify(text).slice(0, 40)} is refused`, async (t) => {
    t.throws(() => readImageName(text, upstreams), { name: ImageNameError.name, code, message });
  });
}
