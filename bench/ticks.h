/* ticks.h: what the benches of bars share: made-up ticks as JSON, their codec, bars and how they are folded. */
#ifndef WEIR_BENCH_TICKS_H
#define WEIR_BENCH_TICKS_H

#include <inttypes.h>
#include <stdio.h>

#include "framework/declare.h"
#include "framework/json.h"
#include "framework/record/record.h"

struct tick {
    int64_t price, volume, time, sequence;
};

struct bar {
    int64_t open, high, low, close, volume, count, first, last;
};

static inline int decimal(struct weir_text text, int64_t *ret)
{
    int64_t value = 0, scale = INT64_C(100000000);
    bool    point = false;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.') {
            point = true;
            continue;
        }
        if (text.data[i] < '0' || text.data[i] > '9')
            return WEIR_UNREADABLE;
        value = value * 10 + (text.data[i] - '0');
        if (point)
            scale /= 10;
    }
    *ret = value * scale;
    return WEIR_OK;
}

static inline int tick_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in,
                              void *ret)
{
    struct tick            *tick = ret;
    const struct weir_json *json, *member;
    int err = weir_json_parse(arena, (struct weir_text){ .data = in.data, .size = in.size }, &json, NULL);

    (void)codec;
    if (err < 0)
        return err;
    member = weir_json_get(json, "price");
    err = member != NULL ? decimal(member->text, &tick->price) : WEIR_UNREADABLE;
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "volume"), &tick->volume);
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "event_time"), &tick->time);
    if (err == WEIR_OK)
        err = weir_json_int64(weir_json_get(json, "sequence"), &tick->sequence);
    return err;
}

static inline int raw_decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in,
                             void *ret)
{
    (void)arena;
    if (in.size != codec->bytes)
        return WEIR_UNREADABLE;
    memcpy(ret, in.data, in.size);
    return WEIR_OK;
}

static inline int raw_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                             struct weir_bytes *ret)
{
    (void)arena;
    *ret = (struct weir_bytes){ .data = value, .size = codec->bytes };
    return WEIR_OK;
}

static const struct weir_codec tick_codec[1] = {
    { .name = "tick", .bytes = sizeof(struct tick), .decode = tick_decode, .encode = raw_encode }
};
static const struct weir_codec bar_codec[1] = {
    { .name = "bar", .bytes = sizeof(struct bar), .decode = raw_decode, .encode = raw_encode }
};

static inline int fold(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    const struct tick *in = rec->value;
    struct bar        *out = state;

    if (weir_absent(ctx))
        *out = (struct bar){
            .open = in->price, .high = in->price, .low = in->price, .first = in->time, .last = in->time
        };
    if (in->time < out->first) {
        out->first = in->time;
        out->open = in->price;
    }
    if (in->time >= out->last) {
        out->last = in->time;
        out->close = in->price;
    }
    if (in->price > out->high)
        out->high = in->price;
    if (in->price < out->low)
        out->low = in->price;
    out->volume += in->volume;
    out->count++;
    return WEIR_OK;
}

/* The n-th tick: 10 ms after the one before, a fifth of them up to 2 s late. key: 32 bytes, value: 256. */
static inline void make_record(uint64_t n, unsigned keys, char *key, char *value, struct weir__raw *ret)
{
    int64_t time = INT64_C(1735689600000) + (int64_t)n * 10 - (int64_t)(n % 5 == 0 ? n % 2000 : 0);
    int     key_size = snprintf(key, 32, "ERCOT.HB_%04u", (unsigned)((n * 2654435761u) % keys));
    int     size = snprintf(value, 256,
                            "{\"tenant_id\":\"default\",\"instrument_id\":\"%s\",\"market\":\"ERCOT\",\"price\":%u.%02u,"
                                "\"volume\":%u,\"currency\":\"USD\",\"event_time\":%" PRId64 "000,\"sequence\":%" PRIu64
                            ",\"source\":\"bench\",\"unit\":\"MWh\"}",
                            key, (unsigned)(20 + n % 37), (unsigned)(n % 100), (unsigned)(1 + n % 500), time, n);

    *ret = (struct weir__raw){ .topic = "ticks",
                               .offset = (int64_t)n,
                               .timestamp = time,
                               .key = { key, (size_t)key_size },
                               .value = { value, (size_t)size } };
}

#endif
