/* record_check.h: what must hold of any bytes given as a record, for the fuzzer and the unit test.
 *
 * (1) They are a record or a refusal: a refusal has a reason and words.
 * (2) A record can be written in both forms, and reads back from both as the same.
 */
#ifndef WEIR_TEST_RECORD_CHECK_H
#define WEIR_TEST_RECORD_CHECK_H

#include "framework/json/json.h"
#include "framework/record/record.h"
#include "schemas/market.h"

struct record_form {
    const struct weir_codec *packed, *json; /* one record's two codecs; keys have one */
    bool                     key;
};

static const struct record_form record_forms[] = {
    { market_tick, market_tick_json, false },
    { market_enriched, market_enriched_json, false },
    { market_bar_msgpack, market_bar, false },
    { market_latest_msgpack, market_latest, false },
    { market_instrument_msgpack, market_instrument, false },
    { market_stats_msgpack, market_stats, false },
    { market_spread_msgpack, market_spread, false },
    { market_curve_snapshot_msgpack, market_curve_snapshot, false },
    { market_invalidation_msgpack, market_invalidation, false },
    { market_content, market_content, false },
    { market_fold, market_fold, false },
    { market_key, market_key, true },
    { market_row_key, market_row_key, true },
};

static bool prints_same(const struct weir_codec *codec, const void *a, const void *b)
{
    struct weir_json_out out[2] = { { .comma = false } };
    bool same = codec->print(codec, a, &out[0]) == WEIR_OK && codec->print(codec, b, &out[1]) == WEIR_OK &&
                weir__bytes_equal(BYTES(out[0].buf.data, out[0].buf.size), BYTES(out[1].buf.data, out[1].buf.size));

    weir__json_out_fini(&out[0]);
    weir__json_out_fini(&out[1]);
    return same;
}

static const char *form_fault(const struct weir_codec *codec, struct weir_arena *arena, const void *value)
{
    struct weir_bytes bytes;
    const void       *back;

    if (weir__encode(codec, arena, value, &bytes) != WEIR_OK)
        return "what was read cannot be written";
    if (weir__decode(codec, arena, bytes, &back) != WEIR_OK)
        return "what was written cannot be read";
    return prints_same(codec, value, back) ? NULL : "what was written reads back as something else";
}

/* *ret_taken: whether the bytes are a record. NULL = all holds. */
static const char *record_fault(const struct record_form *form, struct weir_arena *arena, struct weir_bytes in,
                                bool *ret_taken)
{
    char             *copy = weir__memdup(in.data, in.size); /* ends where the bytes end */
    void             *value = weir_arena_alloc(arena, form->packed->bytes);
    struct weir_error err = { 0 };
    const char       *fault = NULL;
    int               code = form->key ? form->packed->decode(form->packed, arena, BYTES(copy, in.size), value)
                                       : market_explain(form->packed, arena, BYTES(copy, in.size), value, &err);

    *ret_taken = code == WEIR_OK;
    if (code == WEIR_OK)
        fault = form_fault(form->packed, arena, value);
    if (code == WEIR_OK && !fault)
        fault = form_fault(form->json, arena, value);
    if (code < 0 && !form->key && (err.code != code || !err.text[0] || !err.where[0]))
        fault = "a refusal without words";
    weir__free(copy);
    return fault;
}

#endif
