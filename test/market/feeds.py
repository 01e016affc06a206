"""Ticks of published market files by plain computation: a second implementation that shares nothing with the first.

    feeds.py ticks FILE...    one line a tick: instrument, event time (us), price, volume, bid, ask, revision, sequence
    feeds.py counts FILE...   one line a file: rows, raw events, prices, components, absent components, rows without a time

The kind of a file is told by its name, as this test knows the files. Numbers are exact (decimal.Decimal), times go
through zoneinfo. Standard library only.
"""
import csv
import datetime
import decimal
import gzip
import json
import os
import re
import sys
import zoneinfo

UTC = datetime.timezone.utc
EST = datetime.timezone(datetime.timedelta(hours=-5))
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600 * 10**6


def zone(name):
    return zoneinfo.ZoneInfo(name)


def location(name):
    """The one rule of instrument ids."""
    return re.sub(r"[^A-Z0-9_]*[^A-Z0-9_-][^A-Z0-9_]*", ".", name.upper()).strip(".")


def number(text):
    """Shortest decimal; - for none."""
    if text is None or text == "":
        return "-"
    value = decimal.Decimal(str(text))
    whole = format(value, "f")
    if "." in whole:
        whole = whole.rstrip("0").rstrip(".")
    return "0" if decimal.Decimal(whole) == 0 else whole


def us(moment):
    delta = moment - EPOCH
    return (delta.days * 86400 + delta.seconds) * 10**6 + delta.microseconds


def exists(local, tz):
    """Whether a clock of the zone ever shows the local time."""
    return local.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) == local


def instant(local, tz, fold=0):
    return us(local.replace(tzinfo=tz, fold=fold).astimezone(UTC))


def twice(local, tz):
    return exists(local, tz) and instant(local, tz, 0) != instant(local, tz, 1)


def hour_ending(day, hour, tz, fold=0):
    """Start of the hour; where a clock change leaves it out, the hour that ends at that time."""
    start = day + datetime.timedelta(hours=hour - 1)
    if exists(start, tz):
        return instant(start, tz, fold)
    return instant(start + datetime.timedelta(hours=1), tz) - HOUR


class Passes:
    """Which pass through a repeated hour each row of a file that runs forward is of: rows of one name, stamps in row order."""

    def __init__(self, rows, tz):
        hours = {}
        for name, local in rows:
            if twice(local, tz):
                hours.setdefault(name, []).append(local)
        self.folds = {name: iter(self.passes(stamps)) for name, stamps in hours.items()}

    @staticmethod
    def passes(stamps):
        again = [i for i in range(1, len(stamps)) if stamps[i] <= stamps[i - 1]]
        if not again:
            return [(0, True)] * len(stamps)
        return [(int(i >= again[0]), False) for i in range(len(stamps))]

    def fold(self, name):
        """0 or 1, and whether nothing tells."""
        return next(self.folds[name])


class Repeats:
    """Which one of a repeated hour the n-th row of a label is, by the order of rows."""

    def __init__(self, labels, backward=False):
        self.total = {}
        for label in labels:
            self.total[label] = self.total.get(label, 0) + 1
        self.seen = {}
        self.backward = backward

    def fold(self, label):
        """0 or 1, and whether nothing tells."""
        n = self.seen.get(label, 0)
        self.seen[label] = n + 1
        if self.total[label] < 2:
            return 0, True
        return int((n == 1) != self.backward), False


class Sink:
    """Collects ticks and counts of one file."""

    def __init__(self):
        self.lines = []
        self.rows = self.events = self.prices = self.components = self.absent = self.untimed = 0

    def tick(self, name, time, price, volume=None, bid=None, ask=None, revision=1, sequence=0, note=""):
        self.lines.append(f"{name} {time} {number(price)} {number(volume)} {number(bid)} {number(ask)} "
                          f"{revision} {sequence}{note}")

    def price(self, name, time, price, **more):
        self.prices += 1
        self.tick(name, time, price, **more)

    def component(self, name, time, price, sign=1, **more):
        if price == "":
            self.absent += 1
            return
        self.components += 1
        self.tick(name, time, decimal.Decimal(str(price)) * sign, **more)


def lines_of(path):
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8") as file:
        yield from file


def rows_of(path, skip):
    reader = csv.reader(line for i, line in enumerate(lines_of(path)) if i >= skip)
    heading = next(reader)
    for row in reader:
        if row:
            yield dict(zip(heading, row))


def document_of(path):
    return json.loads("".join(lines_of(path)), parse_float=str, parse_int=str)


# ---- tables of the EIA ----

def eia(path, sink, market, minutes, suffix="", sign=1):
    places = None
    for row in rows_of(path, 3):
        if places is None:
            places = [name[:-4] for name in row if name.endswith(" LMP")]
        end = datetime.datetime.fromisoformat(row["UTC Timestamp (Interval Ending)"]).replace(tzinfo=UTC)
        time = us(end) - minutes * 60 * 10**6
        sink.rows += 1
        for place in places:
            name = f"{market}.{location(place)}{suffix}"
            sink.events += 1
            sink.price(name, time, row[place + " LMP"])
            for word, part, turn in (("Energy", ".MCE", 1), ("Congestion", ".MCC", sign), ("Loss", ".MLC", 1)):
                if f"{place} ({word})" in row:
                    sink.component(name + part, time, row[f"{place} ({word})"], turn)


# ---- MISO ----

def miso_matrix(path, sink):
    lines = list(lines_of(path))
    day = datetime.datetime.strptime(lines[1].strip(), "%m/%d/%Y")
    heading = next(i for i, line in enumerate(lines) if line.startswith("Node,"))
    for row in rows_of(path, heading):
        sink.rows += 1
        for hour in range(1, 25):
            time = us((day + datetime.timedelta(hours=hour - 1)).replace(tzinfo=EST))
            name = f"MISO.{location(row['Node'])}.DA"
            sink.events += 1
            if row["Value"] == "LMP":
                sink.price(name, time, row[f"HE {hour}"])
            else:
                sink.component(f"{name}.{row['Value']}", time, row[f"HE {hour}"])


def miso_document(path, sink):
    data = document_of(path)["LMPData"]
    day = datetime.datetime.strptime(data["RefId"].split(" - ")[0], "%d-%b-%Y")
    for section, suffix in (("FiveMinLMP", ""), ("DayAheadExPostLMP", ".DA")):
        label = data[section]["HourAndMin"]
        if label.startswith("HE"):
            start = day + datetime.timedelta(hours=int(label[2:]) - 1)
        else:
            start = day + datetime.timedelta(hours=int(label[:2]), minutes=int(label[3:]))
        for node in data[section]["PricingNode"]:
            name = f"MISO.{location(node['name'])}{suffix}"
            sink.rows += 1
            sink.events += 1
            sink.price(name, us(start.replace(tzinfo=EST)), node["LMP"])
            for part in ("MCC", "MLC"):
                sink.component(f"{name}.{part}", us(start.replace(tzinfo=EST)), node[part])


# ---- ERCOT ----

def ercot_document(path, sink):
    document = document_of(path)
    names = [field["name"] for field in document["fields"]]
    central = zone("America/Chicago")
    for cells in document["data"]:
        row = dict(zip(names, cells))
        day = datetime.datetime.fromisoformat(row["deliveryDate"])
        fold = 1 if row["DSTFlag"] else 0
        if "hourEnding" in row:
            hour, minutes, suffix = int(row["hourEnding"][:2]), 0, ".DA"
        else:
            hour = int(row["deliveryHour"])
            minutes = 15 * (int(row["deliveryInterval"]) - 1)
            suffix = ".EW" if row["settlementPointType"] in ("LZEW", "LZ_DCEW") else ""
        sink.rows += 1
        sink.events += 1
        sink.price(f"ERCOT.{location(row['settlementPoint'])}{suffix}",
                   hour_ending(day, hour, central, fold) + minutes * 60 * 10**6, row["settlementPointPrice"])


# ---- PJM ----

def pjm(path, sink, kind, suffix):
    for row in rows_of(path, 0):
        begin = datetime.datetime.strptime(row["datetime_beginning_utc"], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
        name = f"PJM.{location(row['pnode_name'])}{suffix}"
        revision = int(row["version_nbr"])
        sink.rows += 1
        sink.events += 1
        sink.price(name, us(begin), row[f"total_lmp_{kind}"], revision=revision)
        for column, part in (("system_energy_price", ".MCE"), ("congestion_price", ".MCC"),
                             ("marginal_loss_price", ".MLC")):
            sink.component(name + part, us(begin), row[f"{column}_{kind}"], revision=revision)


# ---- CAISO ----

def caiso(path, sink):
    for row in rows_of(path, 0):
        time = us(datetime.datetime.fromisoformat(row["INTERVALSTARTTIME_GMT"]).astimezone(UTC))
        name = f"CAISO.{location(row['NODE'])}" + {"DAM": ".DA", "RTPD": ".RT15M"}[row["MARKET_RUN_ID"]]
        part = {"LMP": "", "MCE": ".MCE", "MCC": ".MCC", "MCL": ".MLC", "MGHG": ".MGHG"}[row["LMP_TYPE"]]
        sink.rows += 1
        sink.events += 1
        if part:
            sink.component(name + part, time, row["MW"])
        else:
            sink.price(name, time, row["MW"])


# ---- NYISO ----

def nyiso(path, sink, kind):
    eastern = zone("America/New_York")
    rows = list(rows_of(path, 0))
    form = "%m/%d/%Y %H:%M:%S" if kind == "rt" else "%m/%d/%Y %H:%M"
    passes = Passes(((row["Name"], datetime.datetime.strptime(row["Time Stamp"], form)) for row in rows), eastern)
    for row in rows:
        local = datetime.datetime.strptime(row["Time Stamp"], form)
        fold, unsure = passes.fold(row["Name"]) if twice(local, eastern) else (0, False)
        start = instant(local, eastern, fold)
        name = f"NYISO.{location(row['Name'])}" + (".DA" if kind == "da" else "")
        sequence = 0
        if kind == "rt":
            seconds = start // 10**6
            start = (seconds - 1) // 300 * 300 * 10**6
            sequence = seconds - start // 10**6
        more = {"sequence": sequence, "note": " ambiguous" if unsure else ""}
        sink.rows += 1
        sink.events += 1
        sink.price(name, start, row["LBMP ($/MWHr)"], **more)
        sink.component(name + ".MCC", start, row["Marginal Cost Congestion ($/MWHr)"], -1, **more)
        sink.component(name + ".MLC", start, row["Marginal Cost Losses ($/MWHr)"], **more)


def nyiso_oasis(path, sink):
    eastern = zone("America/New_York")
    for row in rows_of(path, 0):
        if "DAM Zonal LBMP" in row:
            word, suffix, shift, stamp = "DAM", ".DA", 0, row["Eastern Date Hour"]
        else:
            word, suffix, shift, stamp = "RTC", ".RTC", 15, row["RTC End Time Stamp"]
        fold = 1 if row.get("Eastern Date Hour Time Zone") == "EST" else 0
        time = instant(datetime.datetime.strptime(stamp, "%m/%d/%Y %H:%M"), eastern, fold) - shift * 60 * 10**6
        name = f"NYISO.{location(row['Zone Name'])}{suffix}"
        revision = row[f"{word} Zonal Price Version"]
        sink.rows += 1
        sink.events += 1
        sink.price(name, time, row[f"{word} Zonal LBMP"], revision=revision)
        sink.component(name + ".MCC", time, row[f"{word} Zonal Congestion"], -1, revision=revision)
        sink.component(name + ".MLC", time, row[f"{word} Zonal Losses"], revision=revision)


# ---- ISO-NE ----

def isone_report(path, sink):
    eastern = zone("America/New_York")
    heading = None
    marked = {row[1] for row in csv.reader(lines_of(path)) if row[0] == "D" and row[2].endswith("X")}
    for row in csv.reader(lines_of(path)):
        if row[0] == "H" and heading is None:
            heading = row
        if row[0] != "D":
            continue
        row = dict(zip(heading, row))
        day = datetime.datetime.strptime(row["Date"], "%m/%d/%Y")
        hour = row["Hour Ending"]
        start = day + datetime.timedelta(hours=int(hour.rstrip("X")) - 1)
        time = instant(start, eastern, 1 if hour.endswith("X") else 0)
        note = " ambiguous" if twice(start, eastern) and row["Date"] not in marked else ""
        name = f"ISONE.{location(row['Location Name'])}.RT1H"
        sink.rows += 1
        sink.events += 1
        sink.price(name, time, row["Locational Marginal Price"], note=note)
        sink.component(name + ".MCE", time, row["Energy Component"], note=note)
        sink.component(name + ".MCC", time, row["Congestion Component"], note=note)
        sink.component(name + ".MLC", time, row["Marginal Loss Component"], note=note)


def isone_document(path, sink):
    for row in document_of(path)["HourlyLmps"]["HourlyLmp"]:
        time = us(datetime.datetime.fromisoformat(row["BeginDate"]).astimezone(UTC))
        name = f"ISONE.{location(row['Location']['$'])}.DA"
        sink.rows += 1
        sink.events += 1
        sink.price(name, time, row["LmpTotal"])
        sink.component(name + ".MCE", time, row["EnergyComponent"])
        sink.component(name + ".MCC", time, row["CongestionComponent"])
        sink.component(name + ".MLC", time, row["LossComponent"])


# ---- AESO ----

def aeso_lines(path, sink, heading, suffix):
    mountain = zone("America/Edmonton")
    for i, line in enumerate(lines_of(path)):
        if i < heading:
            continue
        stamp, price = line.strip().split(",")
        local = datetime.datetime.strptime(stamp, "%m/%d/%Y %H:%M")
        sink.rows += 1
        sink.events += 1
        if not exists(local, mountain):
            sink.untimed += 1
            continue
        sink.price(f"AESO.AB{suffix}", instant(local, mountain), price,
                   note=" ambiguous" if twice(local, mountain) else "")


def aeso_historical(path, sink):
    """Newest first; hours ending; a label that has no start is the hour that ends there."""
    mountain = zone("America/Edmonton")
    rows = list(rows_of(path, 0))
    repeats = Repeats((row["Date (HE)"] for row in rows), backward=True)
    for row in rows:
        day, hour = row["Date (HE)"].split(" ")
        day = datetime.datetime.strptime(day, "%m/%d/%Y")
        if hour == "0:00":
            day, hour = day - datetime.timedelta(days=1), 24
        start = day + datetime.timedelta(hours=int(hour) - 1)
        fold, unsure = repeats.fold(row["Date (HE)"]) if twice(start, mountain) else (0, False)
        time = hour_ending(day, int(hour), mountain, fold)
        sink.rows += 1
        sink.events += 1
        sink.price("AESO.AB.RT1H", time, row["Price ($)"], note=" ambiguous" if unsure else "")


def aeso_document(path, sink):
    report = document_of(path)["return"]
    for row in report.get("Pool Price Report", []) + report.get("System Marginal Price Report", []):
        time = us(datetime.datetime.strptime(row["begin_datetime_utc"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC))
        sink.rows += 1
        sink.events += 1
        if "pool_price" in row:
            if row["pool_price"] != "" or row["forecast_pool_price"] == "":  # else the hour has none yet
                sink.price("AESO.AB.RT1H", time, row["pool_price"])
            else:
                sink.absent += 1
            if row["forecast_pool_price"] != "":
                sink.price("AESO.AB.RT1H.FORECAST", time, row["forecast_pool_price"])
        else:
            sink.price("AESO.AB", time, row["system_marginal_price"], volume=row["volume"])


# ---- trades ----

def lean(path, sink, name, tz, scale):
    day = datetime.datetime.strptime(re.search(r"\d{8}", os.path.basename(path)).group(), "%Y%m%d")
    midnight = instant(day, zone(tz))
    seen = {}
    for line in lines_of(path):
        ms, price, size = line.split(",")[:3]
        sequence = seen.get(ms, 0)
        seen[ms] = sequence + 1
        sink.rows += 1
        sink.events += 1
        sink.price(name, midnight + int(ms) * 1000, decimal.Decimal(price) * decimal.Decimal(scale), volume=size,
                   sequence=sequence)


def kraken(path, sink):
    for pair, trades in document_of(path)["result"].items():
        for price, volume, time, *_, trade_id in trades if isinstance(trades, list) else []:
            whole, _, fraction = time.partition(".")
            sink.rows += 1
            sink.events += 1
            sink.price(f"KRAKEN.{location(pair)}", int(whole) * 10**6 + int(fraction[:6].ljust(6, "0")), price,
                       volume=volume, sequence=trade_id)


def binance(path, sink):
    for line in lines_of(path):
        data = json.loads(line.split(" ", 1)[1], parse_float=str)["data"]
        name = f"BINANCE.{location(data['s'])}.PERP"
        time = int(data["T"]) * 1000
        sink.rows += 1
        sink.events += 1
        if data["e"] == "trade":
            sink.price(name, time, data["p"], volume=data["q"], sequence=data["t"])
        else:
            sink.price(name, time, None, bid=data["b"], ask=data["a"], sequence=data["u"])


def table_of_ticks(path, sink):
    seen = {}
    for row in rows_of(path, 0):
        stamp = row["timestamp"]
        time = int(stamp) * 10**6 if stamp.isdigit() else us(datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")))
        name = location(row["symbol"])
        sequence = row["sequence"]
        if not sequence:
            sequence = seen.get((name, time), 0)
            seen[name, time] = sequence + 1
        sink.rows += 1
        sink.events += 1
        sink.price(name, time, row["price"], volume=row["volume"], sequence=sequence, bid=row.get("bid"), ask=row.get("ask"))


KINDS = [
    (r"^miso_rt_hourly_hubs", lambda p, s: eia(p, s, "MISO", 60, ".RT1H")),
    (r"^caiso_rt_15min_hubs", lambda p, s: eia(p, s, "CAISO", 15, ".RT15M")),
    (r"^ercot_rt_15min_hubs", lambda p, s: eia(p, s, "ERCOT", 15)),
    (r"^pjm_rt_5min_hubs", lambda p, s: eia(p, s, "PJM", 5)),
    (r"^nyiso_rt_hourly_zones", lambda p, s: eia(p, s, "NYISO", 60, ".RT1H", -1)),
    (r"^isone_rt_hourly_hub", lambda p, s: eia(p, s, "ISONE", 60, ".RT1H")),
    (r"^miso_.*da_expost", miso_matrix),
    (r"^miso_api", miso_document),
    (r"^ercot_api", ercot_document),
    (r"^pjm_rt_hrl", lambda p, s: pjm(p, s, "rt", ".RT1H")),
    (r"^pjm_da_hrl", lambda p, s: pjm(p, s, "da", ".DA")),
    (r"^caiso_\d", caiso),
    (r"^nyiso_\d{8}realtime", lambda p, s: nyiso(p, s, "rt")),
    (r"^nyiso_\d{8}damlbmp", lambda p, s: nyiso(p, s, "da")),
    (r"^nyiso_oasis", nyiso_oasis),
    (r"^isone_lmp_rt_final", isone_report),
    (r"^isone_api", isone_document),
    (r"^aeso_pool_price", lambda p, s: aeso_lines(p, s, 6, ".RT1H")),
    (r"^aeso_smp_1min", lambda p, s: aeso_lines(p, s, 0, "")),
    (r"^aeso_api", aeso_document),
    (r"^aeso_historical", aeso_historical),
    (r"^ticks", table_of_ticks),
    (r"^trades_spy_tick", lambda p, s: lean(p, s, "SPY", "America/New_York", "0.0001")),
    (r"^trades_gc_201312_tick", lambda p, s: lean(p, s, "GC.201312", "UTC", "1")),
    (r"^trades_kraken_api_xbt", kraken),
    (r"^trades_binance_futures", binance),
]


def main():
    what, paths = sys.argv[1], sys.argv[2:]
    for path in paths:
        name = os.path.basename(path)
        sink = Sink()
        next(read for pattern, read in KINDS if re.match(pattern, name))(path, sink)
        if what == "ticks":
            sys.stdout.write("".join(line + "\n" for line in sink.lines))
        else:
            print(f"{name} rows {sink.rows} events {sink.events} ticks {sink.prices + sink.components} "
                  f"prices {sink.prices} absent {sink.absent}" +
                  (f" no_such_time {sink.untimed}" if sink.untimed else ""))


if __name__ == "__main__":
    main()
