/* kafka_bars.c: over Apache Kafka, by weir: one-minute bars of ticks; and a row for each key, state of any size. Our side of
 * bench/kafka_ohlcv.py and bench/kafka_state.py. */
#include "bench/ticks.h"
#include "framework/main.h"
#include "statestores/engines.h"

static weir_fold take_latest;
static weir_test is_sample;

/* clang-format off */
SOURCE   (ticks,     "ticks", weir_string, tick_codec);
WINDOWS  (minutes_s, weir_string, bar_codec, TUMBLING(MINUTES(1), SECONDS(5)));
AGGREGATE(minute,    minutes_s, NULL, fold);
SINK     (bars,      "bars", WINDOWED(weir_string, MINUTES(1)), bar_codec);
static TOPOLOGY(kafka_bars, .paths = PATHS(PATH(ticks, minute, bars)));

KEYS     (rows_s,  weir_string, weir_blob);
SOURCE   (facts,   "facts", weir_string, weir_blob);
REDUCE   (latest,  rows_s, take_latest);
KEEP     (sampled, is_sample);
SINK     (samples, "samples", weir_string, weir_blob);
static TOPOLOGY(kafka_rows, .paths = PATHS(PATH(facts, latest), PATH(facts, sampled, samples)));
/* clang-format on */

static int take_latest(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    (void)ctx;
    *(struct weir_bytes *)state = *(const struct weir_bytes *)rec->value;
    return WEIR_OK;
}

static int is_sample(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct weir_text *key = rec->key;

    (void)ctx;
    return key->size > 3 && memcmp(key->data + key->size - 3, "000", 3) == 0;
}

int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &kafka_bars, &kafka_rows, NULL },
                     weir_engines);
}
