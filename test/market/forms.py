"""Market files in other forms that say the same: the ticks of each must be those of the file it was made of.

    forms.py FILE... FOLDER    writes FOLDER/FORM/NAME for each form that the file can have

Tables: ends of line, byte order mark, no newline at the end, blank lines, quotes, other columns, spare commas, columns in another
order, capitals in the heading, gzip. Documents: members in another order, on many lines, with others among them.
"""
import csv
import gzip
import io
import json
import os
import sys

HEADINGS = ("Node,", "UTC Timestamp", "datetime_beginning", "DeliveryDate", "INTERVALSTARTTIME", '"Time Stamp"', '"H","Date"', "H,Date",
            "Date (HE)", "Date/Time", "symbol", "RTC End", "Eastern Date", '"RTC', '"Eastern', "Time Stamp")


def heading_of(lines):
    return next((i for i, line in enumerate(lines) if line.startswith(HEADINGS)), None)


def cells_of(line):
    return next(csv.reader([line]))


def line_of(cells, quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator="").writerow(cells)
    return out.getvalue()


def rewritten(lines, heading, change):
    """The table's lines with their cells changed; of a report whose lines say what they are the first cell stays."""
    typed = cells_of(lines[heading])[0] == "H"
    out = list(lines[:heading])
    for i, line in enumerate(lines[heading:]):
        cells = cells_of(line)
        if typed:
            keeps = cells[0] not in ("H", "D")
            out.append(line if keeps else line_of(cells[:1] + change(cells[1:], i)))
        else:
            out.append(line_of(change(cells, i)))
    return out


def tables(text):
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    heading = heading_of(lines)
    yield "lf", "\n".join(lines) + "\n"
    yield "crlf", "\r\n".join(lines) + "\r\n"
    yield "mark", "\ufeff" + "\n".join(lines) + "\n"
    yield "open", "\n".join(lines)
    yield "blanks", "\n".join(lines[:3]) + "\n" + "\n\n  \r\n".join(lines[3:]) + "\n\n"
    if heading is None:
        return
    body = lines[heading:]
    yield "quotes", "\n".join(lines[:heading] + [line_of(cells_of(line), csv.QUOTE_ALL) for line in body]) + "\n"
    yield "others", "\n".join(rewritten(lines, heading, lambda cells, i: [f"note, {i}" if i else "zz", *cells, "" if i else "yy"])) + "\n"
    yield "spare", "\n".join(lines[:heading] + [line + (",", "", ",, ")[i % 3] for i, line in enumerate(body)]) + "\n"
    yield "market", "\n".join(rewritten(lines, heading, lambda cells, i: [*cells, "no such" if i else "data_type"])) + "\n"
    yield "turned", "\n".join(rewritten(lines, heading, lambda cells, i: cells[::-1])) + "\n"
    yield "capitals", "\n".join(lines[:heading] + [lines[heading].upper() if "LMP (" not in lines[heading] else lines[heading]] + body[1:]) + "\n"
    yield "spaces", "\n".join(rewritten(lines, heading, lambda cells, i: [f" {cell} " if i and cell else cell for cell in cells])) + "\n"


def turned(value, more):
    if isinstance(value, dict):
        members = list(value.items())[::-1]
        return {**({"another": "x", "nothing": None, "inner": {"y": 1}} if more else {}), **{name: turned(member, more) for name, member in members}}
    return [turned(member, more) for member in value] if isinstance(value, list) else value


def documents(text):
    value = json.loads(text)
    yield "turned", json.dumps(turned(value, False))
    yield "others", json.dumps(turned(value, True))
    yield "lines", json.dumps(value, indent=3).replace("\n", "\r\n")
    yield "mark", "\ufeff" + text


def main():
    *files, folder = sys.argv[1:]
    for path in files:
        name = os.path.basename(path)
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        for form, other in documents(text) if name.endswith(".json") else tables(text):
            os.makedirs(os.path.join(folder, form), exist_ok=True)
            with open(os.path.join(folder, form, name), "w", encoding="utf-8", newline="") as file:
                file.write(other)
        os.makedirs(os.path.join(folder, "packed"), exist_ok=True)
        with gzip.open(os.path.join(folder, "packed", name + ".gz"), "wb") as file:  # two members, one behind the other
            file.write(text[:len(text) // 2].encode())
        with gzip.open(os.path.join(folder, "packed", name + ".gz"), "ab") as file:
            file.write(text[len(text) // 2:].encode())


main()
