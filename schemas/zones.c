/* zones.c: time zones from TZif files (RFC 9636), and the instants of local times.
 *
 * (1) A zone is a list of changes, and a rule for the time after the last one; before the first one its first type holds.
 * (2) No byte of a file is believed: counts and indexes are checked against what is there.
 * (3) Within two days a zone changes once at most: the two readings of a local time are those of the day before and after.
 */
#include <pthread.h>

#include "schemas/zones.h"

#define FOLDER "/usr/share/zoneinfo/"

enum {
    HEADER = 44, /* bytes */
    DAY = 86400,
    NAME_MAX_SIZE = 64,
};

/* When a rule changes the clock: a day of the year, and seconds after its midnight on the clock before the change. */
struct change_rule {
    enum { BY_JULIAN, BY_DAY, BY_WEEK } kind; /* 1..365 without 29 February; 0..365; month, week, weekday */
    int month, week, day;
    int time;
};

struct rule {
    bool               given, saves;       /* saves: there is daylight saving time */
    int32_t            standard, daylight; /* s east of UTC */
    struct change_rule begin, end;
};

struct market_zone {
    struct market_zone *next;
    char                name[NAME_MAX_SIZE];
    size_t              count;
    int64_t            *times;   /* s, rising */
    int32_t            *offsets; /* from that time on */
    int32_t             first;   /* before the first */
    struct rule         rule;
};

/* ---- rules after the last change: the TZ string at the end of the file ---- */

struct tz {
    const char *at, *end;
};

static bool tz_skip(struct tz *tz, char c)
{
    if (tz->at == tz->end || *tz->at != c)
        return false;
    tz->at++;
    return true;
}

static bool tz_number(struct tz *tz, int most, int *ret)
{
    const char *begin = tz->at;
    int         value = 0;

    for (; tz->at < tz->end && *tz->at >= '0' && *tz->at <= '9'; tz->at++) {
        value = value * 10 + (*tz->at - '0');
        if (value > most)
            return false;
    }
    *ret = value;
    return tz->at > begin;
}

/* "EST" or "<-03>". */
static bool tz_skip_name(struct tz *tz)
{
    const char *begin = tz->at;
    bool        quoted = tz_skip(tz, '<');

    while (tz->at < tz->end && (quoted ? *tz->at != '>' : (*tz->at | 0x20) >= 'a' && (*tz->at | 0x20) <= 'z'))
        tz->at++;
    return quoted ? tz_skip(tz, '>') : tz->at > begin;
}

/* [+-]h[:mm[:ss]] in seconds. */
static bool tz_time(struct tz *tz, int32_t *ret)
{
    bool negative = tz_skip(tz, '-');
    int  hours, minutes = 0, seconds = 0;

    if (!negative)
        tz_skip(tz, '+');
    if (!tz_number(tz, 167, &hours))
        return false;
    if (tz_skip(tz, ':')) {
        if (!tz_number(tz, 59, &minutes) || (tz_skip(tz, ':') && !tz_number(tz, 59, &seconds)))
            return false;
    }
    *ret = (negative ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* "M3.2.0", "J60" or "59", then "/time". */
static bool tz_change(struct tz *tz, struct change_rule *ret)
{
    struct change_rule rule = { .time = 2 * 3600 };
    bool               good;

    if (tz_skip(tz, 'M')) {
        rule.kind = BY_WEEK;
        good = tz_number(tz, 12, &rule.month) && tz_skip(tz, '.') && tz_number(tz, 5, &rule.week) &&
               tz_skip(tz, '.') && tz_number(tz, 6, &rule.day) && rule.month >= 1 && rule.week >= 1;
    } else {
        rule.kind = tz_skip(tz, 'J') ? BY_JULIAN : BY_DAY;
        good = tz_number(tz, 365, &rule.day) && (rule.kind == BY_DAY || rule.day >= 1);
    }
    if (!good || (tz_skip(tz, '/') && !tz_time(tz, &rule.time)))
        return false;
    *ret = rule;
    return true;
}

static bool read_rule(struct tz *tz, struct rule *ret)
{
    struct rule rule = { .given = true };
    int32_t     west;

    if (tz->at == tz->end)
        return true; /* no rule: the last change holds on */
    if (!tz_skip_name(tz) || !tz_time(tz, &west))
        return false;
    rule.standard = -west;
    if (tz->at < tz->end) {
        rule.saves = true;
        rule.daylight = rule.standard + 3600;
        if (!tz_skip_name(tz))
            return false;
        if (tz->at < tz->end && *tz->at != ',') {
            if (!tz_time(tz, &west))
                return false;
            rule.daylight = -west;
        }
        if (!tz_skip(tz, ',') || !tz_change(tz, &rule.begin) || !tz_skip(tz, ',') || !tz_change(tz, &rule.end))
            return false;
    }
    *ret = rule;
    return tz->at == tz->end;
}

static int64_t days_to(int64_t year, int month, int day)
{
    int64_t us;

    /* Years of a 400-year cycle are alike; those in question are made to lie in 1 to 9999. */
    int64_t cycles = year >= 1 && year <= 9999 ? 0 : (year - 2000) / 400;

    CHECK(market_date((int)(year - cycles * 400), month, day, &us) == WEIR_OK);
    return us / MARKET_DAYS(1) + cycles * 146097;
}

/* The day of the year's change, in days since 1970. */
static int64_t day_of_change(const struct change_rule *rule, int64_t year)
{
    int64_t january = days_to(year, 1, 1), first, next, day;

    if (rule->kind == BY_DAY)
        return january + rule->day;
    if (rule->kind == BY_JULIAN) /* 1 March is always day 60 */
        return rule->day < 60 ? january + rule->day - 1 : days_to(year, 3, 1) + rule->day - 60;
    first = days_to(year, rule->month, 1);
    next = rule->month == 12 ? days_to(year + 1, 1, 1) : days_to(year, rule->month + 1, 1);
    day = first + ((rule->day - (first + 4)) % 7 + 7) % 7 + 7 * (rule->week - 1); /* 1970 began on a Thursday */
    return day < next ? day : day - 7;
}

static int64_t year_of(int64_t seconds)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0), year = 1970 + days * 400 / 146097;

    while (days < days_to(year, 1, 1))
        year--;
    while (days >= days_to(year + 1, 1, 1))
        year++;
    return year;
}

/* The year is that of standard time: no rule changes the clock so near to New Year that it matters. */
static int32_t offset_by_rule(const struct rule *rule, int64_t seconds)
{
    int64_t year, begin, end;
    bool    saving;

    if (!rule->saves)
        return rule->standard;
    year = year_of(seconds + rule->standard);
    begin = day_of_change(&rule->begin, year) * DAY + rule->begin.time - rule->standard;
    end = day_of_change(&rule->end, year) * DAY + rule->end.time - rule->daylight;
    saving = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    return saving ? rule->daylight : rule->standard;
}

/* ---- TZif files ---- */

struct block {
    const char *data; /* behind the header */
    uint32_t    isutc, isstd, leap, times, types, chars;
    size_t      wide; /* bytes of a time */
    size_t      size;
};

static bool read_header(struct weir_bytes file, size_t at, size_t wide, struct block *ret)
{
    const char  *header = (const char *)file.data + at;
    struct block block = { .wide = wide };

    if (file.size < at + HEADER || memcmp(header, "TZif", 4) != 0)
        return false;
    block.isutc = weir__get_be32(header + 20);
    block.isstd = weir__get_be32(header + 24);
    block.leap = weir__get_be32(header + 28);
    block.times = weir__get_be32(header + 32);
    block.types = weir__get_be32(header + 36);
    block.chars = weir__get_be32(header + 40);
    block.data = header + HEADER;
    block.size = (size_t)block.times * (wide + 1) + (size_t)block.types * 6 + block.chars +
                 (size_t)block.leap * (wide + 4) + block.isstd + block.isutc;
    if (!block.types || block.types > 256 || block.size > file.size - at - HEADER)
        return false;
    *ret = block;
    return true;
}

/* The block to use: the second one, of 64-bit times, where there is one. *ret_footer: the TZ string. */
static bool find_block(struct weir_bytes file, struct block *ret, struct tz *ret_footer)
{
    const char *data = file.data, *end = data + file.size, *footer;

    *ret_footer = (struct tz){ 0 };
    if (!read_header(file, 0, 4, ret))
        return false;
    if (data[4] < '2')
        return true;
    if (!read_header(file, HEADER + ret->size, 8, ret))
        return false;
    footer = ret->data + ret->size;
    if (footer == end || *footer != '\n')
        return false;
    ret_footer->at = footer + 1;
    ret_footer->end = memchr(footer + 1, '\n', (size_t)(end - footer - 1));
    return ret_footer->end != NULL;
}

static int32_t type_offset(const struct block *block, size_t type)
{
    return (int32_t)weir__get_be32(block->data + block->times * (block->wide + 1) + type * 6);
}

static bool is_offset_sane(int32_t offset) { return offset > -DAY && offset < DAY; }

static bool read_changes(const struct block *block, struct market_zone *zone)
{
    const char *types = block->data + block->times * block->wide;

    for (size_t i = 0; i < block->times; i++) {
        const char *time = block->data + i * block->wide;
        uint8_t     type = (uint8_t)types[i];

        if (type >= block->types)
            return false;
        zone->times[i] = block->wide == 8 ? (int64_t)weir__get_be64(time) : (int32_t)weir__get_be32(time);
        zone->offsets[i] = type_offset(block, type);
        if (!is_offset_sane(zone->offsets[i]) || (i && zone->times[i] <= zone->times[i - 1]))
            return false;
    }
    zone->count = block->times;
    zone->first = type_offset(block, 0);
    return is_offset_sane(zone->first);
}

static void free_zone(struct market_zone *zone)
{
    if (!zone)
        return;
    weir__free(zone->times);
    weir__free(zone->offsets);
    weir__free(zone);
}

static void free_zone_at(struct market_zone **zone) { free_zone(*zone); }

int market_zone_parse(const char *name, struct weir_bytes file, struct market_zone **ret, struct weir_error *reterr)
{
    struct market_zone *zone AUTO(free_zone_at) = NULL;
    struct block             block;
    struct tz                footer;

    if (!find_block(file, &block, &footer))
        return weir__fail(reterr, WEIR_CORRUPT, name, "no TZif file: install the package tzdata again");
    zone = weir__zalloc(sizeof(*zone));
    if (zone) {
        zone->times = weir__alloc(sizeof(*zone->times) * MAX(block.times, 1));
        zone->offsets = weir__alloc(sizeof(*zone->offsets) * MAX(block.times, 1));
    }
    if (!zone || !zone->times || !zone->offsets)
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "no memory for a time zone");
    snprintf(zone->name, sizeof(zone->name), "%s", name);
    if (!read_changes(&block, zone) || !read_rule(&footer, &zone->rule))
        return weir__fail(reterr, WEIR_CORRUPT, name, "a damaged TZif file: install the package tzdata again");
    *ret = zone;
    zone = NULL;
    return WEIR_OK;
}

void market_zone_free(struct market_zone *zone) { free_zone(zone); }

/* ---- zones by name ---- */

static pthread_mutex_t     mutex = PTHREAD_MUTEX_INITIALIZER;
static struct market_zone *zones; /* all that were asked for; the list only grows */

static bool is_legal(const char *name)
{
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t            size = strlen(name);

    return size > 0 && size < NAME_MAX_SIZE && strspn(name, legal) == size && name[0] != '/';
}

static int load_zone(const char *name, struct market_zone **ret, struct weir_error *reterr)
{
    struct weir__buf file AUTO(weir__buf_fini) = { 0 };
    char                  path[sizeof(FOLDER) + NAME_MAX_SIZE];
    int                   err;

    snprintf(path, sizeof(path), FOLDER "%s", name);
    err = weir__read_file(path, &file, reterr);
    if (err == WEIR_NOTFOUND)
        return weir__fail(reterr, err, name,
                          "no such time zone in " FOLDER ": a wrong name, or tzdata is not installed");
    return err < 0 ? err : market_zone_parse(name, BYTES(file.data, file.size), ret, reterr);
}

static int find_zone(const char *name, const struct market_zone **ret, struct weir_error *reterr)
{
    struct market_zone *zone = zones;
    int                 err;

    while (zone && strcmp(zone->name, name) != 0)
        zone = zone->next;
    if (!zone) {
        err = load_zone(name, &zone, reterr);
        if (err < 0)
            return err;
        zone->next = zones;
        zones = zone;
    }
    *ret = zone;
    return WEIR_OK;
}

int market_zone_get(const char *name, const struct market_zone **ret, struct weir_error *reterr)
{
    int err;

    if (!is_legal(name))
        return weir__fail(reterr, WEIR_NOTFOUND, name, "no name of a time zone: write one as America/New_York");
    CHECK(pthread_mutex_lock(&mutex) == 0);
    err = find_zone(name, ret, reterr);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return err;
}

const char *market_zone_name(const struct market_zone *zone) { return zone->name; }

/* ---- instants and local times ---- */

/* How many changes are at or before that time. */
static size_t changes_before(const struct market_zone *zone, int64_t seconds)
{
    size_t low = 0, high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->times[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t market_zone_offset(const struct market_zone *zone, int64_t instant)
{
    int64_t seconds = instant / MARKET_SECONDS(1) - (instant % MARKET_SECONDS(1) < 0);
    size_t  changes = changes_before(zone, seconds);

    if (changes == zone->count && zone->rule.given)
        return MARKET_SECONDS(offset_by_rule(&zone->rule, seconds));
    return MARKET_SECONDS(changes ? zone->offsets[changes - 1] : zone->first);
}

struct market_instants market_local(const struct market_zone *zone, int64_t local)
{
    int64_t before = market_zone_offset(zone, local - MARKET_HOURS(24));
    int64_t after = market_zone_offset(zone, local + MARKET_HOURS(24));
    int64_t by_before = local - before, by_after = local - after;
    bool    old_holds = market_zone_offset(zone, by_before) == before;
    bool    new_holds = market_zone_offset(zone, by_after) == after;

    if (before == after || (old_holds && !new_holds))
        return (struct market_instants){ .count = 1, .first = by_before, .second = by_before };
    if (new_holds && !old_holds)
        return (struct market_instants){ .count = 1, .first = by_after, .second = by_after };
    return (struct market_instants){ .count = old_holds ? 2 : 0, .first = by_before, .second = by_after };
}

int market_local_instant(const struct market_zone *zone, int64_t local, enum market_turn turn, int64_t *ret)
{
    struct market_instants instants = market_local(zone, local);

    if (!instants.count)
        return MARKET_NO_SUCH_TIME;
    *ret = turn == MARKET_LATER ? instants.second : instants.first;
    return WEIR_OK;
}

/* ---- hours and days ---- */

/* The start of the later one of the hour that the day has twice. */
static int repeated_hour(const struct market_zone *zone, int64_t day, int64_t *ret)
{
    for (int hour = 0; hour < 24; hour++) {
        struct market_instants instants = market_local(zone, day + MARKET_HOURS(hour));

        if (instants.count == 2) {
            *ret = instants.second;
            return WEIR_OK;
        }
    }
    return MARKET_NO_SUCH_TIME;
}

int market_hour_ending(const struct market_zone *zone, int64_t day, int n, enum market_turn turn, int64_t *ret,
                       bool *ret_repeated)
{
    struct market_instants instants;
    bool                   repeated;

    if (n == 25) {
        if (ret_repeated)
            *ret_repeated = false;
        return repeated_hour(zone, day, ret);
    }
    if (n < 1 || n > 24)
        return MARKET_BAD_TIME;
    instants = market_local(zone, day + MARKET_HOURS(n - 1));
    repeated = instants.count == 2;
    if (!instants.count) {
        instants = market_local(zone, day + MARKET_HOURS(n));
        if (!instants.count)
            return MARKET_NO_SUCH_TIME;
        instants.first -= MARKET_HOURS(1);
        instants.second -= MARKET_HOURS(1);
    }
    *ret = turn == MARKET_LATER ? instants.second : instants.first;
    if (ret_repeated)
        *ret_repeated = repeated;
    return WEIR_OK;
}

/* Where a day begins whose local start may not exist: then at the change. */
static int64_t start_of_day(const struct market_zone *zone, int64_t local)
{
    struct market_instants instants = market_local(zone, local);
    int64_t                low = instants.second, high = instants.first;

    if (instants.count)
        return instants.first;
    /* The clock before the change reads it too late, the one after it too early: the change lies between. */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (middle + market_zone_offset(zone, middle) < local)
            low = middle;
        else
            high = middle;
    }
    return high;
}

void market_day(const struct market_zone *zone, int64_t start, int64_t instant, int64_t *ret_start, int64_t *ret_end)
{
    int64_t local = instant + market_zone_offset(zone, instant) - start;
    int64_t day = local - local % MARKET_DAYS(1) - (local % MARKET_DAYS(1) < 0 ? MARKET_DAYS(1) : 0);

    *ret_start = start_of_day(zone, day + start);
    *ret_end = start_of_day(zone, day + MARKET_DAYS(1) + start);
}
