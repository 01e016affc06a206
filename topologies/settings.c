/* settings.c: the settings of data-processing besides weir's own, and the DATA_PROC_... variables that stand for settings.
 *
 * (1) A variable of the table either sets something or has a reason, which is said when topologies start.
 */
#include "topologies/commands.h"

#define SECOND INT64_C(1000)
#define DAY    (24 * 3600 * SECOND)

#define OWN_SWITCH "Whether it leaves an audit trail; without it audit.enabled says so."

/* clang-format off */
const struct weir_setting market_settings[] = {
    { "env", WEIR_SETTING_CHOICE, "local", 0, 0, "local|dev|development|staging|prod|production|test",
      "Which environment this is; said at start." },
    { "tenant", WEIR_SETTING_TEXT, "default", 0, 0, NULL,
      "Whose the rows are that name no tenant, of files and of reference data." },

    { "postgres.dsn", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Database with the reference data, as libpq takes it; without it reference data comes from files." },
    { "postgres.password", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Password of PostgreSQL where the connection string has none." },
    { "postgres.poll.ms", WEIR_SETTING_DURATION, "5m", SECOND, DAY, NULL,
      "How often the tables of reference data are read again where no notification came." },
    { "postgres.wait.ms", WEIR_SETTING_DURATION, "1m", 0, DAY, NULL,
      "How long ticks wait at most for reference data that was never loaded before, while the database does not answer." },

    { "redis.url", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Redis that what is served is written to: redis://[user:password@]host:port[/database], rediss:// with TLS, nodes of a cluster with commas between; without it nothing is." },
    { "redis.password", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Password of Redis where the URL has none." },
    { "redis.ca.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Certificates that vouch for Redis; without it the system's." },
    { "redis.cert.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Our own certificate for a Redis that wants one of its clients, PEM, with those between it and the authority behind it." },
    { "redis.key.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Private key of that certificate, PEM." },
    { "redis.ttl.ms", WEIR_SETTING_DURATION, "1h", 0, 366 * DAY, NULL,
      "How long an entry stays in Redis after its last change; 0 is for ever." },
    { "redis.timeout.ms", WEIR_SETTING_DURATION, "2s", 1, 60 * SECOND, NULL,
      "How long Redis may take to answer before the connection is made anew." },

    { "clickhouse.url", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "ClickHouse's HTTP address that ticks, bars and what is served are written to, as http://host:8123; without it nothing is." },
    { "clickhouse.database", WEIR_SETTING_TEXT, "data_processing", 0, 0, NULL,
      "Database of the tables." },
    { "clickhouse.user", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "User of ClickHouse; without it the server's default." },
    { "clickhouse.password", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Password of that user." },
    { "clickhouse.ca.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Certificates that vouch for ClickHouse over https; without it the system's." },
    { "clickhouse.cert.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Our own certificate for a ClickHouse that wants one of its clients, PEM." },
    { "clickhouse.key.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Private key of that certificate, PEM." },
    { "clickhouse.flush.ms", WEIR_SETTING_DURATION, "1s", 0, 60 * SECOND, NULL,
      "Least time between two commits of a topology that writes to ClickHouse, so that inserts are not small." },
    { "clickhouse.timeout.ms", WEIR_SETTING_DURATION, "10s", 1, 600 * SECOND, NULL,
      "How long ClickHouse may take to answer before the insert is sent again." },

    { "audit.enabled", WEIR_SETTING_BOOL, "false", 0, 0, NULL,
      "Whether an audit trail is kept, in ClickHouse's table audit_events and in audit.topic, of those that are set: docs/audit.md." },
    { "normalization.audit.enabled", WEIR_SETTING_BOOL, NULL, 0, 0, NULL, OWN_SWITCH },
    { "enrichment.audit.enabled", WEIR_SETTING_BOOL, NULL, 0, 0, NULL, OWN_SWITCH },
    { "aggregation.audit.enabled", WEIR_SETTING_BOOL, NULL, 0, 0, NULL, OWN_SWITCH },
    { "projection.audit.enabled", WEIR_SETTING_BOOL, NULL, 0, 0, NULL, OWN_SWITCH },
    { "audit.topic", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Topic of Kafka that has each event of the audit trail too, whether ClickHouse is there or not." },
    { "audit.key", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Key that the audit trail's hashes are made and checked with, so that who can write the trail cannot make a chain; of several lines the first one seals." },
    { "audit.queue.size", WEIR_SETTING_INT, "5000", 1, 10000000, NULL,
      "Events that may wait for ClickHouse, and as many for the topic; beyond them the oldest is lost and counted." },
    { "audit.batch.size", WEIR_SETTING_INT, "200", 1, 100000, NULL,
      "Most events that are written at once." },
    { "audit.flush.ms", WEIR_SETTING_DURATION, "2s", 0, 60 * SECOND, NULL,
      "How long an event waits for others to be written with." },
    { "audit.timeout.ms", WEIR_SETTING_DURATION, "5s", 1, 600 * SECOND, NULL,
      "How long events may take to be written before they are written again; at the end of a process all that is left." },
    { .name = NULL },
};

/* Reasons that several share. */
#define OWN_GROUPS   "groups go by application.id"
#define BY_COMMIT    "what is sent together is what a commit holds: commit.interval.ms"
#define ONE_EACH     "each thread has one connection: threads"
#define OWN_AUDIT    "audit.topic is written by Kafka's client as all topics are: kafka.*"
#define AUDIT_FILE   "there is no audit file: the trail is in ClickHouse and in audit.topic, chained by hashes"
#define NO_TRACING   "there is no tracing"
#define NO_CRYPTO    "nothing is encrypted here but connections: kafka.security.protocol, rediss://, https://"
#define HTTP_PATHS   "paths are fixed: docs/http.md"
#define IN_TABLE     "reference data is a table of its own in each process, with every change as it comes"
#define IN_STORES    "what is remembered is in state stores, within memory.max"
#define BY_OWN_TIME  "windows close by the ticks' own time and their store's grace"
#define ACCEPTS      "aggregation.bars.accepts says how late ticks may be, by their instrument's own time"
#define BY_INTERVAL  "each interval of bars has a topic of its own: aggregation.bars_1m.topic and so on"
#define ENVIRONMENTS "local=local|dev=dev|development=development|staging=staging|prod=prod|production=production|test=test"
#define SWITCHES     "true=true|1=true|yes=true|on=true|false=false|0=false|no=false|off=false"
#define NEVER_DID    "nothing ever came of it"

static const struct weir__variable variables[] = {
    /* shared */
    { "DATA_PROC_ENV", "env", NULL, ENVIRONMENTS, NULL },
    { "DATA_PROC_TENANT_ID", "tenant", NULL, NULL, NULL },
    { "DATA_PROC_KAFKA_BOOTSTRAP", "kafka.bootstrap.servers", NULL, NULL, NULL },
    { "DATA_PROC_KAFKA_SESSION_TIMEOUT_MS", "kafka.session.timeout.ms", NULL, NULL, NULL },
    { "DATA_PROC_KAFKA_HEARTBEAT_INTERVAL_MS", "kafka.heartbeat.interval.ms", NULL, NULL, NULL },
    { "DATA_PROC_KAFKA_FETCH_MIN_BYTES", "kafka.fetch.min.bytes", NULL, NULL, NULL },
    { "DATA_PROC_KAFKA_FETCH_MAX_WAIT_MS", "kafka.fetch.wait.max.ms", NULL, NULL, NULL },
    { "DATA_PROC_KAFKA_AUTO_OFFSET_RESET", NULL, NULL, NULL, "what was never read is read from its beginning" },
    { "DATA_PROC_KAFKA_AUTO_COMMIT", NULL, NULL, NULL, "offsets are committed with what was made of the records" },
    { "DATA_PROC_KAFKA_MAX_POLL_RECORDS", NULL, NULL, NULL, "buffered.records.per.partition and memory.max bound what is read" },
    { "DATA_PROC_CONSUMER_GROUP", NULL, NULL, NULL, OWN_GROUPS },
    { "DATA_PROC_LOG_LEVEL", "log.level", NULL, "warning=warn|critical=error|debug=debug|info=info|error=error|warn=warn", NULL },
    { "DATA_PROC_HEALTH_PORT", "http.port", NULL, NULL, NULL },
    { "DATA_PROC_METRICS_PORT", NULL, NULL, NULL, "metrics are at the port of health: http.port" },
    { "DATA_PROC_MAX_BATCH_SIZE", NULL, NULL, NULL, BY_COMMIT },
    { "DATA_PROC_PROCESSING_TIMEOUT", "clickhouse.timeout.ms", "{}s", NULL, NULL },
    { "DATA_PROC_POSTGRES_DSN", "postgres.dsn", NULL, NULL, NULL },
    { "DATA_PROC_POSTGRES_POOL_*", NULL, NULL, NULL, "reference data is read over one connection" },
    { "DATA_PROC_POSTGRES_PASSWORD", "postgres.password", NULL, NULL, NULL },
    { "DATA_PROC_DB_POOL_SIZE", NULL, NULL, NULL, "reference data is read over one connection" },
    { "DATA_PROC_REDIS_URL", "redis.url", NULL, NULL, NULL },
    { "DATA_PROC_REDIS_HOST", "redis.url", "redis://{}:{DATA_PROC_REDIS_PORT|6379}/{DATA_PROC_REDIS_DB|0}", NULL, NULL },
    { "DATA_PROC_REDIS_PORT", "redis.url", "redis://{DATA_PROC_REDIS_HOST|localhost}:{}/{DATA_PROC_REDIS_DB|0}", NULL, NULL },
    { "DATA_PROC_REDIS_DB", "redis.url", "redis://{DATA_PROC_REDIS_HOST|localhost}:{DATA_PROC_REDIS_PORT|6379}/{}", NULL, NULL },
    { "DATA_PROC_REDIS_PASSWORD", "redis.password", NULL, NULL, NULL },
    { "DATA_PROC_REDIS_POOL_*", NULL, NULL, NULL, ONE_EACH },
    { "DATA_PROC_REDIS_PIPELINE_SIZE", NULL, NULL, NULL, BY_COMMIT },
    { "DATA_PROC_USE_REDIS_PIPELINE", NULL, NULL, NULL, "commands to Redis always go in pipelines" },
    { "DATA_PROC_CLICKHOUSE_URL", "clickhouse.url", NULL, NULL, NULL },
    { "DATA_PROC_CLICKHOUSE_HOST", "clickhouse.url", "http://{}:8123", NULL, NULL },
    { "DATA_PROC_CLICKHOUSE_PORT", NULL, NULL, NULL, "it was the native protocol's: clickhouse.url has the port of HTTP" },
    { "DATA_PROC_CLICKHOUSE_DATABASE", "clickhouse.database", NULL, NULL, NULL },
    { "DATA_PROC_CLICKHOUSE_USER", "clickhouse.user", NULL, NULL, NULL },
    { "DATA_PROC_CLICKHOUSE_PASSWORD", "clickhouse.password", NULL, NULL, NULL },
    { "DATA_PROC_CLICKHOUSE_POOL_*", NULL, NULL, NULL, ONE_EACH },
    { "DATA_PROC_AUDIT_ENABLED", "audit.enabled", NULL, SWITCHES, NULL },
    { "DATA_PROC_NORMALIZATION_AUDIT_ENABLED", "normalization.audit.enabled", NULL, SWITCHES, NULL },
    { "DATA_PROC_ENRICHMENT_AUDIT_ENABLED", "enrichment.audit.enabled", NULL, SWITCHES, NULL },
    { "DATA_PROC_AGGREGATION_AUDIT_ENABLED", "aggregation.audit.enabled", NULL, SWITCHES, NULL },
    { "DATA_PROC_PROJECTION_AUDIT_ENABLED", "projection.audit.enabled", NULL, SWITCHES, NULL },
    { "DATA_PROC_AUDIT_KAFKA_TOPIC", "audit.topic", NULL, NULL, NULL },
    { "DATA_PROC_AUDIT_QUEUE_SIZE", "audit.queue.size", NULL, NULL, NULL },
    { "DATA_PROC_AUDIT_BATCH_SIZE", "audit.batch.size", NULL, NULL, NULL },
    { "DATA_PROC_AUDIT_FLUSH_INTERVAL", "audit.flush.ms", "{}s", NULL, NULL },
    { "DATA_PROC_AUDIT_CLICKHOUSE_TIMEOUT", "audit.timeout.ms", "{}s", NULL, NULL },
    { "DATA_PROC_AUDIT_CLICKHOUSE_MAX_CONN", NULL, NULL, NULL, "the trail is written over one connection, in order" },
    { "DATA_PROC_AUDIT_TABLE", NULL, NULL, NULL, "the table is audit_events of clickhouse.database: migrate clickhouse makes it" },
    { "DATA_PROC_AUDIT_KAFKA_*", NULL, NULL, NULL, OWN_AUDIT },
    { "DATA_PROC_AUDIT_LOG_FILE", NULL, NULL, NULL, AUDIT_FILE },
    { "DATA_PROC_AUDIT_ENCRYPTION", NULL, NULL, NULL, AUDIT_FILE },
    { "DATA_PROC_AUDIT_INTEGRITY", NULL, NULL, NULL, AUDIT_FILE },
    { "DATA_PROC_TRACE_ENABLED", NULL, NULL, NULL, NO_TRACING },
    { "DATA_PROC_TRACING_*", NULL, NULL, NULL, NO_TRACING },
    { "DATA_PROC_JAEGER_*", NULL, NULL, NULL, NO_TRACING },
    { "DATA_PROC_SERVICE_NAME", NULL, NULL, NULL, NO_TRACING },
    { "DATA_PROC_MASTER_KEY", NULL, NULL, NULL, NO_CRYPTO },
    { "DATA_PROC_KEY_*", NULL, NULL, NULL, NO_CRYPTO },
    { "DATA_PROC_ENCRYPTION_KEY", NULL, NULL, NULL, NO_CRYPTO },
    { "DATA_PROC_CERT_DIR", NULL, NULL, NULL, "each connection names its certificates: kafka.ssl.ca.location, redis.ca.file, clickhouse.ca.file, http.tls.certificate.file" },
    { "DATA_PROC_MTLS_ENABLED", NULL, NULL, NULL, "each connection has certificates of its own: kafka.ssl.*, redis.cert.file, clickhouse.cert.file, sslcert in postgres.dsn" },

    /* normalization */
    { "DATA_PROC_NORMALIZATION_MAX_PRICE", NULL, NULL, NULL, "limits are per market: normalization.decoded.limits" },
    { "DATA_PROC_NORMALIZATION_MIN_PRICE", NULL, NULL, NULL, "limits are per market: normalization.decoded.limits" },
    { "DATA_PROC_NORMALIZATION_PRICE_SPIKE_THRESHOLD", NULL, NULL, NULL, "spikes are judged against the instrument's own values" },
    { "DATA_PROC_NORMALIZATION_VOLUME_SPIKE_THRESHOLD", NULL, NULL, NULL, "spikes are judged against the instrument's own values" },
    { "DATA_PROC_NORMALIZATION_VALIDATION_ENABLED", NULL, NULL, NULL, "every tick is checked" },
    { "DATA_PROC_NORMALIZATION_*", NULL, NULL, NULL, BY_COMMIT },
    { "DATA_PROC_PARSER_CACHE_*", NULL, NULL, NULL, NEVER_DID },
    { "NORMALIZE_TICKS_OUTPUT_TOPIC", "normalization.ticks.topic", NULL, NULL, NULL },
    { "NORMALIZE_TICKS_DLQ_TOPIC", "normalization.rejects.topic", NULL, NULL, NULL },
    { "NORMALIZE_TICKS_INPUT_TOPIC", NULL, NULL, NULL, "normalization reads several: normalization.raw.topics" },
    { "NORMALIZE_TICKS_CONSUMER_GROUP", NULL, NULL, NULL, OWN_GROUPS },
    { "NORMALIZE_TICKS_AUTO_OFFSET_RESET", NULL, NULL, NULL, "what was never read is read from its beginning" },
    { "NORMALIZE_TICKS_ENABLE_AUTO_COMMIT", NULL, NULL, NULL, "offsets are committed with what was made of the records" },
    { "NORMALIZE_TICKS_IDEMPOTENCY_TTL_SECONDS", "normalization.trades_seen_s.retention", "{}s", NULL, NULL },
    { "NORMALIZE_TICKS_IDEMPOTENCY_MAX_ENTRIES", NULL, NULL, NULL, IN_STORES },
    { "NORMALIZE_TICKS_BACKFILL_WINDOW_MINUTES", "normalization.judged.fallback_age", "{}m", NULL, NULL },
    { "NORMALIZE_TICKS_BACKFILL_ENABLED", "normalization.decoded.fallback", NULL, "true=on|1=on|yes=on|false=off|0=off|no=off", NULL },
    { "NORMALIZE_TICKS_BACKFILL_TABLE", NULL, NULL, NULL, "the last good price is kept in a state store" },
    { "NORMALIZE_TICKS_PRODUCER_ID", NULL, NULL, NULL, "instance.id names the process" },

    /* enrichment */
    { "DATA_PROC_ENRICHMENT_CACHE_*", NULL, NULL, NULL, "what Redis says of instruments that reference data has not stands for 300 s: redis.url" },
    { "DATA_PROC_ENRICHMENT_TAXONOMY_REFRESH_INTERVAL", NULL, NULL, NULL, "changes are told by notification; postgres.poll.ms is the safety net" },
    { "DATA_PROC_ENRICHMENT_METADATA_REFRESH_INTERVAL", NULL, NULL, NULL, "changes are told by notification; postgres.poll.ms is the safety net" },
    { "DATA_PROC_ENRICHMENT_CONFIDENCE_THRESHOLD", "enrichment.attached.threshold", NULL, NULL, NULL },
    { "DATA_PROC_ENRICHMENT_MAX_CLASSIFICATION_TIME", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_ENRICHMENT_*", NULL, NULL, NULL, BY_COMMIT },
    { "DATA_PROC_TAXONOMY_CACHE_TTL", NULL, NULL, NULL, IN_TABLE },
    { "DATA_PROC_INSTRUMENT_CACHE_TTL", NULL, NULL, NULL, IN_TABLE },
    { "DATA_PROC_METADATA_*", NULL, NULL, NULL, IN_TABLE },
    { "DATA_PROC_BATCH_LOOKUP_ENABLED", NULL, NULL, NULL, IN_TABLE },

    /* aggregation */
    { "DATA_PROC_AGGREGATION_PORT", "aggregation.http.port", NULL, NULL, NULL },
    { "DATA_PROC_AGGREGATION_ENRICHED_TOPIC", "aggregation.ticks.topic", NULL, NULL, NULL },
    { "DATA_PROC_AGGREGATION_BARS_TOPIC", NULL, NULL, NULL, BY_INTERVAL },
    { "DATA_PROC_AGGREGATION_CURVES_TOPIC", "aggregation.updates.topic", NULL, NULL, NULL },
    { "DATA_PROC_AGGREGATION_BAR_INTERVALS", "aggregation.bars.intervals", NULL, NULL, NULL },
    { "DATA_PROC_AGGREGATION_CURVE_*", NULL, NULL, NULL, "a curve's method and horizons are in its definition: docs/statistics.md" },
    { "DATA_PROC_AGGREGATION_GROUP_ID", NULL, NULL, NULL, OWN_GROUPS },
    { "DATA_PROC_AGGREGATION_WATERMARK_DELAY*", NULL, NULL, NULL, BY_OWN_TIME },
    { "DATA_PROC_AGGREGATION_MAX_LATE_MS", NULL, NULL, NULL, ACCEPTS },
    { "DATA_PROC_AGGREGATION_LATE_DATA_THRESHOLD", NULL, NULL, NULL, ACCEPTS },
    { "DATA_PROC_AGGREGATION_WINDOW_SIZE", NULL, NULL, NULL, "aggregation.bars.intervals says of what intervals bars are" },
    { "DATA_PROC_AGGREGATION_*", NULL, NULL, NULL, BY_COMMIT },
    { "DATA_PROC_BAR_INTERVALS", "aggregation.bars.intervals", NULL, NULL, NULL },
    { "DATA_PROC_CURVE_REBUILD_THREADS", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_PARALLEL_WINDOWS", NULL, NULL, NULL, "threads says how many threads there are" },
    { "DATA_PROC_WORKER_THREADS", NULL, NULL, NULL, "threads says how many threads there are" },
    { "DATA_PROC_USE_VECTORIZATION", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_NUMPY_OPTIMIZATION", NULL, NULL, NULL, NEVER_DID },

    /* projection */
    { "DATA_PROC_INTERNAL_API_PORT", "projection.http.port", NULL, NULL, NULL },
    { "DATA_PROC_PROJECTION_PORT", NULL, NULL, NULL, "http.port and DATA_PROC_INTERNAL_API_PORT say where it answers" },
    { "DATA_PROC_PROJECTION_CACHE_TTL", "redis.ttl.ms", "{}s", NULL, NULL },
    { "DATA_PROC_PROJECTION_GROUP_ID", NULL, NULL, NULL, OWN_GROUPS },
    { "DATA_PROC_PROJECTION_AGGREGATED_TOPIC", NULL, NULL, NULL, BY_INTERVAL },
    { "DATA_PROC_PROJECTION_INVALIDATION_THRESHOLD", "projection.latest.move", NULL, NULL, NULL },
    { "DATA_PROC_PROJECTION_INVALIDATION_TOPIC", "projection.invalid.topic", NULL, NULL, NULL },
    { "DATA_PROC_PROJECTION_INVALIDATION_*", NULL, NULL, NULL, "age, price moves and messages are each switched by a setting of their own: docs/pipeline.md" },
    { "DATA_PROC_PROJECTION_REFRESH_INTERVAL", "projection.latest.refresh", "{}s", NULL, NULL },
    { "DATA_PROC_PROJECTION_OUTPUT_TOPIC", "projection.prices.topic", NULL, NULL, NULL },
    { "DATA_PROC_PROJECTION_TYPES", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_PROJECTION_RECONCILIATION_INTERVAL", NULL, NULL, NULL, "reconcile is a command" },
    { "DATA_PROC_PROJECTION_*", NULL, NULL, NULL, BY_COMMIT },
    { "DATA_PROC_MARKET_CACHE_*", NULL, NULL, NULL, "there are no keys market:latest, which no tenant has: served:latest_price stands for them, and lives for redis.ttl.ms" },
    { "DATA_PROC_PARTIAL_UPDATES_ENABLED", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_UPDATE_BATCH_SIZE", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_CACHE_WARMING_ENABLED", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_WARMING_BATCH_SIZE", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_PUBSUB_ENABLED", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_INVALIDATION_CHANNEL", NULL, NULL, NULL, NEVER_DID },

    /* of examples and charts, read by nothing */
    { "DATA_PROC_DEV_*", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_TEST_*", NULL, NULL, NULL, NEVER_DID },
    { "DATA_PROC_SECURITY_ENABLED", NULL, NULL, NULL, "http.token and http.tls.certificate.file say it: docs/security.md" },
    { "DATA_PROC_JWT_SECRET", NULL, NULL, NULL, "callers show one token, which is no JWT: http.token" },
    { "DATA_PROC_API_KEYS_ENABLED", NULL, NULL, NULL, "callers show one token: http.token" },
    { "DATA_PROC_MONITORING_ENABLED", NULL, NULL, NULL, "metrics are always there" },
    { "DATA_PROC_METRICS_ENDPOINT", NULL, NULL, NULL, HTTP_PATHS },
    { "DATA_PROC_HEALTH_ENDPOINT", NULL, NULL, NULL, HTTP_PATHS },
    { "DATA_PROC_READINESS_ENDPOINT", NULL, NULL, NULL, HTTP_PATHS },
    { "DATA_PROC_LIVENESS_ENDPOINT", NULL, NULL, NULL, HTTP_PATHS },
    { "DATA_PROC_ALERT*", NULL, NULL, NULL, "alerts are made of the metrics, elsewhere" },
    { "DATA_PROC_TOPOLOGY_*", NULL, NULL, NULL, "there is no such service" },
    { "DATA_PROC_SOURCE_PATH", NULL, NULL, NULL, "load takes files as words" },
    { "DATA_PROC_SCHEMA_REGISTRY", NULL, NULL, NULL, "schemas are built in: docs/schemas.md" },
    { "DATA_PROC_POLL_INTERVAL", NULL, NULL, NULL, "load takes files as words" },
    { "DATA_PROC_MODE", NULL, NULL, NULL, "load takes files as words" },
    { "DATA_PROC_OUTPUT_TOPIC", NULL, NULL, NULL, "load knows the topic by a file's content" },
    { "DATA_PROC_DLQ_TOPIC", NULL, NULL, NULL, "rows that cannot be read become dead letters of normalization" },
    { "DATA_PROC_PRODUCER_ID", NULL, NULL, NULL, "instance.id names the process" },
    { "DATA_PROC_DEFAULT_MARKET", NULL, NULL, NULL, "load takes --market" },
    { "DATA_PROC_MAX_RETRIES", NULL, NULL, NULL, "what fails is tried until it works" },
    { "DATA_PROC_BACKOFF_SECONDS", NULL, NULL, NULL, "what fails is tried until it works" },
    { "DATA_PROC_MAX_BACKOFF", NULL, NULL, NULL, "what fails is tried until it works" },
    { "DATA_PROC_DEDUP_WINDOW", NULL, NULL, NULL, "a row is loaded once, whatever lies between" },
    { .name = NULL },
};
/* clang-format on */

static const char *const prefixes[] = { "DATA_PROC_", "NORMALIZE_TICKS_", NULL };

const struct weir__variables market_variables = { .items = variables, .prefixes = prefixes };
