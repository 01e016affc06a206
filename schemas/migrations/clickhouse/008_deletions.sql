-- What is served may be taken away: a row with `deleted`, which FINAL does not show, nor what is of a lesser version. And versions of ticks
-- that tell any two contents apart. Bits of a version, from the greatest: enriched_ticks: rebuild 40, revision 35, ingestion time 53,
-- price 64, volume 32 (as a float of 32 bits; null least), a digest of the rest 32.
ALTER TABLE enriched_ticks MODIFY COLUMN version UInt256 MATERIALIZED
    bitShiftLeft(toUInt256(least(epoch, 1099511627775)), 216)
    + bitShiftLeft(toUInt256(least(greatest(revision, 0), 34359738367)), 181)
    + bitShiftLeft(toUInt256(least(greatest(toUnixTimestamp64Micro(ingested_at), 0), 9007199254740991)), 128)
    + if(isNull(price), 0, bitShiftLeft(toUInt256(toInt128(ifNull(price, 0) * 100000000) + 9223372036854775808), 64))
    + bitShiftLeft(toUInt256(if(isNull(volume), 0, if(volume < 0, bitNot(reinterpretAsUInt32(toFloat32(ifNull(volume, 0)))),
        bitOr(reinterpretAsUInt32(toFloat32(ifNull(volume, 0))), 2147483648)))), 32)
    + toUInt256(bitAnd(sipHash64(toString(tuple(volume, bid_price, ask_price, quality_flags, currency, unit, market, kind, `interval`, symbol,
        source, source_system, source_event_id, metadata, tags, taxonomy, contract_size, tick_size, reference_version, normalized_at,
        schema_version))), 4294967295));

-- From the greatest bit: rebuild 32, event time 54, sequence 64, the tick id's first digits 12, no fallback 1, revision 8, from the event to the
-- ingestion in ms 36, price 32 and volume 16 (the first bits of floats), deleted 1. Where all are the same the row inserted last counts.
-- where: SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'served_latest' AND engine_full LIKE 'ReplacingMergeTree(version) %'
CREATE OR REPLACE TABLE served_latest
(
    tenant_id LowCardinality(String),
    instrument_id String,
    market LowCardinality(String),
    price Decimal(38, 8),
    volume Nullable(Decimal(38, 8)),
    bid_price Nullable(Decimal(38, 8)),
    ask_price Nullable(Decimal(38, 8)),
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    epoch Int64,
    event_time DateTime64(6, 'UTC'),
    sequence Int64,
    tick_id FixedString(64),
    revision Int64,
    ingested_at DateTime64(6, 'UTC'),
    quality_flags Array(LowCardinality(String)),
    source_system LowCardinality(Nullable(String)),
    schema_version UInt16,
    deleted UInt8 DEFAULT 0,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(least(greatest(epoch, 0), 4294967295)), 224)
        + bitShiftLeft(toUInt256(toUnixTimestamp64Micro(event_time) + 2208988800000000), 170)
        + bitShiftLeft(toUInt256(toInt128(sequence) + 9223372036854775808), 106)
        + bitShiftLeft(toUInt256(bitShiftRight(reinterpretAsUInt32(reverse(unhex(substring(tick_id, 1, 6)))), 12)), 94)
        + bitShiftLeft(toUInt256(NOT has(quality_flags, 'fallback')), 93)
        + bitShiftLeft(toUInt256(least(greatest(revision, 0), 255)), 85)
        + bitShiftLeft(toUInt256(least(greatest(toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(event_time) + 4294967296, 0),
            68719476735)), 49)
        + bitShiftLeft(toUInt256(if(price < 0, bitNot(reinterpretAsUInt32(toFloat32(price))),
            bitOr(reinterpretAsUInt32(toFloat32(price)), 2147483648))), 17)
        + bitShiftLeft(toUInt256(bitShiftRight(if(isNull(volume), 0, if(volume < 0, bitNot(reinterpretAsUInt32(toFloat32(ifNull(volume, 0)))),
            bitOr(reinterpretAsUInt32(toFloat32(ifNull(volume, 0))), 2147483648))), 16)), 1)
        + toUInt256(deleted),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (tenant_id, instrument_id)
TTL toDateTime(inserted_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000
AS SELECT tenant_id, instrument_id, market, price, volume, bid_price, ask_price, currency, unit, epoch, event_time, sequence, tick_id, revision,
    ingested_at, quality_flags, source_system, schema_version, 0 AS deleted, inserted_at
FROM served_latest;

-- From the greatest bit: rebuild 24, epoch 40, window 64, revision 64, closed 63, deleted 1.
-- where: SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'served_curve_snapshots' AND engine_full LIKE 'ReplacingMergeTree(version) %'
CREATE OR REPLACE TABLE served_curve_snapshots
(
    tenant_id LowCardinality(String),
    curve_id String,
    horizon LowCardinality(String),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    as_of Date32,
    method LowCardinality(String),
    price Nullable(Float64),
    confidence Nullable(Float64),
    reason Nullable(String),
    points Array(Tuple(instrument_id String, contract_month Nullable(String), tenor Nullable(String),
                       delivery DateTime64(6, 'UTC'), days Int64, price Decimal(38, 8), volume Nullable(Decimal(38, 8)),
                       window_start DateTime64(6, 'UTC'), age Int64, stale Bool, confidence Nullable(Float64))),
    stale Bool,
    quality_flags Array(LowCardinality(String)),
    state Enum8('open' = 0, 'final' = 1, 'correction' = 2, 'withdrawn' = 3),
    epoch Int64,
    revision Int64,
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    schema_version UInt16,
    rebuild Int64 DEFAULT 0,
    deleted UInt8 DEFAULT 0,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(least(greatest(rebuild, 0), 16777215)), 232)
        + bitShiftLeft(toUInt256(least(greatest(epoch, 0), 1099511627775)), 192)
        + bitShiftLeft(toUInt256(greatest(toUnixTimestamp64Micro(window_start), 0)), 128)
        + bitShiftLeft(toUInt256(greatest(revision, 0)), 64)
        + bitShiftLeft(toUInt256(state != 'open'), 1)
        + toUInt256(deleted),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (tenant_id, curve_id, horizon)
TTL toDateTime(inserted_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000
AS SELECT tenant_id, curve_id, horizon, window_start, window_end, as_of, method, price, confidence, reason, points, stale, quality_flags, state,
    epoch, revision, currency, unit, schema_version, 0 AS rebuild, 0 AS deleted, inserted_at
FROM served_curve_snapshots;
