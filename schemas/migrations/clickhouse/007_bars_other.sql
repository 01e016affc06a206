-- Bars of the intervals that configuration asks for besides the usual ones, all in one table. Versions and reading as for the others (003).
CREATE TABLE IF NOT EXISTS bars_other
(
    tenant_id LowCardinality(String),
    instrument_id String,
    `interval` LowCardinality(String),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    open Decimal(38, 8),
    high Decimal(38, 8),
    low Decimal(38, 8),
    close Decimal(38, 8),
    volume Nullable(Decimal(38, 8)),
    vwap Nullable(Float64),
    trade_count Int64,
    first_event_time DateTime64(6, 'UTC'),
    last_event_time DateTime64(6, 'UTC'),
    quality_flags Array(LowCardinality(String)),
    flagged_count Int64,
    state Enum8('open' = 0, 'final' = 1, 'correction' = 2),
    epoch Int64,
    revision Int64,
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    schema_version UInt16,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(epoch), 192)
        + bitShiftLeft(toUInt256(revision), 128)
        + bitShiftLeft(toUInt256(state != 'open'), 64)
        + toUInt256(trade_count),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(window_start)
ORDER BY (tenant_id, instrument_id, `interval`, window_start)
TTL toDateTime(inserted_at) + INTERVAL 1095 DAY
SETTINGS non_replicated_deduplication_window = 1000;
