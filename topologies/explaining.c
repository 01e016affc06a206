/* explaining.c: what `explain` says in the pipeline's own words. */
#include "topologies/commands.h"

#include <inttypes.h>

/* Without a tenant, the one of loaded files. */
static const char *key_of(const char *word, char *buf, size_t size)
{
    if (strchr(word, '/') != NULL)
        return word;
    snprintf(buf, size, "default/%s", word);
    return buf;
}

static bool is_key(const char *key, const struct market_key *found)
{
    struct market_key parts;

    return market_key_split((struct weir_text){ key, strlen(key) }, &parts) == WEIR_OK &&
           market_text_same(parts.tenant, found->tenant) && market_text_same(parts.instrument, found->instrument);
}

/* Of a line, or of a tick's row: the instrument's, whose id may be the beginning of another. */
static bool owns(const char *key, const struct weir_codec *codec, const void *row_key)
{
    if (weir__codec_same(codec, market_line))
        return is_key(key, &((const struct market_line *)row_key)->key);
    if (weir__codec_same(codec, market_row_key))
        return is_key(key, &((const struct market_row_key *)row_key)->line.key);
    if (weir__codec_same(codec, market_wide))
        return is_key(key, &((const struct market_wide *)row_key)->line.key);
    if (weir__codec_same(codec, market_member_key))
        return is_key(key, &((const struct market_member_key *)row_key)->key);
    return true;
}

/* A raw event is keyed by the instrument alone, the price's for its components. */
static bool about(const char *key, struct weir_bytes letter_key, struct weir_text tenant)
{
    struct market_key      parts;
    struct market_id_parts id;
    struct weir_bytes      rest;

    if (market_key_split((struct weir_text){ key, strlen(key) }, &parts) < 0 ||
        (tenant.data != NULL && !market_text_same(tenant, parts.tenant)))
        return false;
    rest = BYTES(parts.instrument.data, parts.instrument.size);
    if (weir__bytes_equal(rest, letter_key))
        return true;
    return weir__bytes_starts(rest, letter_key) && market_id_split(parts.instrument, &id) == WEIR_OK &&
           id.component != MARKET_PRICE && letter_key.size == (size_t)(strrchr(key, '.') - parts.instrument.data);
}

/* ---- values ---- */

static void put_number(const char *name, int64_t units, struct weir__buf *ret)
{
    char text[MARKET_DECIMAL_ROOM];

    market_decimal_write(units, text);
    weir__buf_printf(ret, "%s %s, ", name, text);
}

static void put_decimal(const char *name, struct market_decimal decimal, struct weir__buf *ret)
{
    if (decimal.given)
        put_number(name, decimal.units, ret);
}

static void put_window(const struct market_window *window, struct weir__buf *ret)
{
    if (window->fold.count > 0) {
        put_number("open", window->fold.open.price, ret);
        put_number("high", window->fold.high, ret);
        put_number("low", window->fold.low, ret);
        put_number("close", window->fold.close.price, ret);
        weir__buf_printf(ret, "ticks %" PRId64 "; ", window->fold.count);
    } else {
        weir__buf_puts(ret, "to be folded from shorter windows; ");
    }
    if (window->revision == 0)
        weir__buf_puts(ret, "no bar was sent yet");
    else
        weir__buf_printf(ret, "the last bar sent is revision %" PRId64 " of epoch %" PRId64, window->revision,
                         window->epoch);
}

static void put_time(int64_t us, struct weir__buf *ret)
{
    char text[MARKET_TIME_ROOM];

    market_time_write(us, text);
    weir__buf_puts(ret, text);
}

static void put_bar(const struct market_bar *bar, struct weir__buf *ret)
{
    put_time(bar->window_start, ret);
    weir__buf_puts(ret, " to ");
    put_time(bar->window_end, ret);
    weir__buf_puts(ret, ": ");
    put_number("open", bar->open, ret);
    put_number("high", bar->high, ret);
    put_number("low", bar->low, ret);
    put_number("close", bar->close, ret);
    weir__buf_printf(ret, "ticks %" PRId64 "; epoch %" PRId64 ", revision %" PRId64, bar->trade_count, bar->epoch,
                     bar->revision);
}

static void put_latest(const struct market_latest *latest, struct weir__buf *ret)
{
    weir__buf_puts(ret, latest->deleted ? "dropped: " : "");
    put_number("price", latest->price, ret);
    put_decimal("volume", latest->volume, ret);
    weir__buf_puts(ret, "of ");
    put_time(latest->event_time, ret);
    weir__buf_printf(ret, ", sequence %" PRId64, latest->sequence);
}

static void put_row_key(const struct market_row_key *row, struct weir__buf *ret)
{
    weir__buf_puts(ret, "tick of ");
    put_time(row->order.event_time, ret);
    if (row->line.epoch > MARKET_LIVE)
        weir__buf_printf(ret, ", epoch %" PRId64, row->line.epoch);
    weir__buf_printf(ret, ", sequence %" PRId64, row->order.sequence);
}

static void put_content(const struct market_content *content, struct weir__buf *ret)
{
    put_decimal("price", content->price, ret);
    put_decimal("volume", content->volume, ret);
    weir__buf_printf(ret, "revision %" PRId64, content->revision);
}

static void put_dropped(const struct market_dropped *dropped, struct weir__buf *ret)
{
    for (size_t i = 0; i < dropped->drops.count; i++) {
        const struct market_drop *drop = (const struct market_drop *)dropped->drops.rows + i;

        weir__buf_printf(ret, "%s%" PRId64 " %.*s, the last one of ", i == 0 ? "counted out: " : "; ", drop->count,
                         (int)drop->reason.size, drop->reason.data);
        put_time(drop->last, ret);
    }
}

static bool put_value(const struct weir_codec *codec, const void *value, struct weir__buf *ret)
{
    if (weir__codec_same(codec, market_window))
        put_window(value, ret);
    else if (weir__codec_same(codec, market_bar_msgpack))
        put_bar(value, ret);
    else if (weir__codec_same(codec, market_latest_msgpack))
        put_latest(value, ret);
    else if (weir__codec_same(codec, market_row_key))
        put_row_key(value, ret);
    else if (weir__codec_same(codec, market_content))
        put_content(value, ret);
    else if (weir__codec_same(codec, market_dropped))
        put_dropped(value, ret);
    else if (weir__codec_same(codec, weir_blob))
        weir__buf_printf(ret, "%zu bytes, of ticks that are remembered", ((const struct weir_text *)value)->size);
    else
        return false;
    return true;
}

const struct weir__explaining market_explaining = { .key = key_of, .owns = owns, .about = about, .value = put_value };
