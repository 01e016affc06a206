/* digest.c: SHA-256 of a text, as people compare it. */
#include "schemas/digest.h"

#include <openssl/evp.h>

int market_digest(struct weir_text text, char ret[MARKET_DIGEST_ROOM])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char     raw[EVP_MAX_MD_SIZE];
    unsigned int      size = 0;

    if (EVP_Digest(text.data, text.size, raw, &size, EVP_sha256(), NULL) != 1)
        return WEIR_FATAL;
    for (unsigned int i = 0; i < size; i++) {
        ret[2 * i] = digits[raw[i] >> 4];
        ret[2 * i + 1] = digits[raw[i] & 15];
    }
    ret[2 * size] = '\0';
    return WEIR_OK;
}
