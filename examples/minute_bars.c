/* minute_bars: trades in, one-minute bars (open, high, low, close, volume) out; exact decimals, any arrival order.
 *
 * A trade is JSON: {"row": 17, "price": 1323.4, "size": 1}; its record's timestamp is the trade's time. First and last
 * of a minute go by time, then row. Bars travel as fixed-width binary; `cat bars` shows them as JSON. */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weir/declare.h>
#include <weir/engines.h>
#include <weir/json.h>
#include <weir/main.h>

/* ---- what travels ---- */

/* Prices and sizes are whole numbers of 10^-8: sums are exact, and order never shows in them. */
#define UNIT INT64_C(100000000)

struct trade {
    int64_t row, price, size;
};

struct bar {
    int64_t open, high, low, close, volume, trades;
    int64_t first_time, first_row, last_time, last_row;
};
#define BAR_NUMBERS ((int)(sizeof(struct bar) / sizeof(int64_t)))

static int trade_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret);
static int trade_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                        struct weir_bytes *ret);
static int trade_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json);
static int trade_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret);
static int bar_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret);
static int bar_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                      struct weir_bytes *ret);
static int bar_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json);
static int bar_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret);

static const struct weir_codec trade[1] = { { .name = "trade",
                                              .bytes = sizeof(struct trade),
                                              .decode = trade_decode,
                                              .encode = trade_encode,
                                              .print = trade_print,
                                              .parse = trade_parse } };
static const struct weir_codec bar[1] = { { .name = "bar",
                                            .bytes = sizeof(struct bar),
                                            .decode = bar_decode,
                                            .encode = bar_encode,
                                            .print = bar_print,
                                            .parse = bar_parse } };

/* ---- the topology ---- */

static weir_fold fold_trade;

/* clang-format off */
SOURCE   (ticks,     "ticks", weir_string, trade);
WINDOWS  (minutes_s, weir_string, bar, TUMBLING(MINUTES(1), MINUTES(5)));
AGGREGATE(minute,    minutes_s, NULL, fold_trade);
SINK     (bars,      "bars", WINDOWED(weir_string, MINUTES(1)), bar);

static TOPOLOGY(minute_bars, .paths = PATHS(
    PATH(ticks, minute, bars)));
/* clang-format on */

static int fold_trade(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct trade *in = rec->value;
    struct bar         *out = state;
    int64_t             time = rec->timestamp;

    if (in == NULL)
        return weir_reject(ctx, WEIR_NULL_GIVEN, "a trade without a value");
    if (weir_absent(ctx))
        *out = (struct bar){ .high = in->price, .low = in->price, .first_time = INT64_MAX, .last_time = INT64_MIN };
    if (time < out->first_time || (time == out->first_time && in->row < out->first_row)) {
        out->open = in->price;
        out->first_time = time;
        out->first_row = in->row;
    }
    if (time > out->last_time || (time == out->last_time && in->row > out->last_row)) {
        out->close = in->price;
        out->last_time = time;
        out->last_row = in->row;
    }
    if (in->price > out->high)
        out->high = in->price;
    if (in->price < out->low)
        out->low = in->price;
    if (__builtin_add_overflow(out->volume, in->size, &out->volume))
        return WEIR_OVERFLOW;
    out->trades++;
    return WEIR_OK;
}

int main(int argc, char **argv)
{
    static const struct weir_topology *const topologies[] = { &minute_bars, NULL };

    return weir_main(argc, argv, topologies, weir_engines);
}

/* ---- decimals as text ---- */

/* Up to 8 digits after the point; more, an exponent or anything else is refused. */
static int decimal_parse(struct weir_text text, int64_t *ret)
{
    bool    minus = text.size > 0 && text.data[0] == '-';
    int64_t value = 0, unit = 0;

    if (text.size == (size_t)minus)
        return WEIR_UNREADABLE;
    for (size_t i = minus; i < text.size; i++) {
        char c = text.data[i];

        if (c == '.' && unit == 0) {
            unit = UNIT;
            continue;
        }
        if (c < '0' || c > '9' || unit == 1)
            return WEIR_UNREADABLE;
        unit /= 10;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
            return WEIR_OVERFLOW;
    }
    if (__builtin_mul_overflow(value, unit == 0 ? UNIT : unit, &value))
        return WEIR_OVERFLOW;
    *ret = minus ? -value : value;
    return WEIR_OK;
}

/* Without trailing zeros. Returns the length. */
static int decimal_text(int64_t value, char text[static 40])
{
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int      length = snprintf(text, 40, "%s%" PRIu64 ".%08" PRIu64, value < 0 ? "-" : "", size / UNIT, size % UNIT);

    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    return length;
}

static int decimal_member(const struct weir_json *json, const char *name, int64_t *ret)
{
    const struct weir_json *member = weir_json_get(json, name);

    if (member == NULL || (member->type != WEIR_JSON_NUMBER && member->type != WEIR_JSON_STRING))
        return WEIR_UNREADABLE;
    return decimal_parse(member->text, ret);
}

static void put_decimal(struct weir_json_out *json, const char *name, int64_t value)
{
    char text[40];

    weir_json_name(json, name);
    weir_json_put_number(json, (struct weir_text){ .data = text, .size = (size_t)decimal_text(value, text) });
}

static void put_int64(struct weir_json_out *json, const char *name, int64_t value)
{
    weir_json_name(json, name);
    weir_json_put_int64(json, value);
}

/* ---- codecs ---- */

static int trade_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct trade value;
    int          err;

    (void)codec;
    err = weir_json_int64(weir_json_get(json, "row"), &value.row);
    if (err == WEIR_OK)
        err = decimal_member(json, "price", &value.price);
    if (err == WEIR_OK)
        err = decimal_member(json, "size", &value.size);
    if (err == WEIR_OK)
        *(struct trade *)ret = value;
    return err;
}

static int trade_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    const struct weir_json *json;
    struct weir_text        text = { .data = in.data, .size = in.size };
    int                     err = weir_json_parse(arena, text, &json, NULL);

    return err < 0 ? err : trade_parse(codec, json, ret);
}

static int trade_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                        struct weir_bytes *ret)
{
    const struct trade *in = value;
    char               *text = weir_arena_alloc(arena, 160), price[40], size[40];

    (void)codec;
    if (text == NULL)
        return WEIR_LIMIT;
    ret->data = text;
    ret->size = (size_t)snprintf(text, 160, "{\"row\":%" PRId64 ",\"price\":%.*s,\"size\":%.*s}", in->row,
                                 decimal_text(in->price, price), price, decimal_text(in->size, size), size);
    return WEIR_OK;
}

static int trade_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct trade *in = value;

    (void)codec;
    weir_json_begin_object(json);
    put_int64(json, "row", in->row);
    put_decimal(json, "price", in->price);
    put_decimal(json, "size", in->size);
    weir_json_end_object(json);
    return WEIR_OK;
}

/* A bar's wire form: its ten numbers, 8 bytes each, little end first. */
static int bar_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    uint64_t numbers[BAR_NUMBERS];

    (void)codec;
    (void)arena;
    if (in.size != sizeof(numbers))
        return WEIR_UNREADABLE;
    memcpy(numbers, in.data, sizeof(numbers));
    for (int i = 0; i < BAR_NUMBERS; i++)
        numbers[i] = le64toh(numbers[i]);
    memcpy(ret, numbers, sizeof(numbers));
    return WEIR_OK;
}

static int bar_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                      struct weir_bytes *ret)
{
    uint64_t *numbers = weir_arena_alloc(arena, sizeof(struct bar));

    (void)codec;
    if (numbers == NULL)
        return WEIR_LIMIT;
    memcpy(numbers, value, sizeof(struct bar));
    for (int i = 0; i < BAR_NUMBERS; i++)
        numbers[i] = htole64(numbers[i]);
    *ret = (struct weir_bytes){ .data = numbers, .size = sizeof(struct bar) };
    return WEIR_OK;
}

static int bar_print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    const struct bar *in = value;

    (void)codec;
    weir_json_begin_object(json);
    put_decimal(json, "open", in->open);
    put_decimal(json, "high", in->high);
    put_decimal(json, "low", in->low);
    put_decimal(json, "close", in->close);
    put_decimal(json, "volume", in->volume);
    put_int64(json, "trades", in->trades);
    put_int64(json, "first_time", in->first_time);
    put_int64(json, "first_row", in->first_row);
    put_int64(json, "last_time", in->last_time);
    put_int64(json, "last_row", in->last_row);
    weir_json_end_object(json);
    return WEIR_OK;
}

static int bar_parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct bar value;
    int64_t   *decimals[] = { &value.open, &value.high, &value.low, &value.close, &value.volume };
    int64_t   *numbers[] = { &value.trades, &value.first_time, &value.first_row, &value.last_time, &value.last_row };
    static const char *const names[] = { "open", "high", "low", "close", "volume" };
    static const char *const rest[] = { "trades", "first_time", "first_row", "last_time", "last_row" };
    int                      err = WEIR_OK;

    (void)codec;
    for (int i = 0; err == WEIR_OK && i < 5; i++)
        err = decimal_member(json, names[i], decimals[i]);
    for (int i = 0; err == WEIR_OK && i < 5; i++)
        err = weir_json_int64(weir_json_get(json, rest[i]), numbers[i]);
    if (err == WEIR_OK)
        *(struct bar *)ret = value;
    return err;
}
