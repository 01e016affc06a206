/* unmet.c: definitions of pairs and curves that wait for bars which nobody makes.
 *
 * (1) The intervals of the ladder are always folded. Another one is where aggregation.bars.intervals asks for it, of the products for
 *     which it does.
 * (2) Said by the task of partition 0: once for each definition, each time the definitions have changed.
 */
#include "framework/logging/logging.h"
#include "topologies/aggregation.h"
#include "topologies/members.h"

/* Whether bars of the interval come of the instrument. */
static bool is_made(const struct market_ladder *ladder, const struct market_intervals *intervals,
                    struct weir_text interval, struct weir_text instrument)
{
    for (size_t i = 0; i < ladder->count; i++)
        if (market_text_same(interval,
                             (struct weir_text){ ladder->levels[i].interval, strlen(ladder->levels[i].interval) }))
            return true;
    for (size_t i = 0; i < intervals->count; i++)
        if (market_text_same(interval,
                             (struct weir_text){ intervals->others[i].name, strlen(intervals->others[i].name) }))
            return market_intervals_of(intervals, instrument) >> (ladder->count + i) & 1;
    return false;
}

static void say(struct weir_context *ctx, const struct market_meeting *meeting, struct weir_text member)
{
    char id[MARKET_TENANT_MAX + MARKET_INSTRUMENT_MAX + 2], of[MARKET_INSTRUMENT_MAX + 1], interval[16], why[200];

    snprintf(id, sizeof(id), "%.*s/%.*s", (int)meeting->key.tenant.size, meeting->key.tenant.data,
             (int)meeting->key.instrument.size, meeting->key.instrument.data);
    snprintf(of, sizeof(of), "%.*s", (int)member.size, member.data);
    snprintf(interval, sizeof(interval), "%.*s", (int)meeting->interval.size, meeting->interval.data);
    snprintf(why, sizeof(why),
             "no bars of %s are made: add it to aggregation.bars.intervals, or give the definition another interval",
             interval);
    weir_note(ctx, "definition_unmet");
    weir__say(WEIR__WARN, "definition-unmet", meeting->curve != NULL ? "curve" : "pair", "s", id, "member", "s", of,
              "why", "s", why, NULL);
}

static void check(struct weir_context *ctx, const struct market_ladder *ladder,
                  const struct market_intervals *intervals, const struct market_meeting *meeting)
{
    for (size_t i = 0; i < meeting->count; i++) {
        struct weir_text member = market_meeting_member(meeting, i);

        if (!is_made(ladder, intervals, meeting->interval, member)) {
            say(ctx, meeting, member);
            return;
        }
    }
}

static int look_at(struct weir_context *ctx, const struct market_unmet *unmet, const struct market_ladder *ladder,
                   const struct market_intervals *intervals, bool curves)
{
    const struct weir_node *global = curves ? unmet->curves : unmet->pairs;
    struct weir_rows       *rows;
    struct weir_row         row;
    struct market_meeting   meeting;
    int                     err = weir_scan(ctx, global, NULL, &rows);

    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK) {
        err = market_meeting_of(ctx, global, curves, row.key, &meeting);
        if (err == WEIR_OK)
            check(ctx, ladder, intervals, &meeting);
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_unmet_look(struct weir_context *ctx, struct market_unmet *unmet, const struct market_ladder *ladder,
                      const struct market_intervals *intervals)
{
    uint64_t taken = weir_taken(ctx, unmet->pairs) + weir_taken(ctx, unmet->curves);
    int      err;

    if (taken == unmet->taken || weir_partition(ctx) != 0)
        return WEIR_OK;
    err = look_at(ctx, unmet, ladder, intervals, false);
    if (err == WEIR_OK)
        err = look_at(ctx, unmet, ladder, intervals, true);
    if (err < 0 && weir_code_scope(err) == WEIR_SCOPE_RECORD)
        return WEIR_OK; /* no record is at work: at the next commit once more */
    unmet->taken = taken;
    return err;
}
