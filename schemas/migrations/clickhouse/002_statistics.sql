-- Rolling statistics, and spreads with basis and bid-ask. Of several rows of a window the one of the greatest version counts:
-- epoch, revision, closed or still open, number of ticks, each in 64 bits. Read them with FINAL, or argMax by version.
CREATE TABLE IF NOT EXISTS rolling_stats
(
    tenant_id LowCardinality(String),
    instrument_id String,
    `window` LowCardinality(String),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    `count` Int64,
    mean Nullable(Float64),
    `min` Decimal(38, 8),
    `max` Decimal(38, 8),
    `range` Nullable(Decimal(38, 8)),
    standard_deviation Nullable(Float64),
    volume Nullable(Decimal(38, 8)),
    first_event_time DateTime64(6, 'UTC'),
    last_event_time DateTime64(6, 'UTC'),
    quality_flags Array(LowCardinality(String)),
    state Enum8('open' = 0, 'final' = 1, 'correction' = 2),
    epoch Int64,
    revision Int64,
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    schema_version UInt16,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(epoch), 192)
        + bitShiftLeft(toUInt256(revision), 128)
        + bitShiftLeft(toUInt256(state != 'open'), 64)
        + toUInt256(`count`),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_end)
ORDER BY (tenant_id, instrument_id, `window`, window_end)
TTL toDateTime(inserted_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS spreads
(
    tenant_id LowCardinality(String),
    pair_id String,
    kind LowCardinality(String),
    `interval` LowCardinality(String),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    value Nullable(Decimal(38, 8)),
    bid_price Nullable(Decimal(38, 8)),
    ask_price Nullable(Decimal(38, 8)),
    legs Array(Tuple(instrument_id String, weight Decimal(38, 8), price Decimal(38, 8), window_start DateTime64(6, 'UTC'), age Int64, stale Bool)),
    stale Bool,
    quality_flags Array(LowCardinality(String)),
    state Enum8('open' = 0, 'final' = 1, 'correction' = 2),
    epoch Int64,
    revision Int64,
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    schema_version UInt16,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(epoch), 192)
        + bitShiftLeft(toUInt256(revision), 128)
        + bitShiftLeft(toUInt256(state != 'open'), 64)
        + toUInt256(NOT stale),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (tenant_id, pair_id, kind, `interval`, window_start)
TTL toDateTime(inserted_at) + INTERVAL 1095 DAY
SETTINGS non_replicated_deduplication_window = 1000;
