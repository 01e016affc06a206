/* digest.c: SHA-256 of a text, as people compare it, plain and with a key. */
#include "schemas/digest.h"

#include <openssl/evp.h>

static void print(const unsigned char *raw, size_t size, char ret[MARKET_DIGEST_ROOM])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        ret[2 * i] = digits[raw[i] >> 4];
        ret[2 * i + 1] = digits[raw[i] & 15];
    }
    ret[2 * size] = '\0';
}

int market_digest(struct weir_text text, char ret[MARKET_DIGEST_ROOM])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int  size = 0;

    if (EVP_Digest(text.data, text.size, raw, &size, EVP_sha256(), NULL) != 1)
        return WEIR_FATAL;
    print(raw, size, ret);
    return WEIR_OK;
}

int market_seal(struct weir_text key, struct weir_text text, char ret[MARKET_DIGEST_ROOM])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    size_t        size = 0;

    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.data, key.size, (const unsigned char *)text.data, text.size,
                  raw, sizeof(raw), &size) == NULL)
        return WEIR_FATAL;
    print(raw, size, ret);
    return WEIR_OK;
}
