/* digest.h: SHA-256 of a text, as people compare it. */
#ifndef MARKET_DIGEST_H
#define MARKET_DIGEST_H

#include "framework/weir.h"

#define MARKET_DIGEST_ROOM 65 /* 64 hexadecimal digits and NUL */

/* WEIR_FATAL: the library refuses. */
int market_digest(struct weir_text text, char ret[MARKET_DIGEST_ROOM]);
/* With a key that alone makes it: HMAC of RFC 2104 over SHA-256. */
int market_seal(struct weir_text key, struct weir_text text, char ret[MARKET_DIGEST_ROOM]);

#endif
