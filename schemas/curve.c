/* curve.c: a forward curve's points and horizons.
 *
 * (1) Between two points a horizon has a price, elsewhere it has none: nothing is extrapolated.
 * (2) The line is computed exactly and rounded once; the others in doubles, in the order that docs/statistics.md says.
 */
#include <math.h>

#include "schemas/derived.h"
#include "schemas/times.h"

double market_confidence(int64_t age, int64_t max_age)
{
    return age == 0 ? 1 : (double)(max_age - age) / (double)max_age;
}

/* ---- points ---- */

static int write_month(int64_t month, struct weir_arena *arena, struct weir_text *ret)
{
    char  text[MARKET_TIME_ROOM];
    char *copy;

    market_time_write(month, text);
    copy = weir__arena_copy(arena, text, 7);
    *ret = (struct weir_text){ copy, 7 };
    return copy != NULL ? WEIR_OK : WEIR_LIMIT;
}

/* The first day of the month after a month's first day. */
static int64_t next_month(int64_t month)
{
    static const struct weir_text one = { "1m", 2 };
    int64_t                       next = month;

    return market_tenor_add(one, month, &next) < 0 ? INT64_MAX : next;
}

int market_point_place(const struct market_member *member, enum market_day_count count, int64_t as_of,
                       struct weir_arena *arena, struct market_point *ret)
{
    int err;

    ret->instrument_id = member->instrument_id;
    ret->tenor = member->tenor;
    if (member->tenor.data != NULL) {
        err = market_tenor_add(member->tenor, as_of, &ret->delivery);
    } else {
        err = member->contract_month.data != NULL ? market_month_read(member->contract_month, &ret->delivery)
                                                  : market_month_of(member->instrument_id, &ret->delivery);
        if (err == WEIR_OK)
            err = write_month(ret->delivery, arena, &ret->contract_month);
    }
    if (err < 0)
        return err;
    ret->days = market_days_between(count, as_of, ret->delivery);
    return member->tenor.data != NULL || as_of < next_month(ret->delivery);
}

static int compare_ids(const struct market_point *a, const struct market_point *b)
{
    return weir__bytes_compare(BYTES(a->instrument_id.data, a->instrument_id.size),
                               BYTES(b->instrument_id.data, b->instrument_id.size));
}

int market_point_compare(const struct market_point *a, const struct market_point *b)
{
    if (a->days != b->days)
        return a->days < b->days ? -1 : 1;
    return compare_ids(a, b);
}

/* ---- the points that horizons are between ---- */

struct knots {
    const struct market_point **points; /* by days, each once */
    size_t                      count;
    double                     *second; /* second derivatives of the spline; NULL = it is none */
};

/* Of points with the same days the surest one, then the one of the least id, which comes first. */
static int gather(struct market_records points, struct weir_arena *arena, struct knots *ret)
{
    const struct market_point *point = points.rows;

    ret->points = weir_arena_alloc(arena, sizeof(*ret->points) * MAX(points.count, 1));
    if (ret->points == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < points.count; i++, point++) {
        if (ret->count == 0 || ret->points[ret->count - 1]->days != point->days)
            ret->points[ret->count++] = point;
        else if (point->confidence.value > ret->points[ret->count - 1]->confidence.value)
            ret->points[ret->count - 1] = point;
    }
    return WEIR_OK;
}

static double days_at(const struct knots *knots, size_t i) { return (double)knots->points[i]->days; }

static double price_at(const struct knots *knots, size_t i)
{
    return (double)knots->points[i]->price / (double)MARKET_UNIT;
}

static double step_at(const struct knots *knots, size_t i) { return days_at(knots, i + 1) - days_at(knots, i); }

/* Forward over the inner points, then back. */
static int bend(struct knots *knots, struct weir_arena *arena)
{
    size_t  n = knots->count;
    double *diagonal, *right;

    if (n < 3)
        return WEIR_OK;
    knots->second = weir_arena_alloc(arena, sizeof(double) * n);
    diagonal = weir_arena_alloc(arena, sizeof(double) * n);
    right = weir_arena_alloc(arena, sizeof(double) * n);
    if (knots->second == NULL || diagonal == NULL || right == NULL)
        return WEIR_LIMIT;
    for (size_t i = 1; i + 1 < n; i++) {
        double before = step_at(knots, i - 1), after = step_at(knots, i);

        right[i] = 6 * ((price_at(knots, i + 1) - price_at(knots, i)) / after -
                        (price_at(knots, i) - price_at(knots, i - 1)) / before);
        diagonal[i] = 2 * (before + after);
        if (i > 1) {
            double factor = before / diagonal[i - 1];

            diagonal[i] = diagonal[i] - factor * before;
            right[i] = right[i] - factor * right[i - 1];
        }
    }
    for (size_t i = n - 2; i > 0; i--)
        knots->second[i] = (right[i] - step_at(knots, i) * knots->second[i + 1]) / diagonal[i];
    return WEIR_OK;
}

/* ---- between two points ---- */

static double on_line(const struct market_point *a, const struct market_point *b, int64_t days)
{
    market_sum_units sum =
        (market_sum_units)a->price * (b->days - days) + (market_sum_units)b->price * (days - a->days);

    return market_vwap(sum, b->days - a->days);
}

static double on_logarithms(const struct knots *knots, size_t i, double days)
{
    return exp(((days_at(knots, i + 1) - days) * log(price_at(knots, i)) +
                (days - days_at(knots, i)) * log(price_at(knots, i + 1))) /
               step_at(knots, i));
}

static double on_spline(const struct knots *knots, size_t i, double days)
{
    double h = step_at(knots, i), a = (days_at(knots, i + 1) - days) / h, c = (days - days_at(knots, i)) / h;

    return a * price_at(knots, i) + c * price_at(knots, i + 1) +
           ((a * a * a - a) * knots->second[i] + (c * c * c - c) * knots->second[i + 1]) * (h * h) / 6;
}

static void set_reason(struct market_horizon *horizon, const char *reason)
{
    horizon->reason = (struct weir_text){ reason, strlen(reason) };
}

static void set_price(struct market_horizon *horizon, double price, double confidence)
{
    horizon->price = (struct market_double){ .value = price, .given = true };
    horizon->confidence = (struct market_double){ .value = confidence, .given = true };
}

static void interpolate(const struct knots *knots, size_t i, enum market_method method,
                        struct market_horizon *horizon)
{
    const struct market_point *a = knots->points[i], *b = knots->points[i + 1];
    double                     price, days = (double)horizon->days;

    if (method == MARKET_LOG_LINEAR && (a->price <= 0 || b->price <= 0)) {
        set_reason(horizon, "not_positive");
        return;
    }
    if (method == MARKET_LOG_LINEAR)
        price = on_logarithms(knots, i, days);
    else if (method == MARKET_CUBIC && knots->second != NULL)
        price = on_spline(knots, i, days);
    else
        price = on_line(a, b, horizon->days);
    set_price(horizon, price, MIN(a->confidence.value, b->confidence.value));
}

static void find_price(const struct knots *knots, enum market_method method, struct market_horizon *horizon)
{
    for (size_t i = 0; i < knots->count; i++) {
        const struct market_point *point = knots->points[i];

        if (point->days == horizon->days) {
            set_price(horizon, market_vwap(point->price, 1), point->confidence.value);
            return;
        }
        if (i + 1 < knots->count && point->days < horizon->days && knots->points[i + 1]->days > horizon->days) {
            interpolate(knots, i, method, horizon);
            return;
        }
    }
    set_reason(horizon, knots->count < 2 ? "too_few_points" : "outside_points");
}

/* ---- horizons ---- */

static const struct weir_text usual[] = { { "1m", 2 }, { "3m", 2 }, { "6m", 2 }, { "1y", 2 } };

int market_curve_horizons(const struct market_curve *curve, int64_t as_of, struct market_records points,
                          struct weir_arena *arena, struct market_records *ret)
{
    bool                    own = curve->horizons.count > 0;
    const struct weir_text *names = own ? curve->horizons.texts : usual;
    size_t                  count = own ? curve->horizons.count : ARRAY_SIZE(usual);
    struct market_horizon  *horizons = weir_arena_alloc(arena, sizeof(*horizons) * count);
    struct knots            knots = { 0 };
    int                     err = horizons != NULL ? gather(points, arena, &knots) : WEIR_LIMIT;

    if (err == WEIR_OK && curve->method == MARKET_CUBIC)
        err = bend(&knots, arena);
    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        horizons[i].horizon = names[i];
        err = market_tenor_add(names[i], as_of, &horizons[i].date);
        if (err < 0)
            break;
        horizons[i].days = market_days_between(curve->day_count, as_of, horizons[i].date);
        find_price(&knots, curve->method, &horizons[i]);
    }
    *ret = (struct market_records){ horizons, count };
    return err;
}

/* ---- snapshots ---- */

struct market_curve_snapshot market_curve_snapshot_of(const struct market_curve_update *update, size_t n)
{
    const struct market_horizon *horizon = (const struct market_horizon *)update->horizons.rows + n;
    const struct market_point   *points = update->points.rows;
    size_t                       count = 0;

    while (count < update->points.count && points[count].days <= horizon->days)
        count++;
    return (struct market_curve_snapshot){ .tenant_id = update->tenant_id,
                                           .curve_id = update->curve_id,
                                           .horizon = horizon->horizon,
                                           .window_start = update->window_start,
                                           .window_end = update->window_end,
                                           .as_of = update->as_of,
                                           .method = update->method,
                                           .price = horizon->price,
                                           .confidence = horizon->confidence,
                                           .reason = horizon->reason,
                                           .points = { points, count },
                                           .stale = update->stale,
                                           .quality_flags = update->quality_flags,
                                           .state = update->state,
                                           .epoch = update->epoch,
                                           .revision = update->revision,
                                           .currency = update->currency,
                                           .unit = update->unit,
                                           .rebuild = update->rebuild,
                                           .deleted = update->deleted };
}
