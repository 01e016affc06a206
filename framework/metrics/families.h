/* families.h: the one table of metric families: what an operator can see, by Prometheus' rules for names. docs/metrics.md
 * is made from it.
 *
 * (1) Labels have few values: topologies, topics, nodes, stores, partitions, reasons; never keys or tenants.
 * (2) Seconds and bytes. A counter ends in _total.
 */
#ifndef WEIR_METRICS_FAMILIES_H
#define WEIR_METRICS_FAMILIES_H

#include "framework/metrics/metrics.h"

/* clang-format off */
/* X(ID, name, type, help, label names...) */
#define WEIR__FAMILIES(X)                                                                                              \
    X(CONSUMED, "weir_records_consumed_total", COUNTER, "Records taken from a topic, before they are processed.", "topology", "topic") \
    X(PROCESSED, "weir_records_processed_total", COUNTER, "Input records processed.", "topology", "thread")            \
    X(PRODUCED, "weir_records_produced_total", COUNTER, "Records sent to a topic, changelogs and repartition topics too; also what an abort takes back.", "topology", "topic") \
    X(DROPPED, "weir_records_dropped_total", COUNTER, "Records, or a record's share of one window, not used: late, duplicate, refused and so on.", "topology", "reason") \
    X(NOTED, "weir_records_noted_total", COUNTER, "Records that went on, by what the topology noticed in them.", "topology", "what") \
    X(DEAD_LETTERS, "weir_dead_letters_total", COUNTER, "Records sent to the dead letters, by the node that could not take them and why.", "topology", "node", "code") \
    X(WINDOWS, "weir_windows_total", COUNTER, "Windows by key time: how many closed by time, closed by the clock, were corrected; keys that left.", "topology", "store", "event") \
    X(PUNCTUATIONS, "weir_punctuations_total", COUNTER, "Scheduled calls of verbs, by the time that made them due: stream or wall.", "topology", "time") \
    X(COMMITS, "weir_commits_total", COUNTER, "Commits made.", "topology", "thread")                                   \
    X(COMMIT_SECONDS, "weir_commit_seconds", HISTOGRAM, "Time that commits took, from the flush of the caches to the writing of the stores.", "topology", "thread") \
    X(WAIT_SECONDS, "weir_record_wait_seconds", HISTOGRAM, "Time from a record's coming into the process until what came of it was committed, by record.", "topology", "thread") \
    X(THREAD_SECONDS, "weir_thread_seconds_total", COUNTER, "Time of a stream thread by what it did: poll (waiting too), restore, process, commit.", "topology", "thread", "work") \
    X(RECOVERIES, "weir_thread_recoveries_total", COUNTER, "Failures after which a thread went back to what was committed.", "topology", "thread") \
    X(RESTORED, "weir_restore_records_total", COUNTER, "Changelog records read back into stores.", "topology", "thread") \
    X(RESTORE_LEFT, "weir_restore_remaining_records", GAUGE, "Changelog offsets still to be read before tasks run.", "topology", "thread") \
    X(RESTORE_SECONDS, "weir_restore_seconds", HISTOGRAM, "Time from a task's opening until its stores were restored.", "topology") \
    X(THREADS, "weir_threads", GAUGE, "Stream threads, by whether they are alive or have ended.", "topology", "state") \
    X(TASKS, "weir_tasks", GAUGE, "Tasks of this process, by whether they run or are being restored.", "topology", "state") \
    X(BEAT_AGE, "weir_thread_progress_age_seconds", GAUGE, "Time since a stream thread last came around or asked the log.", "topology", "thread") \
    X(COMMIT_AGE, "weir_commit_age_seconds", GAUGE, "Time since all that a stream thread had done was last committed.", "topology", "thread") \
    X(TASK_RECORDS, "weir_task_records_total", COUNTER, "Input records that a task has processed since it came to this process.", "topology", "task") \
    X(TASK_COMMITS, "weir_task_commits_total", COUNTER, "Commits that a task has taken part in since it came to this process.", "topology", "task") \
    X(TASK_QUEUED, "weir_task_queued_records", GAUGE, "Records that have come for a task and are not processed yet, when it was last committed.", "topology", "task") \
    X(TASK_RESTORED, "weir_task_restored_records_total", COUNTER, "Changelog records read back for a task since it came to this process.", "topology", "task") \
    X(TASK_RESTORE_LEFT, "weir_task_restore_remaining_records", GAUGE, "Changelog offsets still to be read before a task runs; 0 when it does.", "topology", "task") \
    X(STREAM_TIME, "weir_task_stream_time_seconds", GAUGE, "Greatest event time that a task has seen, as seconds since 1970; its delay is time() less it.", "topology", "task") \
    X(LAG, "weir_topic_lag_records", GAUGE, "Offsets of an input partition that are not processed and committed yet.", "topology", "task", "topic", "partition") \
    X(STORE_ROWS, "weir_store_rows", GAUGE, "Rows of a store, about.", "topology", "task", "store")                    \
    X(STORE_BYTES, "weir_store_bytes", GAUGE, "Bytes of a store as its engine keeps them, on disk or in memory.", "topology", "task", "store", "place") \
    X(STORE_PENDING, "weir_store_pending_compaction_bytes", GAUGE, "Bytes that RocksDB has still to compact for a store.", "topology", "task", "store") \
    X(STORE_FILES, "weir_store_flushed_files", GAUGE, "Files of a store that were flushed and not compacted yet; at 20 RocksDB slows writes down.", "topology", "task", "store") \
    X(STORE_TABLES, "weir_store_immutable_memtables", GAUGE, "Memory tables of a store that are full and not flushed yet.", "topology", "task", "store") \
    X(STORE_COMPACTIONS, "weir_store_compactions_running", GAUGE, "Compactions that run in the database of a store's task.", "topology", "task", "store") \
    X(STORE_STALLED, "weir_store_writes_stalled", GAUGE, "Whether RocksDB slows down or stops writes to a store: 1 or 0.", "topology", "task", "store") \
    X(STORE_ERRORS, "weir_store_background_errors_total", COUNTER, "Errors of flushes and compactions in the database of a store's task.", "topology", "task", "store") \
    X(UNCOMMITTED, "weir_task_uncommitted_bytes", GAUGE, "Memory of a task's uncommitted changes, when they were last committed.", "topology", "task") \
    X(HELD, "weir_task_held_bytes", GAUGE, "Memory of a task's committed rows that its engine does not have yet.", "topology", "task") \
    X(OUTLET_UP, "weir_outlet_up", GAUGE, "Whether an outlet answers: 1 or 0.", "topology", "outlet", "thread") \
    X(OUTLET_BYTES, "weir_outlet_waiting_bytes", GAUGE, "Bytes put into an outlet and not acknowledged yet.", "topology", "outlet", "thread") \
    X(OUTLET_PUTS, "weir_outlet_records_total", COUNTER, "Records put into an outlet, those that were put again too.", "topology", "outlet", "thread") \
    X(OUTLET_SECONDS, "weir_outlet_settle_seconds", HISTOGRAM, "Time that commits waited for an outlet's acknowledgement.", "topology", "outlet", "thread") \
    X(OUTLET_OUTAGES, "weir_outlet_outages_total", COUNTER, "How often an outlet stopped to answer.", "topology", "outlet", "thread") \
    X(OUTLET_OLDEST, "weir_outlet_oldest_offset", GAUGE, "Offset of the oldest record of an input partition that outlets have not acknowledged; absent where they have all.", "topology", "topic", "partition") \
    X(KAFKA_UP, "weir_kafka_broker_up", GAUGE, "Whether a client of Kafka is connected to a broker: 1 or 0; of all weir_kafka_ families: as librdkafka last told, each 5 s.", "client", "broker") \
    X(KAFKA_RTT, "weir_kafka_broker_round_trip_seconds", GAUGE, "Time from a request to its answer in the last 5 s: p50, p99, max.", "client", "broker", "at") \
    X(KAFKA_THROTTLE, "weir_kafka_broker_throttle_seconds", GAUGE, "How long a broker held answers back because of quotas, mean of the last 5 s.", "client", "broker") \
    X(KAFKA_WAITING, "weir_kafka_broker_waiting_requests", GAUGE, "Requests that are to be sent or not answered yet.", "client", "broker") \
    X(KAFKA_REQUESTS, "weir_kafka_broker_requests_total", COUNTER, "Requests sent to a broker.", "client", "broker") \
    X(KAFKA_RESPONSES, "weir_kafka_broker_responses_total", COUNTER, "Answers that a broker gave.", "client", "broker") \
    X(KAFKA_SENT, "weir_kafka_broker_sent_bytes_total", COUNTER, "Bytes sent to a broker.", "client", "broker") \
    X(KAFKA_RECEIVED, "weir_kafka_broker_received_bytes_total", COUNTER, "Bytes that came from a broker.", "client", "broker") \
    X(KAFKA_ERRORS, "weir_kafka_broker_errors_total", COUNTER, "Requests that could not be sent, and answers that could not be read.", "client", "broker") \
    X(KAFKA_RETRIES, "weir_kafka_broker_retries_total", COUNTER, "Requests that were sent again.", "client", "broker") \
    X(KAFKA_TIMEOUTS, "weir_kafka_broker_timeouts_total", COUNTER, "Requests that were not answered in time.", "client", "broker") \
    X(KAFKA_DISCONNECTS, "weir_kafka_broker_disconnects_total", COUNTER, "Connections to a broker that ended.", "client", "broker") \
    X(KAFKA_UNSENT, "weir_kafka_unsent_records", GAUGE, "Records that a producer was given and the broker has not acknowledged.", "client") \
    X(KAFKA_UNSENT_BYTES, "weir_kafka_unsent_bytes", GAUGE, "Bytes of the records that a producer was given and the broker has not acknowledged.", "client") \
    X(KAFKA_FETCHED, "weir_kafka_fetched_records", GAUGE, "Records that a reader has fetched and that nobody has taken yet.", "client") \
    X(KAFKA_FETCHED_BYTES, "weir_kafka_fetched_bytes", GAUGE, "Bytes of the records that a reader has fetched and that nobody has taken yet.", "client") \
    X(KAFKA_REBALANCES, "weir_kafka_rebalances_total", COUNTER, "Assignments that a member of a group has seen come or go.", "client") \
    X(HTTP_REQUESTS, "weir_http_requests_total", COUNTER, "Requests answered at the HTTP port.", "path", "status")     \
    X(HTTP_SECONDS, "weir_http_request_seconds", HISTOGRAM, "Time that answers took to be made.", "path")              \
    X(AUDIT_NOTED, "weir_audit_events_total", COUNTER, "Events of the audit trail, by whether they were kept, or failed for want of memory.", "result") \
    X(AUDIT_UP, "weir_audit_writer_up", GAUGE, "Whether a writer of the audit trail took its last events: 1 or 0.", "writer") \
    X(AUDIT_QUEUE, "weir_audit_queue_events", GAUGE, "Events of the audit trail that wait for a writer.", "writer") \
    X(AUDIT_WRITTEN, "weir_audit_written_total", COUNTER, "Events that a writer of the audit trail has taken.", "writer") \
    X(AUDIT_LOST, "weir_audit_dropped_total", COUNTER, "Events that a writer of the audit trail has lost because its queue was full.", "writer") \
    X(AUDIT_OUTAGES, "weir_audit_outages_total", COUNTER, "How often a writer of the audit trail stopped to take events.", "writer") \
    X(BUILD, "weir_build_info", GAUGE, "Always 1; which version runs.", "version")                                     \
    X(MEMORY_MAX, "weir_memory_max_bytes", GAUGE, "What memory.max lets the process have.") \
    X(RESIDENT, "process_resident_memory_bytes", GAUGE, "Resident memory of the process.")                             \
    X(VIRTUAL, "process_virtual_memory_bytes", GAUGE, "Virtual memory of the process.") \
    X(CPU, "process_cpu_seconds_total", COUNTER, "CPU time of the process, user and system.")                          \
    X(STARTED, "process_start_time_seconds", GAUGE, "When the process started, as seconds since 1970.")                \
    X(MAX_FILES, "process_max_fds", GAUGE, "File descriptors that the process may have open.") \
    X(FILES, "process_open_fds", GAUGE, "File descriptors of the process that are open.")
/* clang-format on */

#define WEIR__FAMILY_ID(id, ...) WEIR__##id##_FAMILY,
enum weir__family_id { WEIR__FAMILIES(WEIR__FAMILY_ID) WEIR__FAMILY_COUNT };
#undef WEIR__FAMILY_ID

extern const struct weir__family weir__families[WEIR__FAMILY_COUNT];

/* weir__metric of a family of the table. */
static inline struct weir__series *weir__metric_of(struct weir__metrics *metrics, enum weir__family_id id,
                                                   const char *const *values)
{
    return weir__metric(metrics, &weir__families[id], values);
}

/* Families whose values are looked up when somebody asks: the head of one, and a line of it. */
void weir__family_print(enum weir__family_id id, struct weir__buf *ret);
void weir__value_print(enum weir__family_id id, const char *const *labels, double value, struct weir__buf *ret);
/* The page docs/metrics.md. */
void weir__families_markdown(struct weir__buf *ret);

#endif
