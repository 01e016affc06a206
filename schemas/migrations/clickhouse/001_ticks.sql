-- Enriched ticks. A tick is its tick_id; of several contents the one of the greatest version counts: rebuild, revision, ingestion
-- time, price, each in 64 bits. Read it with FINAL, or argMax by version.
CREATE TABLE IF NOT EXISTS enriched_ticks
(
    tenant_id LowCardinality(String),
    instrument_id String,
    event_time DateTime64(6, 'UTC'),
    sequence Int64,
    tick_id FixedString(64),
    market LowCardinality(String),
    kind LowCardinality(String),
    `interval` Int64,
    revision Int64,
    ingested_at DateTime64(6, 'UTC'),
    normalized_at DateTime64(6, 'UTC'),
    price Nullable(Decimal(38, 8)),
    volume Nullable(Decimal(38, 8)),
    bid_price Nullable(Decimal(38, 8)),
    ask_price Nullable(Decimal(38, 8)),
    currency LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    symbol Nullable(String),
    source LowCardinality(Nullable(String)),
    source_system LowCardinality(Nullable(String)),
    source_event_id Nullable(String),
    quality_flags Array(LowCardinality(String)),
    metadata Map(LowCardinality(String), String),
    tags Array(String),
    taxonomy Tuple(commodity Nullable(String), region Nullable(String), product_tier Nullable(String),
                   confidence Nullable(Decimal(38, 8)), method Nullable(String)),
    contract_size Nullable(Decimal(38, 8)),
    tick_size Nullable(Decimal(38, 8)),
    reference_version Int64,
    schema_version UInt16,
    epoch UInt64,
    version UInt256 MATERIALIZED bitShiftLeft(toUInt256(epoch), 192)
        + bitShiftLeft(toUInt256(revision), 128)
        + bitShiftLeft(toUInt256(greatest(toUnixTimestamp64Micro(ingested_at), 0)), 64)
        + if(isNull(price), 0, toUInt256(toInt128(ifNull(price, 0) * 100000000) + 9223372036854775808)),
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(event_time)
ORDER BY (tenant_id, instrument_id, event_time, sequence, tick_id)
TTL toDateTime(inserted_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000;
