#!/usr/bin/env python3
"""contents.py N: rows of pairs of contents of one tick, as JSON lines; N: the first, the second of each. The first is the lesser by what decides, as
docs/ticks.md says; the last pairs differ in what no order is said for. Their index is the instrument; tenant ab has the lesser first, ba the greater."""
import json
import sys

BASE = {"market": "PJM", "event_time": "2025-01-01 12:00:00.000001", "sequence": 5, "tick_id": "ab" * 32, "revision": 1,
        "ingested_at": "2025-01-01 12:00:01.000001", "price": "45.12", "volume": "7", "quality_flags": [], "epoch": 1}
PAIRS = [
    ({"volume": None}, {"volume": "-3"}), ({"volume": "-3"}, {"volume": "-2"}), ({"volume": "-2"}, {"volume": "0"}),
    ({"volume": "0"}, {"volume": "0.00000001"}), ({"volume": "7"}, {"volume": "8"}), ({"volume": None}, {"volume": "0"}),
    ({"price": "-1", "volume": "9"}, {"price": "-0.5"}), ({"price": "-0.5", "volume": "9"}, {"price": "0"}),
    ({"price": "45.12", "volume": "9"}, {"price": "45.13"}),
    ({"price": "99"}, {"price": "1", "ingested_at": "2025-01-01 12:00:01.001001"}),
    ({"ingested_at": "2025-01-02 12:00:00.000001", "price": "99"}, {"revision": 2}),
    ({"revision": 9}, {"epoch": 2}),
    ({"quality_flags": []}, {"quality_flags": ["stale"]}),
    ({"bid_price": "1"}, {"bid_price": "2"}), ({"currency": None}, {"currency": "USD"}), ({"unit": "MWh"}, {"unit": None}),
]
ORDERED = 12

which = sys.argv[1] == "second"
if sys.argv[1] == "count":
    print(ORDERED, len(PAIRS))
    sys.exit()
for index, pair in enumerate(PAIRS):
    for tenant, rows in ("ab", pair), ("ba", pair[::-1]):
        made = "2101" if rows[which] is pair[1] else "2100"  # the time of insertion, which does not count, tells them apart
        print(json.dumps({**BASE, **rows[which], "tenant_id": tenant, "instrument_id": f"I{index:02}", "inserted_at": made + "-01-01 00:00:00"}))
