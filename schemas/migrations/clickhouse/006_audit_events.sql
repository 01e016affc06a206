-- What was done with the pipeline, by whom: docs/audit.md. Events of one chain_id, by sequence, each with the hash of the one before.
-- An event may be inserted twice, as the same row: read it with FINAL. Rows stay for 365 days from their insertion; another time
-- is ALTER TABLE audit_events MODIFY TTL toDateTime(ingested_at) + INTERVAL 1095 DAY.
CREATE TABLE IF NOT EXISTS audit_events
(
    event_id String,
    event_time DateTime64(6, 'UTC'),
    ingested_at DateTime64(6, 'UTC') DEFAULT now64(6),
    service_name LowCardinality(String),
    environment LowCardinality(String),
    event_type LowCardinality(String),
    action LowCardinality(String),
    outcome LowCardinality(String),
    actor_type LowCardinality(String),
    actor_id String,
    tenant_id LowCardinality(String),
    resource_type LowCardinality(String),
    resource_id String,
    request_id String,
    ip_address String,
    details String,
    chain_id String,
    chain_started DateTime64(6, 'UTC'),
    sequence UInt64,
    previous_hash FixedString(64),
    event_hash FixedString(64),
    INDEX by_hash event_hash TYPE set(50) GRANULARITY 4,
    INDEX by_resource (tenant_id, resource_type, resource_id) TYPE set(50) GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (tenant_id, service_name, event_time, chain_id, sequence, event_hash)
TTL toDateTime(ingested_at) + INTERVAL 365 DAY
SETTINGS non_replicated_deduplication_window = 1000;
