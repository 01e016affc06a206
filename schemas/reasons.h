/* reasons.h: why a record, a row or a file is refused, in one table: names for dead letters and counters.
 *
 * (1) Functions of schemas return WEIR_OK, a code of WEIR_ERRORS or one of these; words go to reterr.
 * (2) The framework knows WEIR_ERRORS only: codecs and verbs hand on market_weir_code(code).
 */
#ifndef MARKET_REASONS_H
#define MARKET_REASONS_H

#include "framework/base/base.h"

/* Code, value, the framework's code, name, text. Values are never used again for something else. */
#define MARKET_REASONS(X)                                                                                          \
    X(MARKET_MALFORMED, -101, WEIR_UNREADABLE, "malformed", "neither MessagePack nor JSON of its record")          \
    X(MARKET_MISSING, -102, WEIR_UNREADABLE, "missing_field", "a required field is missing or null")               \
    X(MARKET_BAD_TYPE, -103, WEIR_UNREADABLE, "wrong_type", "a field is of another type")                          \
    X(MARKET_TOO_LONG, -104, WEIR_TOO_LARGE, "too_long", "a text or list is longer than its field may be")         \
    X(MARKET_BAD_NUMBER, -105, WEIR_UNREADABLE, "bad_number", "no decimal number")                                 \
    X(MARKET_PRECISION, -106, WEIR_UNREADABLE, "precision", "digits beyond the eighth decimal place")              \
    X(MARKET_OVERFLOW, -107, WEIR_OVERFLOW, "overflow", "a number does not fit")                                   \
    X(MARKET_BAD_TIME, -108, WEIR_UNREADABLE, "bad_time", "no time that can be read")                              \
    X(MARKET_NO_SUCH_TIME, -109, WEIR_UNREADABLE, "no_such_time", "a local time that a clock change leaves out")   \
    X(MARKET_BAD_NAME, -110, WEIR_UNREADABLE, "bad_name", "a tenant, market, location or symbol that gives no id") \
    X(MARKET_NAME_CLASH, -111, WEIR_UNREADABLE, "name_clash", "two names would share one instrument id")           \
    X(MARKET_UNKNOWN_SHAPE, -121, WEIR_UNREADABLE, "unknown_shape", "none of the shapes of raw events")            \
    X(MARKET_UNKNOWN_MARKET, -122, WEIR_UNREADABLE, "unknown_market", "a market that is not in the table")         \
    X(MARKET_UNKNOWN_FEED, -123, WEIR_UNREADABLE, "unknown_feed", "a data type that its market does not have")     \
    X(MARKET_UNKNOWN_PRODUCT, -124, WEIR_UNREADABLE, "unknown_product", "the product of a price cannot be told")   \
    X(MARKET_NOT_A_PRICE, -125, WEIR_UNREADABLE, "not_a_price", "a data type that is no price of energy")          \
    X(MARKET_BAD_ENCODING, -126, WEIR_UNREADABLE, "unsupported_encoding", "neither json, csv-line nor msgpack")    \
    X(MARKET_NO_PRICE, -127, WEIR_UNREADABLE, "no_price", "the price is empty")                                    \
    X(MARKET_PUBLISHED_BARS, -128, WEIR_UNREADABLE, "published_bars", "bars that somebody made, and no ticks")     \
    X(MARKET_NOT_SAID, -129, WEIR_UNREADABLE, "not_said", "what a file must say, or be told, is not known")

#define MARKET__ENUM(code, value, weir, name, text) code = value,
enum market_reason { MARKET_REASONS(MARKET__ENUM) };
#undef MARKET__ENUM

/* "name_clash"; for codes that are not of the table, the framework's name. */
const char *market_reason_name(int code);
const char *market_reason_text(int code);
/* The code of WEIR_ERRORS that stands for it; those pass through. */
int market_weir_code(int code);

#endif
