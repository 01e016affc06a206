"""Statistics, spreads and curves of a run by plain computation, by docs/statistics.md alone; it shares no code with the pipeline.

    derived.py make FOLDER SEED                       made-up ticks.csv, pairs.jsonl, curves.jsonl
    feeds.py ticks FILE... | derived.py check RUN [DEFINITIONS...]

Standard input of check: the ticks by the other implementation. RUN: see runs.py. DEFINITIONS: files of pairs and curves, JSON lines.
"""
import bisect
import calendar
import collections
import datetime
import json
import math
import os
import random
import sys

import exact
import runs

UNIT = 10**8
SECOND = 10**6
MINUTE = 60 * SECOND
STATS, SPREADS, CURVES = "aggregated.market.stats.v1", "aggregated.market.spreads.v1", "pricing.curve.updates.v1"
EPOCH = datetime.date(1970, 1, 1)
MONEY = {"MISO": "USD", "CAISO": "USD", "ERCOT": "USD", "PJM": "USD", "NYISO": "USD", "ISONE": "USD", "AESO": "CAD"}


def read(lines):
    """Ticks with a price that count, by instrument in order: (time, sequence, price, volume or None); quotes likewise: (time, sequence, bid, ask)."""
    lines = list(lines)
    ticks, _ = exact.read_ticks(lines)
    prices, quotes = collections.defaultdict(list), collections.defaultdict(dict)
    for (name, time, sequence), (_, price, volume) in sorted(ticks.items()):
        prices[name].append((time, sequence, price, volume[1] if volume[0] else None))
    for line in lines:
        name, time, _, _, bid, ask, _, sequence = line.split()[:8]
        if bid != "-" and ask != "-":
            quotes[name][int(time), int(sequence)] = runs.units(bid), runs.units(ask)
    return ticks, prices, {name: sorted((*at, *sides) for at, sides in of.items()) for name, of in quotes.items()}


# ---- statistics ----

def statistics(ticks):
    prices = [price for _, _, price, _ in ticks]
    volumes = [volume for _, _, _, volume in ticks if volume is not None]
    n, total, squares = len(prices), sum(prices), sum(price * price for price in prices)
    spread = n * squares - total * total
    return {"count": n, "mean": total / (n * UNIT), "min": min(prices), "max": max(prices), "range": max(prices) - min(prices),
            "standard_deviation": math.sqrt(spread / (n * n * UNIT * UNIT)) if spread < 2**127 else None,
            "volume": sum(volumes) if volumes else None, "first_event_time": ticks[0][0], "last_event_time": ticks[-1][0]}


def all_statistics(prices):
    """(key, window, start or None) -> record."""
    want = {}
    for name, ticks in prices.items():
        key = f"default/{name}"
        for n in (10, 50, 100):
            if len(ticks) >= n:
                last = ticks[-n:]
                want[key, f"last_{n}", None] = dict(statistics(last), window_start=last[0][0], window_end=last[-1][0])
        times = [tick[0] for tick in ticks]
        starts = {time // MINUTE * MINUTE - back * MINUTE for time in times for back in range(5)}
        for start in starts:
            inside = ticks[bisect.bisect_left(times, start):bisect.bisect_left(times, start + 5 * MINUTE)]
            if len(inside) >= 2:
                want[key, "5m", start] = dict(statistics(inside), window_start=start, window_end=start + 5 * MINUTE)
    return want


# ---- what pairs and curves are made of ----

class Closes:
    """Converged bars of one interval, by instrument."""

    def __init__(self, ticks, interval):
        self.of = collections.defaultdict(list)
        for (key, start), bar in sorted(exact.computed(ticks, interval).items()):
            self.of[key.split("/", 1)[1]].append((start, bar))
        self.starts = {name: [start for start, _ in bars] for name, bars in self.of.items()}

    def at(self, name, start, max_age):
        """(start, bar) of the window, or of the last one that is not too old; None."""
        i = bisect.bisect_right(self.starts.get(name, []), start) - 1
        if i < 0 or self.of[name][i][0] < start - max_age:
            return None
        return self.of[name][i]

    def windows(self, names):
        """start -> end, of all windows in which one of the instruments has a bar."""
        return {start: bar["window_end"] for name in names for start, bar in self.of.get(name, [])}


def money(names):
    """What the bars of instruments say of currency; none of trades."""
    return {MONEY[name.split(".")[0]] for name in names if name.split(".")[0] in MONEY}


def rounded(exact_value):
    """Units of 1e-16 to units of 1e-8, half to even."""
    whole, rest = divmod(exact_value, UNIT)
    return whole + (rest * 2 > UNIT or (rest * 2 == UNIT and whole % 2 == 1))


# ---- spreads ----

def spread(pair, closes, start, end):
    max_age = int(pair.get("max_age_ms", 3600000)) * 1000
    legs, total = [], 0
    for leg in pair["legs"]:
        found = closes.at(leg["instrument_id"], start, max_age)
        if found is None:
            return None
        weight = runs.units(str(leg["weight"]))
        total += weight * found[1]["close"]
        legs.append((leg["instrument_id"], weight, found[1]["close"], found[0], start - found[0], found[0] != start))
    if len(money([leg[0] for leg in legs])) > 1:
        return None
    return {"kind": pair["kind"], "value": rounded(total), "bid_price": None, "ask_price": None, "legs": legs,
            "stale": any(leg[5] for leg in legs), "window_end": end}


def all_spreads(ticks, quotes, pairs):
    """(key, kind, start) -> record."""
    want = {}
    for pair in pairs:
        closes = Closes(ticks, pair.get("interval", "1m"))
        for start, end in closes.windows([leg["instrument_id"] for leg in pair["legs"]]).items():
            record = spread(pair, closes, start, end)
            if record is not None:
                want[f"default/{pair['pair_id']}", pair["kind"], start] = record
    for name, of in quotes.items():
        for time, _, bid, ask in of:  # the last one of a minute stays
            start = time // MINUTE * MINUTE
            want[f"default/{name}", "bid_ask", start] = {
                "kind": "bid_ask", "value": ask - bid, "bid_price": bid, "ask_price": ask, "legs": [], "stale": False,
                "window_end": start + MINUTE}
    return want


# ---- curves ----

def add_months(day, months):
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return datetime.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def later(day, tenor):
    number, letter = int(tenor[:-1]), tenor[-1].lower()
    if letter in "dw":
        return day + datetime.timedelta(days=number * (7 if letter == "w" else 1))
    return add_months(day, number * (12 if letter == "y" else 1))


def days_between(count, first, second):
    if count == "30_360":
        return (360 * (second.year - first.year) + 30 * (second.month - first.month) + min(second.day, 30) - min(first.day, 30))
    return (second - first).days


def month_of(member):
    if member.get("contract_month"):
        return member["contract_month"]
    last = member["instrument_id"].split(".")[-1]
    return f"{last[:4]}-{last[4:]}" if not member.get("tenor") and len(last) == 6 and last.isdigit() else None


def points_of(curve, closes, start, as_of):
    max_age = int(curve.get("max_age_ms", 86400000)) * 1000
    points = []
    for member in curve["members"]:
        month = month_of(member)
        if month:
            delivery = datetime.date(int(month[:4]), int(month[5:]), 1)
            if as_of >= add_months(delivery, 1):
                continue
        else:
            delivery = later(as_of, member["tenor"])
        found = closes.at(member["instrument_id"], start, max_age)
        if found is None:
            continue
        age = start - found[0]
        points.append({"instrument_id": member["instrument_id"], "delivery": (delivery - EPOCH).days * 86400 * SECOND,
                       "days": days_between(curve.get("day_count", "act_365"), as_of, delivery), "price": found[1]["close"],
                       "volume": found[1]["volume"], "window_start": found[0], "age": age, "stale": age != 0,
                       "confidence": 1.0 if age == 0 else (max_age - age) / max_age})
    return sorted(points, key=lambda point: (point["days"], point["instrument_id"]))


def one_a_day(points):
    best = {}
    for point in points:
        held = best.get(point["days"])
        if held is None or (-point["confidence"], point["instrument_id"]) < (-held["confidence"], held["instrument_id"]):
            best[point["days"]] = point
    return [best[days] for days in sorted(best)]


def spline(points):
    """Second derivatives of the natural spline."""
    x = [float(point["days"]) for point in points]
    y = [point["price"] / 1e8 for point in points]
    n = len(x)
    h = [x[i + 1] - x[i] for i in range(n - 1)]
    m, b, r = [0.0] * n, [0.0] * n, [0.0] * n
    for i in range(1, n - 1):
        r[i] = 6 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
        b[i] = 2 * (h[i - 1] + h[i])
        if i > 1:
            f = h[i - 1] / b[i - 1]
            b[i] -= f * h[i - 1]
            r[i] -= f * r[i - 1]
    for i in range(n - 2, 0, -1):
        m[i] = (r[i] - h[i] * m[i + 1]) / b[i]
    return x, y, h, m


def between(method, points, i, d):
    """Price at d, which lies between points i and i + 1; None and why."""
    d0, d1, p0, p1 = points[i]["days"], points[i + 1]["days"], points[i]["price"], points[i + 1]["price"]
    if method == "log_linear":
        if p0 <= 0 or p1 <= 0:
            return None, "not_positive"
        return math.exp(((d1 - d) * math.log(p0 / 1e8) + (d - d0) * math.log(p1 / 1e8)) / (d1 - d0)), None
    if method == "cubic" and len(points) > 2:
        x, y, h, m = spline(points)
        a, c = (x[i + 1] - d) / h[i], (d - x[i]) / h[i]
        return a * y[i] + c * y[i + 1] + ((a * a * a - a) * m[i] + (c * c * c - c) * m[i + 1]) * (h[i] * h[i]) / 6, None
    return (p0 * (d1 - d) + p1 * (d - d0)) / ((d1 - d0) * UNIT), None


def horizon(curve, points, as_of, tenor):
    date = later(as_of, tenor)
    d = days_between(curve.get("day_count", "act_365"), as_of, date)
    record = {"horizon": tenor, "date": (date - EPOCH).days * 86400 * SECOND, "days": d, "price": None, "confidence": None, "reason": None}
    days = [point["days"] for point in points]
    i = bisect.bisect_left(days, d)
    if i < len(days) and days[i] == d:
        record.update(price=points[i]["price"] / UNIT, confidence=points[i]["confidence"])
    elif len(points) < 2:
        record["reason"] = "too_few_points"
    elif i == 0 or i == len(days):
        record["reason"] = "outside_points"
    else:
        record["price"], record["reason"] = between(curve.get("method", "linear"), points, i - 1, d)
        if record["price"] is not None:
            record["confidence"] = min(points[i - 1]["confidence"], points[i]["confidence"])
    return record


def all_curves(ticks, curves):
    """(key, start) -> record."""
    want = {}
    for curve in curves:
        closes = Closes(ticks, curve.get("interval", "1m"))
        for start, end in closes.windows([member["instrument_id"] for member in curve["members"]]).items():
            as_of = EPOCH + datetime.timedelta(days=start // (86400 * SECOND))
            points = points_of(curve, closes, start, as_of)
            if not points or len(money([point["instrument_id"] for point in points])) > 1:
                continue
            single = one_a_day(points)
            want[f"default/{curve['curve_id']}", start] = {
                "as_of": as_of.isoformat(), "points": points, "window_end": end, "stale": any(point["stale"] for point in points),
                "horizons": [horizon(curve, single, as_of, tenor) for tenor in curve.get("horizons") or ["1m", "3m", "6m", "1y"]]}
    return want


# ---- what the run says ----

def last_of(run, topic, identity):
    last = {}
    for record in runs.records(run, topic):
        value = record["value"]
        name = identity(record["key"], value)
        version = int(value["epoch"]), int(value["revision"])
        if name in last and version <= last[name][0]:
            runs.fail(f"{topic}: {name}: {version} after {last[name][0]}")
        last[name] = version, value
    return {name: value for name, (_, value) in last.items() if value["state"] != "withdrawn"}


def whole(value):
    return None if value is None else int(value)


def real(value):
    return None if value is None else float(value)


def truth(value):
    return bool(value)


def said_legs(legs):
    return [(leg["instrument_id"], runs.units(leg["weight"]), runs.units(leg["price"]), int(leg["window_start"]), int(leg.get("age") or 0),
             truth(leg.get("stale"))) for leg in legs or []]


def said_points(points):
    return [{"instrument_id": point["instrument_id"], "delivery": int(point["delivery"]), "days": int(point["days"]),
             "price": runs.units(point["price"]), "volume": runs.units(point["volume"]), "window_start": int(point["window_start"]),
             "age": int(point.get("age") or 0), "stale": truth(point.get("stale")), "confidence": real(point["confidence"])} for point in points or []]


def said_horizons(horizons):
    return [{"horizon": at["horizon"], "date": int(at["date"]), "days": int(at["days"]), "price": real(at["price"]),
             "confidence": real(at["confidence"]), "reason": at.get("reason") or None} for at in horizons or []]


READERS = {"count": int, "mean": real, "min": runs.units, "max": runs.units, "range": runs.units, "standard_deviation": real,
           "volume": runs.units, "first_event_time": int, "last_event_time": int, "window_start": int, "window_end": int, "kind": str,
           "value": runs.units, "bid_price": runs.units, "ask_price": runs.units, "legs": said_legs, "stale": truth, "as_of": str,
           "points": said_points, "horizons": said_horizons}


def compare(what, want, have):
    for name in sorted(set(want) | set(have), key=repr):
        if name not in have:
            runs.fail(f"{what} {name} is missing")
        if name not in want:
            runs.fail(f"{what} {name} should not be there")
        for field, value in want[name].items():
            got = READERS[field](have[name][field])
            if got != value:
                runs.fail(f"{what} {name}: {field} is {got}, not {value}")
    return f"{len(want)} {what}"


def check(run, files):
    pairs, curves = [], []
    for path in files:
        with open(path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line, parse_float=str)
                (pairs if "pair_id" in row else curves).append(row)
    ticks, prices, quotes = read(sys.stdin)
    told = [compare("statistics", all_statistics(prices),
                    last_of(run, STATS, lambda key, value: (key, value["window"],
                                                            int(value["window_start"]) if value["window"] == "5m" else None))),
            compare("spreads", all_spreads(ticks, quotes, pairs),
                    last_of(run, SPREADS, lambda key, value: (key, value["kind"], int(value["window_start"])))),
            compare("curves", all_curves(ticks, curves), last_of(run, CURVES, lambda key, value: (key, int(value["window_start"]))))]
    print(", ".join(told) + " equal the plain computation")


# ---- made-up input ----

def make(folder, seed):
    """Two days of futures of one commodity and a spot price, with gaps, days on which a contract's month ends, prices of zero and below, sums that end in a half, quotes."""
    dice = random.Random(seed)
    names = ["XG.202506", "XG.202507", "XG.202508", "XG.202510", "XG.202601", "XG.202606", "XG.202505"]
    begin = 1748649600 * SECOND  # 2025-05-31
    rows = []
    for i, name in enumerate([*names, "XGSPOT"]):
        time, price = begin, 5000 + 300 * i
        while time < begin + 2 * 86400 * SECOND:
            time += dice.choice((1, 3, 7, 20, 40, 61, 61, 299, 900, 12000)) * SECOND * dice.randint(1, 3)
            price += dice.randint(-40, 40)
            below = dice.choice((-1, 0, *[1] * 16)) if i == 3 else 1
            rows.append((time, name, f"{price * below / 100:.2f}", dice.choice(("", "0", "1.5", "20"))))
    with open(os.path.join(folder, "ticks.csv"), "w", encoding="ascii") as file:
        file.write("symbol,timestamp,source_id,market,sequence,price,volume,bid,ask\n")
        for number, (time, name, price, volume) in enumerate(sorted(rows)):
            stamp = datetime.datetime.fromtimestamp(time // SECOND, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            bid = float(price) - 0.25
            sides = f"{bid:.2f},{bid + dice.randint(0, 50) / 100:.2f}" if dice.randrange(3) == 0 else ","
            file.write(f"{name},{stamp},made,XV,{number + 1},{price},{volume},{sides}\n")
    pairs = [("XG.CAL", "calendar", [(names[0], 1), (names[1], -1)], {}),
             ("XG.FLY", "calendar", [(names[0], 0.5), (names[1], -1), (names[2], "0.50000001")], {"max_age_ms": 60000}),
             ("XG.BASIS", "spot_future", [("XGSPOT", 1), (names[0], -1)], {"interval": "5m", "max_age_ms": 0}),
             ("XG.HALVES", "calendar", [(names[0], "0.0000005"), (names[1], "-0.000001")], {}),
             ("XG.QUARTERS", "calendar", [(names[1], 1), (names[2], -1)], {"interval": "15m"}),
             ("XG.HOURS", "inter_market", [("XGSPOT", "1.23456789"), (names[3], "-3")], {"interval": "1h", "max_age_ms": 7200000})]
    with open(os.path.join(folder, "pairs.jsonl"), "w", encoding="ascii") as file:
        for pair_id, kind, legs, more in pairs:
            text = ", ".join(f'{{"instrument_id": "{name}", "weight": {weight}}}' for name, weight in legs)
            rest = "".join(f', "{name}": {json.dumps(value)}' for name, value in more.items())
            file.write(f'{{"pair_id": "{pair_id}", "kind": "{kind}", "legs": [{text}]{rest}}}\n')
    members = [{"instrument_id": name} for name in names]
    with open(os.path.join(folder, "curves.jsonl"), "w", encoding="ascii") as file:
        for curve in ({"curve_id": "XG", "members": members},
                      {"curve_id": "XG.LOG", "method": "log_linear", "day_count": "act_360", "members": members, "horizons": ["1d", "2w", "3m", "5y"]},
                      {"curve_id": "XG.CUBIC", "method": "cubic", "day_count": "30_360", "interval": "5m", "max_age_ms": 3600000, "members": members,
                       "horizons": ["17d", "1m", "2m", "4m", "7m", "1y"]},
                      {"curve_id": "XG.FOURS", "interval": "4h", "members": members[:4]},
                      {"curve_id": "XG.TENORS", "interval": "1h", "members": [{"instrument_id": "XGSPOT", "tenor": "1d"},
                                                                            {"instrument_id": names[2], "tenor": "1m"},
                                                                            {"instrument_id": names[3], "contract_month": "2025-07"}],
                       "horizons": ["1d", "2w", "1m"]}):
            file.write(json.dumps(curve) + "\n")


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]))
    else:
        check(sys.argv[2], sys.argv[3:])


main()
