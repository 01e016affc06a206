/* definitions.c: whether definitions of pairs and curves can be computed by. */
#include "schemas/derived.h"
#include "schemas/times.h"

int64_t market_minutes_of(struct weir_text interval)
{
    int64_t number = 0;
    size_t  digits = 0;
    char    unit;

    while (digits < interval.size && digits < 3 && interval.data[digits] >= '0' + (digits == 0) &&
           interval.data[digits] <= '9')
        number = 10 * number + (interval.data[digits++] - '0');
    unit = digits > 0 && digits + 1 == interval.size ? interval.data[digits] : '\0';
    if (unit != 'm' && unit != 'h')
        return 0;
    number *= unit == 'h' ? 60 : 1;
    return number <= MARKET_MINUTES_MOST && 1440 % number == 0 ? number : 0;
}

/* NULL is the default. */
static bool is_interval(struct weir_text text)
{
    return text.data == NULL || (text.size == 2 && memcmp(text.data, "1d", 2) == 0) || market_minutes_of(text) > 0;
}

static const char *wrong_in_all(struct weir_text interval, int64_t max_age_ms)
{
    if (!is_interval(interval))
        return "field 'interval': write it as 1d, or as so many minutes (15m) or hours (4h) that a day is made of them, up to 12h";
    return max_age_ms < 0 || max_age_ms > INT64_C(366) * 86400000 ? "field 'max_age_ms': from 0 to 366 days" : NULL;
}

const char *market_pair_wrong(const struct market_pair *pair)
{
    const struct market_leg *legs = pair->legs.rows;

    if (pair->kind == MARKET_BID_ASK)
        return "field 'kind': bid_ask comes of each instrument's own ticks, and needs no pair";
    if (pair->legs.count < 2)
        return "field 'legs': two or more are needed";
    for (size_t i = 0; i < pair->legs.count; i++) {
        if (legs[i].weight == 0)
            return "field 'legs': a weight is 0";
        for (size_t j = 0; j < i; j++)
            if (market_text_same(legs[i].instrument_id, legs[j].instrument_id))
                return "field 'legs': an instrument stands twice in it";
    }
    return wrong_in_all(pair->interval, pair->max_age_ms);
}

static const char *wrong_in_member(const struct market_member *member)
{
    int64_t date;

    if (member->contract_month.data != NULL && member->tenor.data != NULL)
        return "field 'members': one has both a contract_month and a tenor";
    if (member->tenor.data != NULL)
        return market_tenor_add(member->tenor, 0, &date) < 0
                   ? "field 'members': a tenor is none: write it as 10d, 2w, 3m or 1y"
                   : NULL;
    if (member->contract_month.data != NULL)
        return market_month_read(member->contract_month, &date) < 0
                   ? "field 'members': a contract_month is none: write it as 2013-12"
                   : NULL;
    return market_month_of(member->instrument_id, &date) < 0
               ? "field 'members': one has neither contract_month nor tenor, and its id does not end in a month"
               : NULL;
}

const char *market_curve_wrong(const struct market_curve *curve)
{
    const struct market_member *members = curve->members.rows;
    const char                 *wrong = curve->members.count < 1 ? "field 'members': one or more are needed" : NULL;
    int64_t                     date;

    for (size_t i = 0; wrong == NULL && i < curve->members.count; i++) {
        wrong = wrong_in_member(&members[i]);
        for (size_t j = 0; wrong == NULL && j < i; j++)
            if (market_text_same(members[i].instrument_id, members[j].instrument_id))
                wrong = "field 'members': an instrument stands twice in it";
    }
    for (size_t i = 0; wrong == NULL && i < curve->horizons.count; i++)
        if (market_tenor_add(curve->horizons.texts[i], 0, &date) < 0)
            wrong = "field 'horizons': one is none: write them as 10d, 2w, 3m or 1y";
    return wrong != NULL ? wrong : wrong_in_all(curve->interval, curve->max_age_ms);
}
