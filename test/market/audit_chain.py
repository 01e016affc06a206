#!/usr/bin/env python3
"""Checks chains of the audit trail's topic by docs/audit.md alone: records as `cat` prints them on standard input. Exit 1: one is bad."""
import hashlib, json, sys

NUMBERS = "sequence chain_started event_time".split()
TEXTS = """chain_id service_name environment event_type action outcome actor_type actor_id tenant_id resource_type resource_id request_id
ip_address details previous_hash""".split()

chains = {}
for line in sys.stdin:
    value = json.loads(line)["value"]
    event = value if isinstance(value, dict) else json.loads(value)
    text = "".join(f"{name}={len(str(event[name]).encode())}:{event[name]}\n" for name in NUMBERS + TEXTS)
    if hashlib.sha256(text.encode()).hexdigest() != event["event_hash"]:
        sys.exit(f"{event['event_id']}: the hash is not that of what it says")
    if event["event_id"] != f"{event['chain_id']}-{event['sequence']}":
        sys.exit(f"{event['event_id']}: not chain and number")
    chains.setdefault(event["chain_id"], {})[event["sequence"]] = event
for events in chains.values():
    previous = "0" * 64
    for number in range(1, len(events) + 1):
        if events[number]["previous_hash"] != previous:
            sys.exit(f"{events[number]['event_id']}: does not follow")
        previous = events[number]["event_hash"]
sys.exit(0 if chains else "no events")
