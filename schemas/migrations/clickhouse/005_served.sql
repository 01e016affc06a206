-- The latest price of each instrument, one row. Of several the one of the greatest version counts: rebuild (48 bits), event time
-- (56), sequence (64), the tick id's first digits (24), no fallback (1), revision (14), ingestion time in ms (49). Read it with
-- FINAL, or argMax by version.
CREATE TABLE IF NOT EXISTS served_latest
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
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(epoch), 208)
        + bitShiftLeft(toUInt256(toUnixTimestamp64Micro(event_time) + 36028797018963968), 152)
        + bitShiftLeft(toUInt256(toInt128(sequence) + 9223372036854775808), 88)
        + bitShiftLeft(toUInt256(reinterpretAsUInt32(reverse(unhex(substring(tick_id, 1, 6))))), 64)
        + bitShiftLeft(toUInt256(NOT has(quality_flags, 'fallback')), 63)
        + bitShiftLeft(toUInt256(least(revision, 16383)), 49)
        + toUInt256(greatest(toUnixTimestamp64Milli(ingested_at), 0)),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant_id, instrument_id)
TTL toDateTime(inserted_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000;

-- A curve as far as each of its horizons, one row, the last one. Version: epoch, window, revision, each in 64 bits.
CREATE TABLE IF NOT EXISTS served_curve_snapshots
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
    state Enum8('open' = 0, 'final' = 1, 'correction' = 2),
    epoch Int64,
    revision Int64,
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    schema_version UInt16,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(epoch), 192)
        + bitShiftLeft(toUInt256(greatest(toUnixTimestamp64Micro(window_start), 0)), 128)
        + bitShiftLeft(toUInt256(revision), 64)
        + toUInt256(state != 'open'),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant_id, curve_id, horizon)
TTL toDateTime(inserted_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000;
