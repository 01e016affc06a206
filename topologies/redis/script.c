/* script.c: the compare-and-set on versions, which Redis runs as one step.
 *
 * (1) What is there is replaced by what is not older: the same version again renews its time to live.
 * (2) Where a key was taken away a value stays for a moment that says so, and keeps what is not newer away. It is
 *     under the same key: a script of two keys waits while a cluster moves their slot.
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
    "local held = redis.call('GETRANGE', KEYS[1], 0, 319)\n"
    "local kept, member = string.match(held, '^{\"version\":\"([%w,-]*)\",?\"?(%a*)')\n"
    "if kept then\n"
    "  local way = compare(ARGV[1], kept)\n"
    "  if way < 0 or (way == 0 and member == 'deleted' and ARGV[4] == '0') then return 0 end\n"
    "end\n"
    "if ARGV[3] == '0' then\n"
    "  redis.call('SET', KEYS[1], ARGV[2])\n"
    "else\n"
    "  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\n"
    "end\n"
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
