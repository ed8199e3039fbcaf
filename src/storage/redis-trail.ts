import { type KeyValueEntry, maxKeyBytes } from './key-value.ts';
import type { groupedKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import {
  filled,
  maxDigests,
  maxListed,
  maxTrailValueBytes,
  type OnTrail,
  type Trail,
} from './trail.ts';

/**
 * KEYS: one of the keys, which says on which node of a cluster this runs; those on others are not
 * looked at. ARGV: the trail as JSON. Returns, for each thing that was looked at, its kind, which
 * of the kind, the digest, and what was found: a value or none, or names and values in turn.
 */
const trailScript = `
local trail = cjson.decode(ARGV[1])
local found, names, seen = {}, {}, {}
local function add(name)
  if not seen[name] and #names < trail.maxDigests then
    seen[name] = true
    names[#names + 1] = name
  end
end
local function note(text)
  for name in string.gmatch(text, 'sha256:' .. string.rep('%x', 64)) do add(name) end
  for name in string.gmatch(text, 'sha512:' .. string.rep('%x', 128)) do add(name) end
end
-- A name that is the same for all digests has no second half.
local function fill(halves, name)
  if halves[2] then return halves[1] .. name .. halves[2] end
  return halves[1]
end
local function look(kind, which, name, key)
  local value = redis.pcall('GETRANGE', key, 0, trail.maxBytes)
  if type(value) ~= 'string' or #value > trail.maxBytes then return '' end
  found[#found + 1] = {kind, which, name, value}
  return value
end
local function list(which, name, place)
  local index, base, member = fill(place.index, name), fill(place.base, name), fill(place.member, name)
  local members = redis.pcall('ZRANGEBYLEX', index, '[' .. member, '[' .. member .. '\\255', 'LIMIT', 0, trail.maxListed)
  if members.err then return end
  local entries = {}
  for _, each in ipairs(members) do
    if #each > trail.maxNameBytes then return end
    local value = redis.pcall('GETRANGE', base .. each, 0, trail.maxBytes)
    if type(value) ~= 'string' or value == '' or #value > trail.maxBytes then return end
    entries[#entries + 1] = each
    entries[#entries + 1] = value
    note(string.sub(each, #member + 1))
  end
  found[#found + 1] = {'listed', which, name, entries}
end
if trail.digest then add(trail.digest) end
if trail.start then note(look('start', 1, '', trail.start)) end
local at = 1
while names[at] do
  local name = names[at]
  for which, key in ipairs(trail.read) do look('read', which, name, fill(key, name)) end
  for which, key in ipairs(trail.followed) do note(look('followed', which, name, fill(key, name))) end
  for which, place in ipairs(trail.listed) do list(which, name, place) end
  at = at + 1
end
return found
`;

/** What stands before the digest, and after it. */
const halves = (name: string): readonly string[] => name.split('*');

/** Before each value in Redis. */
const markBytes = 1;

/** Follows a trail in one turn. What is on another node of a cluster is left out. */
export async function followRedisTrail(
  trail: Trail,
  link: Pick<RedisLink, 'send'>,
  keys: ReturnType<typeof groupedKeys>,
): Promise<OnTrail> {
  const entryOf = (key: string): string => keys.placeOf(key).entry;
  const start = trail.start === undefined ? undefined : entryOf(trail.start);
  const plan = {
    start,
    digest: trail.digest,
    read: trail.read.map((key) => halves(entryOf(key))),
    followed: trail.followed.map((key) => halves(entryOf(key))),
    listed: trail.listed.map((prefix) => {
      const { index, base, member } = keys.groupOfPrefix(prefix);
      return { index: halves(index), base: halves(base), member: halves(member) };
    }),
    maxDigests,
    maxListed,
    maxNameBytes: maxKeyBytes,
    maxBytes: maxTrailValueBytes + markBytes,
  };
  const first = start ?? entryOf(filled(trail.read[0] ?? '', trail.digest ?? ''));
  const reply = await link.send('get', 'EVAL', [trailScript, 1, first, JSON.stringify(plan)]);
  return toFound(trail, Array.isArray(reply) ? reply : [], keys);
}

function toFound(
  trail: Trail,
  reply: readonly unknown[],
  keys: Pick<ReturnType<typeof groupedKeys>, 'groupOfPrefix'>,
): OnTrail {
  const values = new Map<string, Uint8Array | undefined>();
  const lists = new Map<string, readonly KeyValueEntry[]>();
  const digests = new Set<string>();
  for (const item of reply) {
    if (!Array.isArray(item)) continue;
    const [kind, which, digest, what]: readonly unknown[] = item;
    const name = nameOf(trail, String(kind), Number(which), String(digest));
    if (name === undefined) continue;
    if (String(kind) === 'read') digests.add(String(digest));
    if (Buffer.isBuffer(what)) {
      values.set(name, what.length === 0 ? undefined : what.subarray(markBytes));
    } else if (Array.isArray(what))
      lists.set(name, entriesOf(keys.groupOfPrefix(name).group, what));
  }
  return { values, lists, maxListed, digests: [...digests] };
}

function nameOf(trail: Trail, kind: string, which: number, digest: string): string | undefined {
  if (kind === 'start') return trail.start;
  if (kind !== 'read' && kind !== 'followed' && kind !== 'listed') return undefined;
  const name = trail[kind][which - 1];
  return name === undefined ? undefined : filled(name, digest);
}

/** Names in a group come without the group's own. */
function entriesOf(group: string, what: readonly unknown[]): readonly KeyValueEntry[] {
  const entries: KeyValueEntry[] = [];
  for (let at = 0; at + 1 < what.length; at += 2) {
    const member: unknown = what[at];
    const value: unknown = what[at + 1];
    if (!Buffer.isBuffer(member) || !Buffer.isBuffer(value)) continue;
    entries.push({ key: group + member.toString(), value: value.subarray(markBytes) });
  }
  return entries;
}
