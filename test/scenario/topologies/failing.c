/* failing.c: topologies that meet bad records, in every place where one can be bad. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

static weir_map       halve;
static weir_extract   time_in_value;
static weir_process   grow, put_grown, swallow, send_twice;
static weir_open      fail_in_may;
static weir_punctuate fail_on_time;
static weir_tenant    first_of_key;
static int            careful_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                                     struct weir_bytes *ret);
static int decode_text(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret);
static int print_text(const struct weir_codec *codec, const void *value, struct weir_json_out *json);
static int parse_text(const struct weir_codec *codec, const struct weir_json *json, void *ret);

/* Texts, except "unwritable". */
static const struct weir_codec careful[1] = { { .name = "string",
                                                .bytes = sizeof(struct weir_text),
                                                .decode = decode_text,
                                                .encode = careful_encode,
                                                .print = print_text,
                                                .parse = parse_text } };

/* clang-format off */
SOURCE(lines, "lines", weir_string, weir_string);
SINK  (out,   "out",   weir_string, weir_string);
SINK  (dead,  "dead",  NULL, NULL);

SOURCE    (numbers, "numbers", weir_int64, weir_int64);
MAP_VALUES(half,    halve, .value = weir_int64);
SINK      (halves,  "halves", weir_int64, weir_int64);
static TOPOLOGY(refusing, .paths = PATHS(PATH(numbers, half, halves)), .dead_letters = dead, .tenant = first_of_key);
static TOPOLOGY(careless, .paths = PATHS(PATH(numbers, half, halves)));

SOURCE(stamped, "stamped", weir_string, weir_int64, .extract = time_in_value);
SINK  (times,   "times", weir_string, weir_int64);
static TOPOLOGY(timed, .paths = PATHS(PATH(stamped, times)), .dead_letters = dead);

STEP(grown,  grow, .value = weir_string);
SINK(wary,   "wary", careful, careful);
static TOPOLOGY(growing, .paths = PATHS(PATH(lines, grown, out), PATH(grown, wary)), .dead_letters = dead);

KEYS(grown_s, weir_string, weir_string);
STEP(kept,   put_grown, .uses = STORES(grown_s), .value = weir_string);
static TOPOLOGY(keeping, .paths = PATHS(PATH(lines, kept, out)), .dead_letters = dead);

STEP(sent_twice, send_twice, .open = fail_in_may);
static TOPOLOGY(opening, .paths = PATHS(PATH(lines, sent_twice, out)), .dead_letters = dead);

STEP(swallower, swallow, .value = weir_string);
KEEP(picky, flow_is_long);
static TOPOLOGY(swallowing, .paths = PATHS(PATH(lines, swallower, picky, out)));

WINDOWS  (sums_s, weir_string, weir_int64, HOPPING(MINUTES(2), MINUTES(1), 0));
AGGREGATE(sums,   sums_s, NULL, flow_add);
SINK     (sums_out, "sums", WINDOWED(weir_string, MINUTES(2)), weir_int64);
static TOPOLOGY(hopping_sums, .paths = PATHS(PATH(lines, sums, sums_out)), .dead_letters = dead);
/* clang-format on */

FLOW(refusing);
FLOW(careless);
FLOW(timed);
FLOW(growing);
FLOW(keeping);
FLOW(opening);
FLOW(swallowing);
FLOW(hopping_sums);

/* Odd numbers are refused with words, 13 fails without any, 0 for a reason of its own, negative ones are let go. */
static int halve(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    const int64_t *number = rec->value;
    int64_t       *result = weir_alloc(ctx, sizeof(*result));

    if (result == NULL)
        return WEIR_LIMIT;
    if (number == NULL)
        return WEIR_NULL_GIVEN;
    if (*number == 13)
        return WEIR_VERB_FAILED;
    ret->value = NULL;
    if (*number == 0)
        return weir_refuse(ctx, "nothing_to_halve", "zero has no half worth telling");
    if (*number < 0)
        weir_drop(ctx, "negative");
    if (*number % 2 != 0)
        return weir_reject(ctx, WEIR_REJECTED, "an odd number has no half");
    *result = *number / 2;
    ret->value = result;
    return WEIR_OK;
}

/* The tenant is the first byte of the key, which may be unreadable. */
static void first_of_key(struct weir_arena *arena, const char *topic, struct weir_bytes key, struct weir_bytes value,
                         struct weir_text *ret)
{
    (void)arena, (void)topic, (void)value;
    if (key.size > 0 && key.size != 8)
        *ret = (struct weir_text){ .data = key.data, .size = 1 };
}

/* The value is the time in seconds; 13 cannot be told. */
static int time_in_value(struct weir_context *ctx, const struct weir_record *rec, int64_t *ret_ms)
{
    const int64_t *seconds = rec->value;

    (void)ctx;
    if (seconds == NULL || *seconds == 13)
        return WEIR_BAD_TIME;
    *ret_ms = *seconds * 1000;
    return WEIR_OK;
}

static int grown_text(struct weir_context *ctx, struct weir_text in, struct weir_text *ret)
{
    size_t size = in.size;
    char  *data;

    if (flow_is(&in, "big"))
        size = 2000;
    data = weir_alloc(ctx, size);
    if (data == NULL)
        return WEIR_LIMIT;
    memset(data, '.', size);
    if (in.size > 0)
        memcpy(data, in.data, in.size);
    *ret = (struct weir_text){ .data = data, .size = size };
    return WEIR_OK;
}

/* "big" becomes 2,000 bytes; "memory" asks for more than a record may have. */
static int grow(struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir_text text;
    int              err;

    if (flow_is(rec->value, "memory") && weir_alloc(ctx, (size_t)1 << 40) == NULL)
        return WEIR_LIMIT;
    err = grown_text(ctx, *(const struct weir_text *)rec->value, &text);
    return err < 0 ? err : weir_forward(ctx, rec->key, &text);
}

static int put_grown(struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir_text text;
    int              err = grown_text(ctx, *(const struct weir_text *)rec->value, &text);

    if (err == WEIR_OK)
        err = weir_put(ctx, grown_s, rec->key, &text);
    return err < 0 ? err : weir_forward(ctx, rec->key, rec->value);
}

/* Tells nobody that its child has failed. */
static int swallow(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = weir_forward(ctx, rec->key, rec->value);

    return err < 0 ? WEIR_NOTHING : WEIR_OK;
}

static int send_twice(struct weir_context *ctx, const struct weir_record *rec)
{
    int err = weir_forward_record(ctx, rec);

    return err < 0 ? err : weir_forward_record(ctx, rec);
}

/* From May 1970 on it does not open; before, it schedules a verb that fails each minute. */
static int fail_in_may(struct weir_context *ctx)
{
    int64_t handle = weir_schedule(ctx, MINUTES(1), WEIR_WALL_TIME, fail_on_time);

    if (weir_wall_time(ctx) >= DAYS(120))
        return WEIR_VERB_FAILED;
    return handle < 0 ? (int)handle : WEIR_OK;
}

static int fail_on_time(struct weir_context *ctx, int64_t time)
{
    (void)ctx, (void)time;
    return WEIR_VERB_FAILED;
}

/* ---- the careful codec ---- */

static int careful_encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                          struct weir_bytes *ret)
{
    (void)codec;
    return flow_is(value, "unwritable") ? WEIR_OVERFLOW : weir_string->encode(weir_string, arena, value, ret);
}

static int decode_text(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    (void)codec;
    return weir_string->decode(weir_string, arena, in, ret);
}

static int print_text(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    (void)codec;
    return weir_string->print(weir_string, value, json);
}

static int parse_text(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    (void)codec;
    return weir_string->parse(weir_string, json, ret);
}
