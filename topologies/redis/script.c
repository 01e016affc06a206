/* script.c: the compare-and-set on versions, which Redis runs as one step.
 *
 * (1) What is there is replaced by what is not older: the same version again renews its time to live.
 * (2) A key that was taken away stays away for what is not newer than its deletion, until the deletion's time to live ends.
 * (3) Both keys share a slot: the deletion's has the other as its hash tag, which has no braces of its own.
 */
#include <openssl/evp.h>

#include "topologies/redis/internal.h"

/* Numbers may need more digits than a double has, so they are compared as they are written. */
const char redis_script[] =
    "local function compare(a, b)\n"
    "  local next_b = string.gmatch(b, '[^,]+')\n"
    "  for x in string.gmatch(a, '[^,]+') do\n"
    "    local y = next_b()\n"
    "    if not y then return 1 end\n"
    "    if x ~= y then\n"
    "      local minus = string.byte(x) == 45\n"
    "      if minus ~= (string.byte(y) == 45) then return minus and -1 or 1 end\n"
    "      local less\n"
    "      if #x ~= #y then less = #x < #y else less = x < y end\n"
    "      return less ~= minus and -1 or 1\n"
    "    end\n"
    "  end\n"
    "  return next_b() and -1 or 0\n"
    "end\n"
    "local function set(key, value)\n"
    "  if ARGV[3] == '0' then redis.call('SET', key, value) else redis.call('SET', key, value, 'PX', ARGV[3]) end\n"
    "end\n"
    "local held = redis.call('GETRANGE', KEYS[1], 0, 299)\n"
    "local kept = string.match(held, '^{\"version\":\"([%w,-]*)\"')\n"
    "if kept and compare(ARGV[1], kept) < 0 then return 0 end\n"
    "local gone = held == '' and redis.call('GET', KEYS[2])\n"
    "if ARGV[2] == '' then\n"
    "  if gone and compare(ARGV[1], gone) < 0 then return 0 end\n"
    "  if held ~= '' then redis.call('DEL', KEYS[1]) end\n"
    "  set(KEYS[2], ARGV[1])\n"
    "  return 1\n"
    "end\n"
    "if gone then\n"
    "  if compare(ARGV[1], gone) <= 0 then return 0 end\n"
    "  redis.call('DEL', KEYS[2])\n"
    "end\n"
    "set(KEYS[1], ARGV[2])\n"
    "return 1\n";

void redis_script_sha(char ret[REDIS_SHA_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned      size = 0;

    CHECK(EVP_Digest(redis_script, strlen(redis_script), digest, &size, EVP_sha1(), NULL) == 1);
    CHECK(2 * size + 1 == REDIS_SHA_BYTES);
    for (unsigned i = 0; i < size; i++)
        snprintf(ret + (size_t)2 * i, 3, "%02x", digest[i]);
}
