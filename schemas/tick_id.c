/* tick_id.c: SHA-256 of what makes a tick the tick it is. The one door to libcrypto.
 *
 * (1) A thread makes its context once: fetching the algorithm costs several times the hashing of one identity.
 */
#include <openssl/evp.h>
#include <pthread.h>

#include "schemas/instrument.h"

struct hasher {
    EVP_MD_CTX *context;
    EVP_MD     *sha256;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t  at_exit; /* frees a thread's hasher */

static _Thread_local struct hasher *own;

static void free_hasher(void *memory)
{
    struct hasher *hasher = memory;

    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->sha256);
    weir__free(hasher);
}

static void make_key(void) { CHECK(pthread_key_create(&at_exit, free_hasher) == 0); }

static struct hasher *new_hasher(void)
{
    struct hasher *hasher = weir__zalloc(sizeof(*hasher));

    if (!hasher)
        return NULL;
    hasher->context = EVP_MD_CTX_new();
    hasher->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    CHECK(pthread_once(&once, make_key) == 0);
    if (!hasher->context || !hasher->sha256 || pthread_setspecific(at_exit, hasher) != 0) {
        free_hasher(hasher);
        return NULL;
    }
    return hasher;
}

static bool add_text(const struct hasher *hasher, struct weir_text text)
{
    return EVP_DigestUpdate(hasher->context, text.data, text.size) == 1 &&
           EVP_DigestUpdate(hasher->context, "|", 1) == 1;
}

/* Decimal digits at the end of room. */
static struct weir_text number_text(int64_t value, char room[24])
{
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char    *end = room + 24, *at = end;

    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    return (struct weir_text){ at, (size_t)(end - at) };
}

static bool add_identity(const struct hasher *hasher, const struct market_tick_identity *identity)
{
    char             room[24];
    struct weir_text sequence;

    if (!add_text(hasher, identity->tenant) || !add_text(hasher, identity->market) ||
        !add_text(hasher, identity->instrument) || !add_text(hasher, number_text(identity->event_time, room)) ||
        !add_text(hasher, identity->source))
        return false;
    sequence = number_text(identity->sequence, room);
    return EVP_DigestUpdate(hasher->context, sequence.data, sequence.size) == 1;
}

int market_tick_id(const struct market_tick_identity *identity, uint8_t ret[MARKET_TICK_ID_BYTES])
{
    if (!own)
        own = new_hasher();
    if (!own || EVP_DigestInit_ex(own->context, own->sha256, NULL) != 1 || !add_identity(own, identity) ||
        EVP_DigestFinal_ex(own->context, ret, NULL) != 1)
        return WEIR_NO_MEMORY;
    return WEIR_OK;
}
