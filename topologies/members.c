/* members.c: windows in which the bars of several instruments meet.
 *
 * (1) A window is there when one of its members has a bar of it. What it comes to is a function of the members' last bars up to
 *     it, no older than max_age.
 * (2) It is told when all members have a bar of it; else when it closes, by the greatest start of the definition's bars or by
 *     the clock; and whenever what it comes to changes after that.
 * (3) A window that came to something and comes to nothing any more is withdrawn: its next revision says so.
 * (4) A bar that comes behind later windows changes those that have none of the same member between: they are told again when the
 *     member's next such bar comes, or none does.
 */
#include "topologies/members.h"

#define KEPT DAYS(30) /* of wall time, from the last change */
#define EACH -1       /* instead of a member's number */
#define NONE 0        /* instead of a digest: what was told is withdrawn */

/* Of what is told, as bytes: FNV-1a of 128 bits. */
static market_sum_units digest_of(struct weir_bytes bytes)
{
    unsigned __int128 hash = (unsigned __int128)UINT64_C(0x6c62272e07bb0142) << 64 | UINT64_C(0x62b821756295c58d);
    const unsigned __int128 prime = (unsigned __int128)UINT64_C(0x0000000001000000) << 64 | UINT64_C(0x13b);
    const unsigned char    *at = bytes.data;

    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ at[i]) * prime;
    return (market_sum_units)hash;
}

/* ---- rows ---- */

static struct market_member_key told_key(const struct market_meeting *meeting, int64_t start)
{
    return (struct market_member_key){ .key = meeting->key, .start = start };
}

/* 1 = it is there; 0 = *ret is new. */
static int read_told(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                     const struct weir_span *span, struct market_told *ret)
{
    struct market_member_key  key = told_key(meeting, span->start);
    const struct market_told *known;
    int                       err = weir_get(ctx, board->told, &key, (const void **)&known);

    *ret = (struct market_told){ .window_end = span->end * 1000 };
    if (err == WEIR_NOTFOUND)
        return 0;
    if (err < 0)
        return err;
    *ret = *known;
    return 1;
}

static int put_told(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                    int64_t start, struct market_told *told)
{
    struct market_member_key key = told_key(meeting, start);

    told->touched = weir_wall_time(ctx);
    return weir_put(ctx, board->told, &key, told);
}

/* The member's last bar up to a window, no older than max_age. */
static int seek(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                size_t n, int64_t start, struct market_found *ret)
{
    struct market_member_key to = { meeting->key, market_meeting_member(meeting, n), start }, from = to;
    struct weir_rows        *rows;
    struct weir_row          row;
    int                      err;

    from.start = start - meeting->max_age;
    err = weir_range(ctx, board->bars, &from, &to, WEIR_DESCENDING, &rows);
    if (err == WEIR_OK)
        err = weir_next(rows, &row);
    if (err == WEIR_OK)
        *ret = (struct market_found){ .bar = *(const struct market_member_bar *)row.value,
                                      .start = ((const struct market_member_key *)row.key)->start,
                                      .given = true };
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* The member's bar of a window. 1 = it has one; 0; a code. */
static int find_own(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                    size_t n, int64_t start, struct market_found *ret)
{
    struct market_member_key        key = { meeting->key, market_meeting_member(meeting, n), start };
    const struct market_member_bar *bar;
    int                             err = weir_get(ctx, board->bars, &key, (const void **)&bar);

    if (err == WEIR_NOTFOUND)
        return 0;
    if (err < 0)
        return err;
    *ret = (struct market_found){ .bar = *bar, .start = start, .given = true };
    return 1;
}

/* All members as a window sees them. NULL before: no earlier window was looked at; else what the last window before it saw. */
static int find_all(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                    int64_t start, bool seen, struct market_found *found)
{
    int err = WEIR_OK;

    for (size_t i = 0; err >= 0 && i < meeting->count; i++) {
        err = find_own(ctx, board, meeting, i, start, &found[i]);
        if (err == 0 && !seen)
            err = seek(ctx, board, meeting, i, start, &found[i]);
        if (found[i].start < start - meeting->max_age)
            found[i].given = false;
    }
    return MIN(err, WEIR_OK);
}

/* ---- telling ---- */

static int tell(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                const struct weir_span *span, const struct market_outcome *outcome, struct market_told *told)
{
    struct weir_bytes bytes;
    market_sum_units  digest;
    int               err = board->codec->encode(board->codec, weir_record_arena(ctx), outcome->value, &bytes);

    if (err < 0)
        return err;
    digest = digest_of(bytes);
    if (told->revision > 0 && told->digest == digest && told->epoch >= outcome->epoch)
        return WEIR_OK;
    told->revision = told->epoch < outcome->epoch ? 1 : told->revision + 1;
    told->epoch = MAX(told->epoch, outcome->epoch);
    told->digest = digest;
    err = put_told(ctx, board, meeting, span->start, told);
    return err < 0 ? err
                   : board->tell(ctx, meeting, span, outcome->value,
                                 told->revision == 1 ? MARKET_BAR_FINAL : MARKET_BAR_CORRECTION, told->epoch,
                                 told->revision);
}

/* What was told of the window holds no more. */
static int withdraw(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                    const struct weir_span *span, const void *value, struct market_told *told)
{
    int err;

    if (told->revision == 0 || told->digest == NONE)
        return WEIR_OK;
    told->revision++;
    told->digest = NONE;
    err = put_told(ctx, board, meeting, span->start, told);
    return err < 0 ? err : board->tell(ctx, meeting, span, value, MARKET_BAR_WITHDRAWN, told->epoch, told->revision);
}

static int compute(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                   const struct weir_span *span, const struct market_found *found, struct market_told *told)
{
    struct market_outcome outcome = { 0 };
    int                   err = board->make(ctx, meeting, span, found, &outcome);

    if (err == WEIR_OK && outcome.none && outcome.why != NULL)
        err = market_drop(ctx, board->drops, &meeting->key, outcome.why, span->start * 1000);
    if (err < 0)
        return err;
    return outcome.none ? withdraw(ctx, board, meeting, span, outcome.value, told)
                        : tell(ctx, board, meeting, span, &outcome, told);
}

static struct market_found *room_for(struct weir_context *ctx, const struct market_meeting *meeting)
{
    return weir_alloc(ctx, sizeof(struct market_found) * meeting->count);
}

static int tell_window(struct weir_context *ctx, const struct market_board *board,
                       const struct market_meeting *meeting, const struct weir_span *span, struct market_told *told)
{
    struct market_found *found = room_for(ctx, meeting);
    int                  err = found == NULL ? WEIR_LIMIT : find_all(ctx, board, meeting, span->start, false, found);

    return err < 0 ? err : compute(ctx, board, meeting, span, found, told);
}

/* The window of a row, where it has closed: one that is open is told when it closes. */
static int tell_row(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                    const struct weir_row *row, bool seen, struct market_found *found)
{
    struct market_told told = *(const struct market_told *)row->value;
    struct weir_span   span = { ((const struct market_member_key *)row->key)->start, told.window_end / 1000 };
    int                err = find_all(ctx, board, meeting, span.start, seen, found);

    if (err == WEIR_OK)
        err = weir_window_standing(ctx, board->opens, &meeting->key, span.end);
    return err <= WEIR_OPEN ? err : compute(ctx, board, meeting, &span, found, &told);
}

/* The windows behind a member's bar that have no later one of it; n EACH: behind bars of several. */
static int tell_after(struct weir_context *ctx, const struct market_board *board,
                      const struct market_meeting *meeting, int64_t n, int64_t start)
{
    struct market_member_key from = told_key(meeting, start + 1), to = told_key(meeting, start + meeting->max_age);
    struct market_found     *found = room_for(ctx, meeting);
    struct weir_rows        *rows;
    struct weir_row          row;
    bool                     seen = false;
    int err = found == NULL ? WEIR_LIMIT : weir_range(ctx, board->told, &from, &to, WEIR_ASCENDING, &rows);

    while (err >= 0 && (err = weir_next(rows, &row)) == WEIR_OK) {
        struct market_found own;

        err = n == EACH ? 0
                        : find_own(ctx, board, meeting, (size_t)n, ((const struct market_member_key *)row.key)->start,
                                   &own);
        if (err != 0)
            break;
        err = tell_row(ctx, board, meeting, &row, seen, found);
        seen = true;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : MIN(err, WEIR_OK);
}

/* ---- a bar comes ---- */

/* The member's number, or -1. */
static int member_of(const struct market_meeting *meeting, struct weir_text instrument)
{
    for (size_t i = 0; i < meeting->count; i++)
        if (market_text_same(market_meeting_member(meeting, i), instrument))
            return (int)i;
    return -1;
}

static struct market_member_bar bar_of(struct weir_context *ctx, const struct market_bar *bar)
{
    return (struct market_member_bar){ .close = bar->close,
                                       .volume = bar->volume,
                                       .quality_flags = bar->quality_flags,
                                       .epoch = bar->epoch,
                                       .revision = bar->revision,
                                       .currency = bar->currency,
                                       .unit = bar->unit,
                                       .touched = weir_wall_time(ctx) };
}

/* 1 = the member had no bar of the window; 0 = it had an earlier one; WEIR_NOTHING: it has this one, or a later. */
static int enter(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                 size_t n, const struct market_bar *bar)
{
    struct market_member_key key = { meeting->key, market_meeting_member(meeting, n), bar->window_start / 1000 };
    struct market_member_bar now = bar_of(ctx, bar);
    struct market_found      known = { .given = false };
    int                      err = find_own(ctx, board, meeting, n, key.start, &known);

    if (err == 1 &&
        (known.bar.epoch > now.epoch || (known.bar.epoch == now.epoch && known.bar.revision >= now.revision))) {
        err = market_drop(ctx, board->drops, &meeting->key, "superseded", bar->window_start);
        return err < 0 ? err : WEIR_NOTHING;
    }
    if (err >= 0)
        err = weir_put(ctx, board->bars, &key, &now);
    return err < 0 ? err : !known.given;
}

/* The bar's own window: its row says who is there. */
static int meet(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                const struct weir_span *span, bool is_new)
{
    static const int64_t nothing = 0;
    struct market_told   told;
    int                  err = read_told(ctx, board, meeting, span, &told), standing;

    if (err < 0)
        return err;
    told.members += is_new;
    standing = weir_window_standing(ctx, board->opens, &meeting->key, span->end);
    if (standing < 0)
        return standing;
    if (err == 0 && standing == WEIR_OPEN)
        err = weir_put_span(ctx, board->opens, &meeting->key, &nothing, span);
    if (err >= 0)
        err = put_told(ctx, board, meeting, span->start, &told);
    if (err < 0 || (standing == WEIR_OPEN && told.members < (int64_t)meeting->count))
        return err;
    return tell_window(ctx, board, meeting, span, &told);
}

/* Where later windows are there already, those behind the bar are told when its member goes on, or does not. */
static int follow(struct weir_context *ctx, const struct market_board *board, const struct market_meeting *meeting,
                  size_t n, const struct weir_span *span)
{
    int64_t        time = weir_key_time(ctx, board->opens, &meeting->key), member = (int64_t)n;
    const int64_t *other;
    int            standing;

    if (time < 0 || time <= span->start)
        return time < 0 && time != WEIR_NOTFOUND ? (int)time : WEIR_OK;
    standing = weir_window_standing(ctx, board->after, &meeting->key, span->end);
    if (standing > WEIR_OPEN)
        return tell_after(ctx, board, meeting, member, span->start);
    if (standing == WEIR_OPEN)
        standing = weir_get_window(ctx, board->after, &meeting->key, span->start, (const void **)&other);
    if (standing == WEIR_OK && *other != member)
        member = EACH;
    if (standing == WEIR_OK || standing == WEIR_NOTFOUND)
        standing = weir_put_span(ctx, board->after, &meeting->key, &member, span);
    return standing < 0 ? standing : weir_advance(ctx, board->after, &meeting->key, span->start);
}

int market_board_take(struct weir_context *ctx, const struct market_board *board, const struct weir_record *rec)
{
    const struct market_bar *bar = rec->value;
    struct market_meeting    meeting;
    struct weir_span         span;
    int                      n, err;

    if (rec->key == NULL || bar == NULL)
        return market_reject_null(ctx, rec);
    err = market_meeting_of(ctx, board->global, board->curves, rec->key, &meeting);
    if (err < 0) /* the id is one of the other sort, or has been taken away */
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    n = member_of(&meeting, bar->instrument_id);
    if (n < 0 || !market_text_same(meeting.interval, bar->interval))
        return WEIR_OK;
    span = (struct weir_span){ bar->window_start / 1000, bar->window_end / 1000 };
    err = enter(ctx, board, &meeting, (size_t)n, bar);
    if (err < 0)
        return err == WEIR_NOTHING ? WEIR_OK : err;
    err = meet(ctx, board, &meeting, &span, err == 1);
    if (err == WEIR_OK)
        err = follow(ctx, board, &meeting, (size_t)n, &span);
    return err < 0 ? err : weir_advance(ctx, board->opens, &meeting.key, span.start);
}

int market_board_closed(struct weir_context *ctx, const struct market_board *board, const struct weir_store *store,
                        const struct weir_row *row)
{
    struct weir_span      span = { row->start, row->end };
    struct market_meeting meeting;
    struct market_told    told;
    int                   err = market_meeting_of(ctx, board->global, board->curves, row->key, &meeting);

    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    if (store == board->after) {
        int64_t n = *(const int64_t *)row->value;

        return n < (int64_t)meeting.count ? tell_after(ctx, board, &meeting, n, span.start) : WEIR_OK;
    }
    err = read_told(ctx, board, &meeting, &span, &told);
    return err < 0 ? err : tell_window(ctx, board, &meeting, &span, &told);
}

/* ---- forgetting ---- */

/* Whether a row may go: it was left alone for long, and the definition's time is further than its members may be old. */
static int is_over(struct weir_context *ctx, const struct market_board *board, const struct market_member_key *key,
                   int64_t touched)
{
    struct market_meeting meeting;
    int64_t               time;
    int                   err;

    if (touched > weir_wall_time(ctx) - KEPT)
        return 0;
    err = market_meeting_of(ctx, board->global, board->curves, &key->key, &meeting);
    if (err < 0)
        return err == WEIR_NOTFOUND ? 1 : err;
    time = weir_key_time(ctx, board->opens, &key->key);
    if (time < 0)
        return time == WEIR_NOTFOUND ? 1 : (int)time;
    return key->start < time - meeting.max_age;
}

static int sweep(struct weir_context *ctx, const struct market_board *board, const struct weir_store *store)
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_range(ctx, store, NULL, NULL, WEIR_ASCENDING, &rows);

    while (err >= 0 && (err = weir_next(rows, &row)) == WEIR_OK) {
        err = is_over(ctx, board, row.key,
                      store == board->told ? ((const struct market_told *)row.value)->touched
                                           : ((const struct market_member_bar *)row.value)->touched);
        if (err == 1)
            err = weir_delete(ctx, store, row.key);
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_board_sweep(struct weir_context *ctx, const struct market_board *board)
{
    int err = sweep(ctx, board, board->bars);

    return err < 0 ? err : sweep(ctx, board, board->told);
}

/* ---- what all members say ---- */

/* What is not known differs from nothing. */
static bool differs(struct weir_text known, struct weir_text other)
{
    return known.data != NULL && other.data != NULL && !market_text_same(known, other);
}

static int refuse(struct weir_context *ctx, const struct market_meeting *meeting, const char *reason,
                  const char *what, struct weir_text a, struct weir_text b)
{
    char text[400];

    snprintf(text, sizeof(text),
             "%.*s/%.*s: its members are in %s %.*s and %.*s: they cannot be set against each other",
             (int)meeting->key.tenant.size, meeting->key.tenant.data, (int)meeting->key.instrument.size,
             meeting->key.instrument.data, what, (int)a.size, a.data, (int)b.size, b.data);
    return weir_refuse(ctx, reason, text);
}

int market_agree(struct weir_context *ctx, const struct market_meeting *meeting, int64_t start,
                 const struct market_found *found, struct weir_text unit, struct market_agreement *ret)
{
    int err = 1;

    *ret = (struct market_agreement){ .unit = unit };
    for (size_t i = 0; err == 1 && i < meeting->count; i++) {
        const struct market_member_bar *bar = &found[i].bar;

        if (!found[i].given)
            continue;
        if (differs(ret->currency, bar->currency))
            err = refuse(ctx, meeting, "currency_mismatch", "currencies", ret->currency, bar->currency);
        else if (unit.data == NULL && differs(ret->unit, bar->unit))
            err = refuse(ctx, meeting, "unit_mismatch", "units", ret->unit, bar->unit);
        if (ret->currency.data == NULL)
            ret->currency = bar->currency;
        if (ret->unit.data == NULL)
            ret->unit = bar->unit;
        ret->epoch = MAX(ret->epoch, bar->epoch);
        ret->flags |= bar->quality_flags & ~(uint32_t)MARKET_VALID;
        ret->stale |= found[i].start < start;
    }
    if (ret->stale)
        ret->flags |= MARKET_STALE;
    if (ret->flags == 0)
        ret->flags = MARKET_VALID;
    return err;
}
