//! What Redis does in one step, in its own language. A key of another type is nobody's of ours, and overwritten.
//!
//! Each bears being run twice: a connection may break after it was run and before that was told.

use redis::Script;

/// All of them; Redis is told each when it does not know it yet.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) load: Script,
    pub(crate) save: Script,
    pub(crate) remove: Script,
    pub(crate) lease: Script,
    pub(crate) renew: Script,
    pub(crate) release: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            load: Script::new(&[THERE, LOAD].concat()),
            save: Script::new(&[THERE, SAVE].concat()),
            remove: Script::new(&[THERE, REMOVE].concat()),
            lease: Script::new(LEASE),
            renew: Script::new(RENEW),
            release: Script::new(RELEASE),
        }
    }
}

/// What is kept, up to one byte more than is allowed, and the eight bytes of its fence if it looks like a record: where
/// they are, `seal` says. Texts are not compared by `<`, which knows the rules of languages.
const THERE: &str = r"
local function there(limit)
  local kind = redis.call('TYPE', KEYS[1]).ok
  if kind == 'none' then return '' end
  if kind ~= 'string' then return 'a ' .. kind end
  return redis.call('GETRANGE', KEYS[1], 0, limit)
end
local function fence_of(record)
  if string.sub(record, 1, 5) ~= 'SOTK\1' or #record < 29 then return nil end
  return string.sub(record, 14, 21)
end
local function is_higher(one, other)
  for at = 1, 8 do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then return a > b end
  end
  return false
end
";

/// KEYS: the ticket. ARGV: the most bytes that a record has.
const LOAD: &str = "return there(ARGV[1])";

/// KEYS: the ticket. ARGV: the record, its fence, when it expires (in milliseconds since 1970), what may be there
/// whatever fence it has, the most bytes that a record has.
const SAVE: &str = r"
local record = there(ARGV[5])
local fence = fence_of(record)
if fence and record ~= ARGV[4] and is_higher(fence, ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
";

/// KEYS: the ticket. ARGV: a fence.
const REMOVE: &str = r"
if fence_of(there(28)) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return redis.status_reply('OK')
";

/// KEYS: the lease, the fence. ARGV: the owner, for how many milliseconds, for how many the fence is remembered.
///
/// Gives the fence, as text: Lua's numbers are not exact enough for some.
const LEASE: &str = r"
local owner = redis.pcall('GET', KEYS[1])
if type(owner) == 'string' and owner ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local next = redis.pcall('INCR', KEYS[2])
if type(next) ~= 'number' or next < now then redis.call('SET', KEYS[2], string.format('%.0f', now)) end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return redis.call('GET', KEYS[2])
";

/// KEYS: the lease. ARGV: the owner, for how many milliseconds.
const RENEW: &str = r"
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
";

/// KEYS: the lease. ARGV: the owner.
const RELEASE: &str = r"
if redis.pcall('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return redis.status_reply('OK')
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{FENCE_AT, HEADER_LENGTH, MAGIC, VERSION};

    #[test]
    fn the_scripts_know_where_the_fence_of_a_record_is() {
        let magic = format!(
            "string.sub(record, 1, {}) ~= '{}\\{VERSION}'",
            MAGIC.len() + 1,
            str::from_utf8(MAGIC).unwrap()
        );
        let fence = format!("string.sub(record, {}, {})", FENCE_AT + 1, FENCE_AT + 8);
        for part in [magic, fence, format!("#record < {HEADER_LENGTH}")] {
            assert!(THERE.contains(&part), "{part}");
        }
        assert!(REMOVE.contains(&format!("there({})", HEADER_LENGTH - 1)));
    }
}
