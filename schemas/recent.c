/* recent.c: an instrument's recent values, and which of its ticks stand out from them.
 *
 * (1) Doubles: nothing but flags is made of them, and these are left out where runs are compared.
 */
#include "schemas/records.h"

enum { LEAST = 10, MEMORY = 50 };

#define DEVIATIONS   4.0
#define PRICE_SHARE  0.1
#define VOLUME_SHARE 0.5

static double magnitude(double value) { return value < 0 ? -value : value; }

static bool stands_out(double distance, double mean, double variance, double share)
{
    return distance * distance > DEVIATIONS * DEVIATIONS * variance && magnitude(distance) > share * magnitude(mean);
}

uint32_t market_recent_judge(const struct market_recent *recent, const struct market_tick *tick)
{
    double   price = (double)tick->price.units - recent->price_mean.value;
    double   volume = (double)tick->volume.units - recent->volume_mean.value;
    uint32_t flags = 0;

    if (tick->price.given && recent->count >= LEAST &&
        stands_out(price, recent->price_mean.value, recent->price_variance.value, PRICE_SHARE))
        flags |= MARKET_PRICE_SPIKE;
    if (tick->volume.given && recent->volume_count >= LEAST && volume > 0 &&
        stands_out(volume, recent->volume_mean.value, recent->volume_variance.value, VOLUME_SHARE))
        flags |= MARKET_VOLUME_SPIKE;
    return flags;
}

/* The plain mean and variance of up to MEMORY values, from then on with that weight for each new one. */
static void add(int64_t *count, struct market_double *mean, struct market_double *variance, double value)
{
    double distance = value - mean->value, weight;

    ++*count;
    weight = 1.0 / (double)MIN(*count, MEMORY);
    mean->value += weight * distance;
    variance->value = (1.0 - weight) * (variance->value + weight * distance * distance);
    mean->given = variance->given = true;
}

void market_recent_add(struct market_recent *recent, const struct market_tick *tick)
{
    if (tick->price.given)
        add(&recent->count, &recent->price_mean, &recent->price_variance, (double)tick->price.units);
    if (tick->volume.given)
        add(&recent->volume_count, &recent->volume_mean, &recent->volume_variance, (double)tick->volume.units);
    if (tick->price.given && (!recent->last_price.given || tick->event_time >= recent->last_time)) {
        recent->last_price = tick->price;
        recent->last_time = tick->event_time;
    }
}
