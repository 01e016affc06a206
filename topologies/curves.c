/* curves.c: what the closes of a curve's members come to: points by delivery, and the horizons between them. */
#include <stdlib.h>

#include "schemas/derived.h"
#include "topologies/members.h"

/* Midnight UTC of a window's start, us. */
static int64_t as_of(int64_t start) { return (start - start % DAYS(1)) * 1000; }

static int compare_points(const void *a, const void *b) { return market_point_compare(a, b); }

/* Members that have a price and a month that has not ended, in order; the others are taken out of found. Gives how many, or a
 * code. */
static int gather(struct weir_context *ctx, const struct market_meeting *meeting, int64_t start,
                  struct market_found *found, struct market_point *points)
{
    const struct market_member *members = meeting->curve->members.rows;
    int                         count = 0;

    for (size_t i = 0; i < meeting->count; i++) {
        struct market_point *point = &points[count];
        int64_t              age = start - found[i].start;
        int                  err;

        if (!found[i].given)
            continue;
        *point = (struct market_point){
            .price = found[i].bar.close,
            .volume = found[i].bar.volume,
            .window_start = found[i].start * 1000,
            .age = age * 1000,
            .stale = age > 0,
            .confidence = { .value = market_confidence(age, meeting->max_age), .given = true },
        };
        err = market_point_place(&members[i], meeting->curve->day_count, as_of(start), weir_record_arena(ctx), point);
        if (err < 0)
            return market_weir_code(err);
        found[i].given = err == 1;
        count += err;
    }
    qsort(points, (size_t)count, sizeof(*points), compare_points);
    return count;
}

/* Its UTC date as text. */
static struct weir_text date_of(struct weir_context *ctx, int64_t us)
{
    char  text[MARKET_TIME_ROOM];
    char *copy = weir_alloc(ctx, 10);

    market_time_write(us, text);
    if (copy != NULL)
        memcpy(copy, text, 10);
    return (struct weir_text){ copy, 10 };
}

static struct market_curve_update update_of(struct weir_context *ctx, const struct market_meeting *meeting,
                                            const struct weir_span *span)
{
    return (struct market_curve_update){ .tenant_id = meeting->key.tenant,
                                         .curve_id = meeting->key.instrument,
                                         .interval = meeting->interval,
                                         .window_start = span->start * 1000,
                                         .window_end = span->end * 1000,
                                         .as_of = date_of(ctx, as_of(span->start)),
                                         .method = meeting->curve->method,
                                         .day_count = meeting->curve->day_count };
}

static int fill_horizons(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                         struct market_curve_update *update)
{
    return market_weir_code(market_curve_horizons(meeting->curve, as_of(span->start), update->points,
                                                  weir_record_arena(ctx), &update->horizons));
}

/* A curve of the points that agree; none = it comes to nothing, and its horizons to no price. */
static int draw(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                const struct market_found *in, struct market_records points, struct market_curve_update *update,
                struct market_outcome *ret)
{
    struct market_agreement agreement;
    int                     err = 0;

    if (points.count > 0)
        err = market_agree(ctx, meeting, span->start, in, (struct weir_text){ 0 }, &agreement);
    *ret =
        (struct market_outcome){ .value = update, .none = err == 0, .why = points.count == 0 ? "no_points" : NULL };
    if (err == 1) {
        update->points = points;
        update->stale = agreement.stale;
        update->quality_flags = agreement.flags;
        update->currency = agreement.currency;
        update->unit = agreement.unit;
        ret->epoch = agreement.epoch;
    }
    return err < 0 ? err : fill_horizons(ctx, meeting, span, update);
}

int market_make_curve(struct weir_context *ctx, const struct market_meeting *meeting, const struct weir_span *span,
                      const struct market_found *found, struct market_outcome *ret)
{
    struct market_curve_update *update = weir_alloc(ctx, sizeof(*update));
    struct market_point        *points = weir_alloc(ctx, sizeof(*points) * meeting->count);
    struct market_found        *in = weir_alloc(ctx, sizeof(*in) * meeting->count);
    int                         count;

    if (update == NULL || points == NULL || in == NULL)
        return WEIR_LIMIT;
    memcpy(in, found, sizeof(*in) * meeting->count);
    *update = update_of(ctx, meeting, span);
    if (update->as_of.data == NULL)
        return WEIR_LIMIT;
    count = gather(ctx, meeting, span->start, in, points);
    return count < 0 ? count
                     : draw(ctx, meeting, span, in, (struct market_records){ points, (size_t)count }, update, ret);
}
