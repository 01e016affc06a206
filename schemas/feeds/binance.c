/* binance.c: what a Binance message is, by its content: a trade with X is a future's, one without a spot pair's. */
#include "schemas/feeds/internal.h"

static bool has(const struct weir_json *object, const char *name)
{
    const struct weir_json *member = weir_json_get(object, name);

    return member && member->type != WEIR_JSON_NULL;
}

const struct weir_json *market__unwrap(const struct weir_json *document)
{
    const struct weir_json *data = weir_json_get(document, "data");

    return data && data->type == WEIR_JSON_OBJECT && has(document, "stream") ? data : document;
}

const char *market__binance_type(const struct weir_json *document)
{
    struct weir_text type = { 0 };

    if (!has(document, "s"))
        return NULL;
    (void)weir_json_text(weir_json_get(document, "e"), &type);
    if (market__same(type, TEXT("trade")))
        return has(document, "X") ? "binance_futures_trade" : "binance_spot_trade";
    if (!has(document, "b") || !has(document, "a"))
        return NULL;
    if (market__same(type, TEXT("bookTicker")))
        return "binance_futures_quote";
    return type.size ? NULL : "binance_spot_quote";
}
