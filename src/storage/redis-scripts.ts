/**
 * What several commands must do at once. Keys of one group have one hash tag, so that they are on
 * one node of a cluster. Only while their slot moves some are on another: a script is sent on for
 * the keys that it declares, and finds the others missing, which therefore proves nothing.
 */

/**
 * KEYS: the entry, the index of its group. ARGV: value, milliseconds to keep it (0: for ever), its
 * name in the group, what stands before names in keys. Returns those of two members of the index
 * whose entries may be gone.
 */
export const putScript = `
local keep = tonumber(ARGV[2])
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[2]) end
local ttl = redis.call('PTTL', KEYS[2])
local missing = {}
for _, member in ipairs(redis.call('ZRANDMEMBER', KEYS[2], 2)) do
  if member ~= ARGV[3] and redis.pcall('EXISTS', ARGV[4] .. member) == 0 then
    missing[#missing + 1] = member
  end
end
redis.call('ZADD', KEYS[2], 0, ARGV[3])
if keep > 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', keep)
  if ttl ~= -1 then redis.call('PEXPIRE', KEYS[2], math.max(ttl, keep)) end
else
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('PERSIST', KEYS[2])
end
return missing
`;

/** KEYS: the entry, the index of its group. ARGV: its name in the group, which goes if it is gone. */
export const forgetScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
return redis.call('ZREM', KEYS[2], ARGV[1])
`;

/** KEYS: the entry, the index of its group. ARGV: its name in the group. */
export const deleteScript = `
redis.call('DEL', KEYS[1])
if redis.call('TYPE', KEYS[2]).ok == 'zset' then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 1
`;

/**
 * KEYS: the index. ARGV: bounds of the names, how many, what stands before names in keys, the
 * last byte of the values that is wanted, the longest name. Returns names and values in turn; a
 * value that is missing is empty.
 */
export const listScript = `
local found = {}
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return found end
local members = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
for _, member in ipairs(members) do
  if #member <= tonumber(ARGV[6]) then
    local value = redis.pcall('GETRANGE', ARGV[4] .. member, 0, ARGV[5])
    if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE') then value = '' end
    if type(value) == 'string' then
      found[#found + 1] = member
      found[#found + 1] = value
    end
  end
end
return found
`;

/** KEYS: the lease, its counter. ARGV: milliseconds. Returns the token, or 0 where it is taken. */
export const takeScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local token = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], 86400000)
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
return token
`;

/** KEYS: the lease. ARGV: the token. Another owner's lease stays. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/** KEYS: the lease. ARGV: the token, milliseconds. Another owner's lease stays as it is. */
export const renewScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
`;
