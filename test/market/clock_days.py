"""Made-up files of each feed for the days on which clocks change, and the ticks that must come of them.

    clock_days.py FOLDER YEAR    writes files, and FOLDER/expected: a line a tick, as feeds.py prints them

The truth is known before the files: each interval of the day is an instant, and its label is made of it as the market does it. So
a file is right by construction, and what is read back must be the instants. Standard library only.
"""
import datetime
import json
import os
import sys
import zoneinfo

UTC = datetime.timezone.utc
EST = datetime.timezone(datetime.timedelta(hours=-5))
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
HOUR, MINUTE = datetime.timedelta(hours=1), datetime.timedelta(minutes=1)


def sunday(year, month, n):
    """The n-th Sunday of a month."""
    first = datetime.date(year, month, 1)
    return first + datetime.timedelta(days=(6 - first.weekday()) % 7 + 7 * (n - 1))


def days(year):
    return sunday(year, 3, 2), sunday(year, 11, 1)


def instants(day, zone, step):
    """Starts of the day's intervals: 23, 24 or 25 hours of them."""
    end = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone).astimezone(UTC)
    at = datetime.datetime.combine(day, datetime.time(), zone).astimezone(UTC)
    while at < end:
        yield at
        at += step


def second(local):
    """Whether a local time is the later one of a repeated hour."""
    return local.fold == 1


def number(cents):
    text = f"{cents / 100:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Sink:
    def __init__(self, folder):
        self.folder, self.expected, self.count = folder, [], 0

    def tick(self, name, start, price=None, sequence=0, revision=1):
        """A price of its own for each tick, some below zero."""
        if price is None:
            self.count += 1
            price = self.count * 7 % 20000 - 3000
        time = (start - EPOCH) // datetime.timedelta(microseconds=1)
        self.expected.append(f"{name} {time} {number(price)} - - - {revision} {sequence}")
        return number(price)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)


def lines(rows, end="\n"):
    return "".join(",".join(row) + end for row in rows)


def us(local, seconds=False):
    return local.strftime("%m/%d/%Y %H:%M:%S" if seconds else "%m/%d/%Y %H:%M")


def ercot(sink, day):
    zone = zoneinfo.ZoneInfo("America/Chicago")
    rows = [["DeliveryDate", "HourEnding", "SettlementPoint", "SettlementPointPrice", "DSTFlag"]]
    body = []
    for start in instants(day, zone, HOUR):
        local = start.astimezone(zone)
        price = sink.tick("ERCOT.HB_X.DA", start)
        body.append([us(local)[:10], f"{local.hour + 1:02}:00", "HB_X", price, "Y" if second(local) else "N"])
    sink.write(f"ercot_np4_{day:%Y%m%d}.csv", lines(rows + body, "\r\n"))
    names = ["deliveryDate", "hourEnding", "settlementPoint", "settlementPointPrice", "DSTFlag"]
    data = []
    for start in instants(day, zone, HOUR):
        local = start.astimezone(zone)
        data.append([f"{local:%Y-%m-%d}", f"{local.hour + 1:02}:00", "HB_Y", float(sink.tick("ERCOT.HB_Y.DA", start)), second(local)])
    # The market lists the later one of the two first.
    for i in range(len(data) - 1):
        if data[i][1] == data[i + 1][1]:
            data[i], data[i + 1] = data[i + 1], data[i]
    sink.write(f"ercot_api_np4-190-cd_{day:%Y%m%d}.json",
               json.dumps({"report": {"reportEMIL": "NP4-190-CD"}, "fields": [{"name": name} for name in names], "data": data}))
    quarters = []
    for start in instants(day, zone, 15 * MINUTE):
        local = start.astimezone(zone)
        quarters.append([us(local)[:10], str(local.hour + 1), str(local.minute // 15 + 1), "LZ_X", "LZ", sink.tick("ERCOT.LZ_X", start),
                         "Y" if second(local) else "N"])
    quarters.sort(key=lambda row: (row[2], row[1]))
    sink.write(f"ercot_np6_{day:%Y%m%d}.csv",
               lines([["DeliveryDate", "DeliveryHour", "DeliveryInterval", "SettlementPointName", "SettlementPointType",
                       "SettlementPointPrice", "DSTFlag"]] + quarters))
    # The workbooks of a year, saved as text; and reports without the flag, whose rows are in order.
    for name, columns in (("year", ["Delivery Date", "Delivery Hour", "Delivery Interval", "Repeated Hour Flag", "Settlement Point Name",
                                    "Settlement Point Type", "Settlement Point Price"]),
                          ("order", ["DeliveryDate", "DeliveryHour", "DeliveryInterval", None, "SettlementPointName",
                                     "SettlementPointType", "SettlementPointPrice"])):
        rows = [columns]
        for start in instants(day, zone, 15 * MINUTE):
            local = start.astimezone(zone)
            rows.append([us(local)[:10], str(local.hour + 1), str(local.minute // 15 + 1), "NY"[second(local)], f"LZ {name}", "LZEW",
                         sink.tick(f"ERCOT.LZ.{name.upper()}.EW", start)])
        sink.write(f"ercot_{name}_{day:%Y%m%d}.csv",
                   lines([cell for i, cell in enumerate(row) if columns[i] is not None] for row in rows))


def pjm(sink, day):
    zone = zoneinfo.ZoneInfo("America/New_York")

    def stamp(at):
        return f"{at.month}/{at.day}/{at.year} {at:%I:%M:%S %p}".replace(" 0", " ")

    for kind, suffix, step in (("rt", ".RT1H", HOUR), ("da", ".DA", HOUR), ("rt", "", 5 * MINUTE)):
        rows = [["datetime_beginning_utc", "datetime_beginning_ept", "pnode_id", "pnode_name", f"total_lmp_{kind}", "version_nbr"]]
        for start in instants(day, zone, step):
            rows.append([stamp(start), stamp(start.astimezone(zone)), "1", "X HUB", sink.tick(f"PJM.X.HUB{suffix}", start, revision=2), "2"])
        sink.write(f"pjm_{kind}{step.seconds}_{day:%Y%m%d}.csv", lines(rows, "\r\n"))
    # Exported without the columns that may be left out; local time alone.
    rows = [["datetime_beginning_ept", "pnode_name", "total_lmp_rt"]]
    for start in instants(day, zone, 5 * MINUTE):
        rows.append([stamp(start.astimezone(zone)).lower(), "Y HUB", sink.tick("PJM.Y.HUB", start)])
    sink.write(f"pjm_local_{day:%Y%m%d}.csv", lines(rows))


def caiso(sink, day):
    zone = zoneinfo.ZoneInfo("America/Los_Angeles")
    rows = []
    for start in instants(day, zone, HOUR):
        for kind, part in (("LMP", ""), ("MCC", ".MCC"), ("MCL", ".MLC")):
            rows.append([f"{start:%Y-%m-%dT%H:%M:%S}-00:00", f"{start + HOUR:%Y-%m-%dT%H:%M:%S}-00:00", "X_1_N001", "DAM", kind,
                         sink.tick("CAISO.X_1_N001.DA" + part, start)])
    rows.sort(key=lambda row: row[5])
    sink.write(f"caiso_{day:%Y%m%d}.csv", lines(
        [["INTERVALSTARTTIME_GMT", "INTERVALENDTIME_GMT", "NODE", "MARKET_RUN_ID", "LMP_TYPE", "MW"]] + rows))


def minus(sink, name, start):
    """The printed congestion, of which the tick is the negative."""
    price = sink.tick(name, start)
    return price[1:] if price.startswith("-") else price if price == "0" else "-" + price


def nyiso(sink, day):
    zone = zoneinfo.ZoneInfo("America/New_York")
    heading = [["\"Time Stamp\"", "\"Name\"", "\"PTID\"", "\"LBMP ($/MWHr)\"", "\"Marginal Cost Losses ($/MWHr)\"",
                "\"Marginal Cost Congestion ($/MWHr)\""]]

    def row(stamp, price):
        return [f"\"{stamp}\"", "\"X Y\"", "1", price, "", "\"\""]

    sink.write(f"{day:%Y%m%d}damlbmp_zone.csv", lines(heading + [
        row(us(start.astimezone(zone)), sink.tick("NYISO.X.Y.DA", start)) for start in instants(day, zone, HOUR)]))
    fives = []
    for i, start in enumerate(instants(day, zone, 5 * MINUTE)):
        if i % 7 == 3:  # the dispatch was run again within the interval
            seconds = 60 + i % 200
            again = (start + datetime.timedelta(seconds=seconds)).astimezone(zone)
            fives.append(row(us(again, True), sink.tick("NYISO.X.Y", start, sequence=seconds)))
        end = (start + 5 * MINUTE).astimezone(zone)
        fives.append(row(us(end, True), sink.tick("NYISO.X.Y", start, sequence=300)))
    # That it is the five-minute report its stamps say too.
    sink.write(f"nyiso_fives_{day:%Y%m%d}.csv", lines(heading + fives))
    # Before 2016-07.
    cut = [heading[0][:-1] + ["\"Marginal Cost Congestion ($/MWH\""]]
    sink.write(f"{day:%Y%m%d}rtlbmp_zone.csv", lines(cut + [
        [*row(us(start.astimezone(zone)), sink.tick("NYISO.X.Y.RT1H", start))[:5], minus(sink, "NYISO.X.Y.RT1H.MCC", start)]
        for start in instants(day, zone, HOUR)]))
    hours = [[us(start.astimezone(zone)), "X", sink.tick("NYISO.X.DA", start), "1"] for start in instants(day, zone, HOUR)]
    sink.write(f"nyiso_oasis_dam_{day:%Y%m%d}.csv",
               lines([["Eastern Date Hour", "Zone Name", "DAM Zonal LBMP", "DAM Zonal Price Version"]] + hours))
    quarters = []
    for start in instants(day, zone, 15 * MINUTE):
        end = (start + 15 * MINUTE).astimezone(zone)
        quarters.append([us(end), "X", sink.tick("NYISO.X.RTC", start), "1", end.tzname()])
    sink.write(f"nyiso_rtc_{day:%Y%m%d}.csv", lines(
        [["RTC End Time Stamp", "Zone Name", "RTC Zonal LBMP", "RTC Zonal Price Version", "Eastern Date Hour Time Zone"]] + quarters))


def isone(sink, day):
    zone = zoneinfo.ZoneInfo("America/New_York")
    rows = [["C", "made up"], ["H", "Date", "Hour Ending", "Location ID", "Location Name", "Location Type", "Locational Marginal Price"],
            ["H", "Date", "Text", "Number", "Text", "Text", "$/MWh"]]
    for start in instants(day, zone, HOUR):
        local = start.astimezone(zone)
        rows.append(["D", us(local)[:10], f"{local.hour + 1:02}" + "X" * second(local), "1", "X  Y", "NODE",
                     sink.tick("ISONE.X.Y.RT1H", start)])
    rows.append(["T", str(len(rows) + 1)])
    sink.write(f"lmp_rt_final_{day:%Y%m%d}.csv", lines(rows))
    sink.write(f"hourlylmp_da_final_{day:%Y%m%d}.json", json.dumps({"HourlyLmps": {"HourlyLmp": [
        {"BeginDate": start.astimezone(zone).isoformat(timespec="milliseconds"), "Location": {"@LocId": "1", "$": "X"},
         "LmpTotal": float(sink.tick("ISONE.X.DA", start))} for start in instants(day, zone, HOUR)]}}))


def aeso(sink, day):
    """Hours ending, newest first: the label is what the clock shows at the end."""
    zone = zoneinfo.ZoneInfo("America/Edmonton")
    rows = []
    for start in instants(day, zone, HOUR):
        end = (start + HOUR).astimezone(zone)
        # Of the two hours that end at the same time, the label of the first one is its start's hour and one.
        local = start.astimezone(zone)
        hour = local.hour + 1 if end.hour != (local.hour + 1) % 24 and end.hour <= local.hour else end.hour
        ends = day + datetime.timedelta(days=1) if local.hour == 23 else day
        rows.append([f"{ends:%m/%d/%Y} {hour}:00", sink.tick("AESO.AB.RT1H", start)])
    sink.write(f"aeso_historical_{day:%Y%m%d}.csv", lines([["Date (HE)", "Price ($)"]] + rows[::-1]))
    # Marginal prices when they change, newest first too; one report marks the second time, one does not.
    for part, mark in ((0, "*"), (2, "")):
        rows = []
        for i, start in enumerate(instants(day, zone, 7 * MINUTE)):
            local = start.astimezone(zone)
            if i % 4 != part:
                continue
            star = mark * second(local)
            rows.append([f"\"{local:%m/%d/%Y} {local.hour + 1:02}{star}\"", f"\"{local:%H:%M}{star}\"", sink.tick("AESO.AB", start), "5"])
            sink.expected[-1] = sink.expected[-1].replace(" - - - ", " 5 - - ")
        sink.write(f"aeso_smp{part}_{day:%Y%m%d}.csv",
                   "Historical System Marginal Price\n\n" + lines([["Date (HE)", "Time", "Price ($)", "Volume (MW)"]] + rows[::-1]))


def miso(sink, day):
    hours = [sink.tick("MISO.X.HUB.DA", datetime.datetime.combine(day, datetime.time(hour), EST)) for hour in range(24)]
    heading = ["Node", "Type", "Value"] + [f"HE {hour}" for hour in range(1, 25)]
    sink.write(f"miso_{day:%Y%m%d}_da_expost_lmp.csv",
               f"Day Ahead Market ExPost LMPs\n{day:%m/%d/%Y}\n\n,,,All Hours-Ending are Eastern Standard Time (EST)\n" +
               lines([heading, ["X.HUB", "Hub", "LMP"] + hours]))


def eia(sink, day):
    """Two days before and after too: the table goes by UTC, its local columns jump."""
    zone = zoneinfo.ZoneInfo("America/Los_Angeles")
    rows = []
    for start in instants(day, zone, 15 * MINUTE):
        end = start + 15 * MINUTE
        begins, ends = start.astimezone(zone), end.astimezone(zone)
        rows.append([f"{end:%Y-%m-%d %H:%M:%S}", f"{begins:%Y-%m-%d %H:%M:%S}", f"{ends:%Y-%m-%d %H:%M:%S}", f"{begins:%Y-%m-%d}",
                     str(begins.hour + 1), sink.tick("CAISO.NP-15.RT15M", start), sink.tick("CAISO.NP-15.RT15M.MCC", start)])
    sink.write(f"caiso_eia_{day:%Y%m%d}.csv", lines([
        ["CAISO Real-Time 15-Minute Locational Marginal Prices for Hubs"], ["made up"], ["Source: EIA collected from CAISO"],
        ["UTC Timestamp (Interval Ending)", "Local Timestamp Pacific Time (Interval Beginning)",
         "Local Timestamp Pacific Time (Interval Ending)", "Local Date", "Hour Number", "NP-15 LMP", "NP-15 (Congestion)"]] + rows))


def main():
    folder, year = sys.argv[1], int(sys.argv[2])
    sink = Sink(folder)
    for day in days(year):
        for make in (ercot, pjm, caiso, nyiso, isone, aeso, miso, eia):
            make(sink, day)
    sink.write("expected", "".join(line + "\n" for line in sink.expected))


main()
