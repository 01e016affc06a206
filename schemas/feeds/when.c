/* when.c: when the interval of a row begins. The rules of clocks and hours are those of times.h.
 *
 * (1) event_time is the start of the interval: what stamps the end is moved back by the feed's interval.
 * (2) A flag of the row decides a repeated hour. Without one it is the earlier, and said to be ambiguous.
 * (3) Times outside 1980 to 2200 are refused: no market has them.
 */
#include "schemas/feeds/internal.h"

#define EARLIEST INT64_C(315532800000000)  /* 1980 */
#define LATEST   INT64_C(7258118400000000) /* 2200 */

struct row {
    const struct market_feed   *feed;
    const struct market__roles *roles;
    const struct market_zone   *zone;     /* NULL = not asked for yet */
    int64_t                     interval; /* us */
    struct weir_error          *reterr;
};

struct turn {
    enum market_turn turn;
    bool             said;
};

static int bad(const struct row *row, enum market__role role, int code, const char *what)
{
    return market__role_bad(row->roles, role, code, what, row->reterr);
}

static int text_of(const struct row *row, enum market__role role, struct weir_text *ret)
{
    return market__role_text(row->roles, role, ret, row->reterr);
}

/* The zone of the feed's market, or a named one. Zones never go away, so a thread may remember its last one: the lock of
 * the zone table is not for every row. */
static int zone_named(struct weir_text name, const struct market_zone **ret, struct weir_error *reterr)
{
    static _Thread_local char                      last_name[64];
    static _Thread_local const struct market_zone *last;
    char                                           room[sizeof(last_name)];
    int                                            err;

    if (name.size >= sizeof(room))
        return weir__fail(reterr, MARKET_BAD_TIME, "zone", "no such time zone: \"%.*s\"", (int)MIN(name.size, 80),
                          name.data);
    memcpy(room, name.data, name.size);
    room[name.size] = '\0';
    if (!last || strcmp(room, last_name) != 0) {
        err = market_zone_get(room, &last, reterr);
        if (err < 0) {
            last = NULL;
            return err == WEIR_NOTFOUND ? MARKET_BAD_TIME : err;
        }
        memcpy(last_name, room, sizeof(room));
    }
    *ret = last;
    return WEIR_OK;
}

static int zone_of(struct row *row)
{
    return row->zone ? WEIR_OK : zone_named(market__text(row->feed->rules->zone), &row->zone, row->reterr);
}

/* ---- flags of repeated hours ---- */

static int read_turn(const struct row *row, struct turn *ret)
{
    struct weir_text text;
    int              err = text_of(row, ROLE_TURN, &text);

    *ret = (struct turn){ .turn = MARKET_EARLIER };
    if (err < 0 || !text.size)
        return err;
    if (market__one_of(text, "true|y|yes|1|later|est|cst|mst|pst") >= 0)
        ret->turn = MARKET_LATER;
    else if (market__one_of(text, "false|n|no|0|earlier|edt|cdt|mdt|pdt") < 0)
        return market__one_of(text, "once") >= 0
                   ? WEIR_OK
                   : bad(row, ROLE_TURN, MARKET_BAD_TYPE, "neither true nor false is said of the repeated hour");
    ret->said = true;
    return WEIR_OK;
}

/* ---- stamps ---- */

/* later: the stamp itself says that it is of the second one of a repeated hour. */
static int resolve(struct row *row, enum market__role role, int64_t local, bool later, struct market__moment *ret)
{
    struct turn turn;
    int         err = read_turn(row, &turn);

    if (err == WEIR_OK)
        err = zone_of(row);
    if (err < 0)
        return err;
    if (later)
        turn = (struct turn){ .turn = MARKET_LATER, .said = true };
    ret->later = later;
    if (market_local_instant(row->zone, local, turn.turn, &ret->time) < 0)
        return bad(row, role, MARKET_NO_SUCH_TIME, market_reason_text(MARKET_NO_SUCH_TIME));
    ret->ambiguous = !turn.said && market_local(row->zone, local).count == 2;
    return WEIR_OK;
}

/* A stamp's instant. */
static int read_stamp(struct row *row, struct market__moment *ret)
{
    enum market__role   role = ROLE_INSTANT;
    struct weir_text    text;
    struct market_stamp stamp;
    int                 err = text_of(row, role, &text);

    if (err == WEIR_OK && !text.size) {
        role = ROLE_LOCAL;
        err = text_of(row, role, &text);
    }
    if (err < 0)
        return err;
    if (!text.size)
        return market__role_missing(row->feed, row->feed->names[ROLE_INSTANT] ? ROLE_INSTANT : ROLE_LOCAL,
                                    row->reterr);
    if (market_stamp_read(text, &stamp) < 0)
        return bad(row, role, MARKET_BAD_TIME, market_reason_text(MARKET_BAD_TIME));
    if (stamp.local && role == ROLE_LOCAL)
        return resolve(row, role, stamp.us, false, ret);
    ret->time = stamp.us;
    return WEIR_OK;
}

/* ---- days and hours ---- */

static const char months[] = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";

/* "02-Oct-2026", and what follows a blank. */
static bool read_named_day(struct weir_text text, int64_t *ret)
{
    int64_t day, year;
    int     month;

    if (text.size < 11 || text.data[2] != '-' || text.data[6] != '-' || (text.size > 11 && text.data[11] != ' '))
        return false;
    month = market__one_of((struct weir_text){ .data = text.data + 3, .size = 3 }, months);
    return month >= 0 && market__whole((struct weir_text){ .data = text.data, .size = 2 }, &day) &&
           market__whole((struct weir_text){ .data = text.data + 7, .size = 4 }, &year) &&
           market_date((int)year, month + 1, (int)day, ret) == WEIR_OK;
}

/* Local midnight of the row's day. */
static int read_day(const struct row *row, int64_t *ret)
{
    struct weir_text    text;
    struct market_stamp stamp;
    int                 err = text_of(row, ROLE_DAY, &text);

    if (err < 0)
        return err;
    if (!text.size)
        return market__role_missing(row->feed, ROLE_DAY, row->reterr);
    if (read_named_day(text, ret))
        return WEIR_OK;
    if (market_stamp_read(text, &stamp) < 0 || !stamp.local || stamp.us % MARKET_DAYS(1) != 0)
        return bad(row, ROLE_DAY, MARKET_BAD_TIME, "no day");
    *ret = stamp.us;
    return WEIR_OK;
}

/* X and * mark the second one of a repeated hour. */
static bool cut_mark(struct weir_text *text)
{
    bool marked = text->size > 1 && memchr("Xx*", text->data[text->size - 1], 3);

    text->size -= marked;
    return marked;
}

/* "HE 17", "17", "17:00", "02X", "2*": an hour ending. */
static bool read_hour_ending(struct weir_text text, int64_t *ret, bool *ret_later)
{
    if (market__begins(text, "HE"))
        text = market__trim((struct weir_text){ .data = text.data + 2, .size = text.size - 2 });
    if (text.size > 3 && memcmp(text.data + text.size - 3, ":00", 3) == 0)
        text.size -= 3;
    *ret_later = cut_mark(&text);
    return market__whole(text, ret) && *ret >= 1 && *ret <= 25;
}

static int resolve_hour(struct row *row, enum market__role role, int64_t day, int64_t hour, bool later,
                        struct market__moment *ret)
{
    struct turn turn;
    bool        repeated;
    int         err = read_turn(row, &turn);

    if (err == WEIR_OK)
        err = zone_of(row);
    if (err < 0)
        return err;
    if (later)
        turn = (struct turn){ .turn = MARKET_LATER, .said = true };
    err = market_hour_ending(row->zone, day, (int)hour, turn.turn, &ret->time, &repeated);
    if (err < 0)
        return bad(row, role, err, market_reason_text(err));
    ret->ambiguous = repeated && !turn.said && hour != 25;
    ret->later = later || hour == 25;
    return WEIR_OK;
}

static int add_quarter(const struct row *row, struct market__moment *ret)
{
    struct weir_text text;
    int64_t          quarter;
    int              err = text_of(row, ROLE_QUARTER, &text);

    if (err < 0 || !row->feed->names[ROLE_QUARTER] || row->interval >= MARKET_HOURS(1))
        return err;
    if (!text.size)
        return market__role_missing(row->feed, ROLE_QUARTER, row->reterr);
    if (!market__whole(text, &quarter) || quarter < 1 || quarter > MARKET_HOURS(1) / row->interval)
        return bad(row, ROLE_QUARTER, MARKET_BAD_TIME, "no such interval of the hour");
    ret->time += (quarter - 1) * row->interval;
    return WEIR_OK;
}

/* "03/08/2020 03" or "3/8/2020 3:00", hour ending: day and hour in one text. 0 o'clock ends the day before. */
static int read_day_and_hour(struct row *row, struct market__moment *ret)
{
    struct weir_text    text, day;
    struct market_stamp stamp;
    int64_t             hour;
    bool                later;
    int                 err = text_of(row, ROLE_DAY, &text);

    if (err < 0)
        return err;
    if (!text.size)
        return market__role_missing(row->feed, ROLE_DAY, row->reterr);
    day = (struct weir_text){ .data = text.data, .size = 0 };
    while (day.size < text.size && day.data[day.size] != ' ')
        day.size++;
    text = market__trim((struct weir_text){ .data = text.data + day.size, .size = text.size - day.size });
    if (market_stamp_read(day, &stamp) < 0 || !stamp.local)
        return bad(row, ROLE_DAY, MARKET_BAD_TIME, "no day and hour");
    if (market__one_of(text, "0|00|0:00|00:00") >= 0)
        return resolve_hour(row, ROLE_DAY, stamp.us - MARKET_DAYS(1), 24, false, ret);
    if (!read_hour_ending(text, &hour, &later))
        return bad(row, ROLE_DAY, MARKET_BAD_TIME, "no hour ending 1 to 24");
    return resolve_hour(row, ROLE_DAY, stamp.us, hour, later, ret);
}

static int read_hour(struct row *row, struct market__moment *ret)
{
    struct weir_text text;
    int64_t          day, hour;
    bool             later;
    int              err;

    if (!row->feed->names[ROLE_HOUR])
        return read_day_and_hour(row, ret);
    err = read_day(row, &day);
    if (err == WEIR_OK)
        err = text_of(row, ROLE_HOUR, &text);
    if (err < 0)
        return err;
    if (!text.size)
        return market__role_missing(row->feed, ROLE_HOUR, row->reterr);
    if (!read_hour_ending(text, &hour, &later))
        return bad(row, ROLE_HOUR, MARKET_BAD_TIME, "no hour ending 1 to 24");
    err = resolve_hour(row, ROLE_HOUR, day, hour, later, ret);
    return err == WEIR_OK ? add_quarter(row, ret) : err;
}

/* What follows "Interval " in the day's text: "02-Oct-2026 - Interval 16:50 EST". Size 0 = nothing. */
static int read_interval(const struct row *row, struct weir_text *ret)
{
    static const char word[] = "Interval ";
    int               err = text_of(row, ROLE_DAY, ret);

    while (err == WEIR_OK && ret->size && !market__begins(*ret, word))
        *ret = (struct weir_text){ .data = ret->data + 1, .size = ret->size - 1 };
    if (err < 0 || !ret->size)
        return err;
    *ret = (struct weir_text){ .data = ret->data + sizeof(word) - 1, .size = ret->size - (sizeof(word) - 1) };
    for (size_t i = 0; i < ret->size; i++)
        if (ret->data[i] == ' ')
            ret->size = i;
    return WEIR_OK;
}

/* "16:50", "1:05*": us since midnight. */
static bool read_clock(struct weir_text text, int64_t *ret, bool *ret_later)
{
    const char      *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    struct weir_text minutes;
    int64_t          hour, minute;

    *ret_later = cut_mark(&text);
    if (!colon)
        return false;
    minutes = (struct weir_text){ .data = colon + 1, .size = (size_t)(text.data + text.size - colon - 1) };
    text.size = (size_t)(colon - text.data);
    if (!market__whole(text, &hour) || !market__whole(minutes, &minute) || hour > 24 || minute > 59)
        return false;
    *ret = MARKET_HOURS(hour) + MARKET_MINUTES(minute);
    return *ret <= MARKET_DAYS(1);
}

/* Of "01/09/2010 02*", which names the hour ending that a time of day lies in, the day, and whether the hour is marked. */
static int read_labels_day(const struct row *row, int64_t *ret, bool *ret_later)
{
    struct weir_text    text, day;
    struct market_stamp stamp;
    int64_t             hour;
    int                 err = text_of(row, ROLE_DAY, &text);

    *ret_later = false;
    if (err < 0 || text.size == 0)
        return err < 0 ? err : read_day(row, ret);
    day = (struct weir_text){ .data = text.data };
    while (day.size < text.size && day.data[day.size] != ' ')
        day.size++;
    text = market__trim((struct weir_text){ .data = text.data + day.size, .size = text.size - day.size });
    if (!read_hour_ending(text, &hour, ret_later) || market_stamp_read(day, &stamp) < 0 || !stamp.local)
        return read_day(row, ret);
    *ret = stamp.us;
    return WEIR_OK;
}

/* Of a document that says when it was made: what begins hours after that is of the day before. Soon after midnight the
 * last whole hour is HE 24. */
static int not_ahead(struct row *row, struct market__moment *ret)
{
    struct weir_text made;
    int64_t          day, clock;
    bool             later;
    int              err = row->feed->basis == MARKET_DA ? WEIR_NOTFOUND : read_interval(row, &made);

    if (err < 0 || !read_clock(made, &clock, &later))
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    err = read_day(row, &day);
    if (err == WEIR_OK)
        err = zone_of(row);
    if (err < 0)
        return err;
    if (ret->time > day + clock - market_zone_offset(row->zone, ret->time) + MARKET_HOURS(1))
        ret->time -= MARKET_DAYS(1);
    return WEIR_OK;
}

/* "16:50" as the start of its interval; all else is an hour ending. Where the section has no label the document's counts. */
static int read_label(struct row *row, struct market__moment *ret)
{
    struct weir_text text;
    int64_t          day, clock;
    bool             later, marked;
    int              err = text_of(row, ROLE_HOUR, &text);

    if (err == WEIR_OK && !text.size)
        err = read_interval(row, &text);
    if (err < 0)
        return err;
    if (!text.size || !memchr(text.data, ':', text.size) || market__begins(text, "HE")) {
        err = read_hour(row, ret);
        return err == WEIR_OK ? not_ahead(row, ret) : err;
    }
    err = read_labels_day(row, &day, &later);
    if (err < 0)
        return err;
    if (!read_clock(text, &clock, &marked))
        return bad(row, ROLE_HOUR, MARKET_BAD_TIME, "no time of day");
    err = resolve(row, ROLE_HOUR, day + clock, later || marked, ret);
    return err == WEIR_OK ? not_ahead(row, ret) : err;
}

/* ---- NYISO's grid, and times of day ---- */

/* The interval began at the grid point before the stamp; reruns between grid points go by their seconds. */
static void to_grid(const struct row *row, struct market__moment *moment)
{
    int64_t start = moment->time - 1 - (moment->time - 1) % row->interval;

    moment->sequence = (moment->time - start) / MARKET_SECONDS(1);
    moment->time = start;
}

static int read_of_day(struct row *row, const struct market__setting *setting, struct market__moment *ret)
{
    struct weir_text          text;
    struct market_stamp       day;
    const struct market_zone *zone;
    int64_t                   ms;
    int                       err = text_of(row, ROLE_INSTANT, &text);

    if (err < 0)
        return err;
    if (!setting->day.size || !setting->zone.size)
        return weir__fail(row->reterr, MARKET_MISSING, "metadata",
                          "metadata.day and metadata.zone must say of which day");
    if (market_stamp_read(setting->day, &day) < 0 || !day.local || day.us % MARKET_DAYS(1) != 0)
        return weir__fail(row->reterr, MARKET_BAD_TIME, "metadata.day", "no day: \"%.*s\"",
                          (int)MIN(setting->day.size, 80), setting->day.data);
    err = zone_named(setting->zone, &zone, row->reterr);
    if (err < 0)
        return err;
    if (!text.size)
        return market__role_missing(row->feed, ROLE_INSTANT, row->reterr);
    if (!market__whole(text, &ms) || ms >= 25 * 3600 * 1000)
        return bad(row, ROLE_INSTANT, MARKET_BAD_TIME, "no milliseconds since midnight");
    if (market_local_instant(zone, day.us, MARKET_EARLIER, &ret->time) < 0)
        return weir__fail(row->reterr, MARKET_NO_SUCH_TIME, "metadata.day", "the day has no midnight in its zone");
    ret->time += ms * 1000;
    return WEIR_OK;
}

static int read_moment(struct row *row, const struct market__setting *setting, struct market__moment *ret)
{
    int err;

    switch (row->feed->when) {
    case WHEN_OF_DAY: return read_of_day(row, setting, ret);
    case WHEN_HOUR: return read_hour(row, ret);
    case WHEN_LABEL: return read_label(row, ret);
    default: err = read_stamp(row, ret);
    }
    if (err < 0)
        return err;
    if (row->feed->when == WHEN_END)
        ret->time -= row->interval;
    else if (row->feed->when == WHEN_GRID)
        to_grid(row, ret);
    return WEIR_OK;
}

int market__when(const struct market_feed *feed, const struct market__roles *roles, int interval,
                 const struct market__setting *setting, struct market__moment *ret, struct weir_error *reterr)
{
    struct row row = { .feed = feed, .roles = roles, .interval = MARKET_SECONDS(interval), .reterr = reterr };
    int        err;

    *ret = (struct market__moment){ 0 };
    err = read_moment(&row, setting, ret);
    if (err == WEIR_OK && (ret->time < EARLIEST || ret->time >= LATEST))
        err = weir__fail(reterr, MARKET_BAD_TIME, "event time", "%lld us since 1970 lies outside 1980 to 2200",
                         (long long)ret->time);
    return err;
}
