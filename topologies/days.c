/* days.c: the operating day of each market: its zone, and how long after midnight it starts. */
#include "topologies/aggregation.h"

/* "06:30" behind "+": ms. */
static bool read_start(const char *text, size_t size, int64_t *ret)
{
    for (size_t i = 0; i < size; i++)
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return false;
    if (size != 5)
        return false;
    *ret = HOURS((text[0] - '0') * 10 + text[1] - '0') + MINUTES((text[3] - '0') * 10 + text[4] - '0');
    return *ret < HOURS(24) && text[3] < '6';
}

static int bad(const char *item, size_t size, const char *what, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_CONFIG, "days",
                      "\"%.*s\": %s: give MARKET=ZONE or MARKET=ZONE+HH:MM, with commas between", (int)MIN(size, 80),
                      item, what);
}

/* "PJM=America/New_York+06:00". */
static int read_item(const char *item, size_t size, struct market_days *ret, struct weir_error *reterr)
{
    const char *is = memchr(item, '=', size), *end = item + size, *plus;
    char        zone[64];
    size_t      n = 0;

    if (is == NULL)
        return bad(item, size, "no market", reterr);
    while (market_rules_at(n) != NULL && (strlen(market_rules_at(n)->name) != (size_t)(is - item) ||
                                          strncasecmp(market_rules_at(n)->name, item, (size_t)(is - item)) != 0))
        n++;
    if (market_rules_at(n) == NULL)
        return bad(item, size, "a market that is not in the table", reterr);
    plus = end - is > 6 && end[-6] == '+' ? end - 6 : end;
    ret->of[n].start = 0;
    if (plus < end && !read_start(plus + 1, 5, &ret->of[n].start))
        return bad(item, size, "no time of day", reterr);
    if ((size_t)(plus - is - 1) >= sizeof(zone))
        return bad(item, size, "no time zone", reterr);
    memcpy(zone, is + 1, (size_t)(plus - is - 1));
    zone[plus - is - 1] = '\0';
    return market_zone_get(zone, &ret->of[n].zone, NULL) < 0 ? bad(item, size, "no time zone", reterr) : WEIR_OK;
}

int market_days_read(const char *text, struct market_days *ret, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && market_rules_at(i) != NULL; i++) {
        ret->of[i].start = 0;
        err = market_zone_get(market_rules_at(i)->day_zone, &ret->of[i].zone, reterr);
    }
    while (err == WEIR_OK && *text != '\0') {
        size_t size;

        text += strspn(text, ", ");
        size = strcspn(text, ", ");
        err = size > 0 ? read_item(text, size, ret, reterr) : WEIR_OK;
        text += size;
    }
    return err;
}

struct weir_span market_day_of(const struct market_days *days, struct weir_text market, int64_t time)
{
    size_t  n = (size_t)(market_rules_find(market) - market_rules_at(0));
    int64_t start, end;

    market_day(days->of[n].zone, days->of[n].start * 1000, time * 1000, &start, &end);
    return (struct weir_span){ .start = start / 1000, .end = end / 1000 };
}

int market_days(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *ret_spans, size_t max)
{
    const struct market_enriched *enriched = rec->value;

    if (max > 0)
        ret_spans[0] = market_day_of(weir_state(ctx), enriched->tick.market, enriched->tick.event_time / 1000);
    return 1;
}
