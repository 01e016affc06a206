"""Times in the markets' zones, by Python's zoneinfo: one line a case, read by test_market_times.c.

offset ZONE instant offset                      local ZONE local count first second
day ZONE start instant day_start day_end        hour ZONE day n later start repeated        (us; -1 = there is none)
"""
import datetime as dt
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
MARKETS = ["America/New_York", "America/Chicago", "America/Los_Angeles", "America/Edmonton", "EST", "UTC"]
ODD = ["Australia/Sydney", "Australia/Lord_Howe", "Europe/Dublin", "America/Sao_Paulo", "America/Havana", "Asia/Kolkata",
       "Africa/Casablanca", "America/St_Johns", "Pacific/Apia", "Asia/Beirut"]


def us(when):
    """Of a naive time: as if it were UTC."""
    return (when.replace(tzinfo=when.tzinfo or UTC) - EPOCH) // dt.timedelta(microseconds=1)


def instant(local, zone, fold=0):
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def exists(local, zone):
    return instant(local, zone).astimezone(zone).replace(tzinfo=None) == local


def count(local, zone):
    return 0 if not exists(local, zone) else 1 if instant(local, zone) == instant(local, zone, 1) else 2


def changes(zone, first, last):
    """Instants between which the offset differs, by the hour."""
    at = dt.datetime(first, 1, 1, tzinfo=UTC)
    while at.year <= last:
        if at.astimezone(zone).utcoffset() != (at + DAY).astimezone(zone).utcoffset():
            while at.astimezone(zone).utcoffset() == (at + HOUR).astimezone(zone).utcoffset():
                at += HOUR
            yield at + HOUR
            at += DAY
        at += DAY - (at - at.replace(hour=0))


def clocks(name, first, last):
    zone = ZoneInfo(name)
    instants = [dt.datetime(year, month, 15, 12, tzinfo=UTC) for year in range(first, last + 1) for month in range(1, 13)]
    for change in changes(zone, first, last):
        instants += [change + dt.timedelta(minutes=15 * n, seconds=s) for n in range(-10, 10) for s in (-1, 0)]
    for at in instants:
        print("offset", name, us(at), at.astimezone(zone).utcoffset() // dt.timedelta(microseconds=1))
        local = at.astimezone(zone).replace(tzinfo=None)
        for near in (local, local + HOUR, local - HOUR):
            print("local", name, us(near), count(near, zone), us(instant(near, zone)), us(instant(near, zone, 1)))


def start_of(local, zone):
    """A day whose first moment does not exist begins with the first that does."""
    while not exists(local, zone):
        local += dt.timedelta(minutes=15)
    return instant(local, zone)


def some_days(zone, first, last):
    """Those around each change, and each 41st."""
    near = {at.replace(hour=0, tzinfo=None) + n * DAY for at in changes(zone, first, last) for n in range(-2, 3)}
    begin, end = dt.datetime(first, 1, 1), dt.datetime(last + 1, 1, 1)
    return sorted(near | {begin + n * DAY for n in range(0, (end - begin).days, 41)})


def days(name, first, last):
    zone = ZoneInfo(name)
    for day in some_days(zone, first, last):
        for hours in (0, 6):
            start = start_of(day + hours * HOUR, zone)
            end = start_of(day + DAY + hours * HOUR, zone)
            for at in (start, end - dt.timedelta(microseconds=1)) if start < end else ():  # Apia left one out
                print("day", name, us(EPOCH + hours * HOUR), us(at), us(start), us(end))


def hours(name, first, last):
    """Labels as markets use them: the hour that starts at n - 1 o'clock, else the one that ends at n o'clock."""
    zone = ZoneInfo(name)
    for day in some_days(zone, first, last):
        at, end = instant(day, zone), instant(day + DAY, zone)
        starts, ends, twice = {}, {}, -1
        while at < end:
            starts.setdefault(at.astimezone(zone).hour + 1, []).append(at)
            ends.setdefault((at + HOUR).astimezone(zone).hour or 24, []).append(at)
            at += HOUR
        for n in range(1, 25):
            found = starts.get(n) or ends[n]
            if len(found) == 2:
                twice = us(found[1])
            for later in (0, 1):
                print("hour", name, us(day), n, later, us(found[later if len(found) == 2 else 0]), int(len(found) == 2))
        print("hour", name, us(day), 25, 0, twice, 0)


for market in MARKETS:
    clocks(market, 2007, 2030)
    clocks(market, 2036, 2040)
    days(market, 2007, 2030)
    hours(market, 2007, 2030)
for odd in ODD:
    clocks(odd, 2007, 2012)
    clocks(odd, 2038, 2040)
    days(odd, 2007, 2012)
