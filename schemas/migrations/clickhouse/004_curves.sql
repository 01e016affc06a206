-- Forward curves, a row for each window that they changed in. Of several rows of a window the one of the greatest version counts:
-- epoch, revision, closed or still open, fresh or stale, each in 64 bits. Read them with FINAL, or argMax by version.
CREATE TABLE IF NOT EXISTS curves
(
    tenant_id LowCardinality(String),
    curve_id String,
    `interval` LowCardinality(String),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    as_of Date32,
    method LowCardinality(String),
    day_count LowCardinality(String),
    points Array(Tuple(instrument_id String, contract_month Nullable(String), tenor Nullable(String),
                       delivery DateTime64(6, 'UTC'), days Int64, price Decimal(38, 8), volume Nullable(Decimal(38, 8)),
                       window_start DateTime64(6, 'UTC'), age Int64, stale Bool, confidence Nullable(Float64))),
    horizons Array(Tuple(horizon String, date DateTime64(6, 'UTC'), days Int64, price Nullable(Float64),
                         confidence Nullable(Float64), reason Nullable(String))),
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
ORDER BY (tenant_id, curve_id, `interval`, window_start)
TTL toDateTime(inserted_at) + INTERVAL 730 DAY
SETTINGS non_replicated_deduplication_window = 1000;
