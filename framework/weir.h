/* weir.h: all that a topology's verbs need: records, codecs, and the calls a verb may make.
 *
 * (1) A verb runs on the thread of its task; two verbs of one task never run at once.
 * (2) What a verb is handed, and what weir_alloc gives it, lives until the verb's record is done.
 * (3) A verb returns WEIR_OK, WEIR_NOTHING (the result is null), or a negative code of WEIR_ERRORS.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEIR_API                 __attribute__((visibility("default")))
#define WEIR_MUST_CHECK          __attribute__((warn_unused_result))
#define WEIR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define WEIR_API
#define WEIR_MUST_CHECK
#define WEIR_PRINTF(text, first)
#endif

/* What an error asks of the one who meets it. */
enum weir_scope {
    WEIR_SCOPE_NONE,      /* an answer, not a failure */
    WEIR_SCOPE_RETRIABLE, /* the same call again */
    WEIR_SCOPE_RECORD,    /* dead-letter this record and go on */
    WEIR_SCOPE_TASK,      /* drop what is uncommitted, close the task, restore it */
    WEIR_SCOPE_FATAL      /* stop the application */
};

/* The one table of codes: name, value, scope, text. */
#define WEIR_ERRORS(X)                                                                  \
    X(WEIR_OK, 0, NONE, "success")                                                      \
    X(WEIR_NOTHING, 2, NONE, "the result is null")                                      \
    X(WEIR_NOTFOUND, -1, NONE, "no such thing")                                         \
    X(WEIR_AGAIN, -2, RETRIABLE, "not done yet: make the same call again")              \
    X(WEIR_FULL, -3, RETRIABLE, "a queue is full: serve it, then retry")                \
    X(WEIR_ELSEWHERE, -4, NONE, "another process has it")                               \
    X(WEIR_UNREADABLE, -10, RECORD, "bytes that the codec cannot read")                 \
    X(WEIR_REJECTED, -11, RECORD, "the topology refused the record")                    \
    X(WEIR_VERB_FAILED, -12, RECORD, "a verb failed on the record")                     \
    X(WEIR_BAD_TIME, -13, RECORD, "the timestamp cannot be used")                       \
    X(WEIR_TOO_LARGE, -14, RECORD, "the record is too large")                           \
    X(WEIR_OVERFLOW, -15, RECORD, "a number does not fit")                              \
    X(WEIR_LIMIT, -16, RECORD, "the record needs more memory than one record may take") \
    X(WEIR_NULL_GIVEN, -17, RECORD, "null where a value is required")                   \
    X(WEIR_TOO_LATE, -18, RECORD, "the record is older than its window is kept")        \
    X(WEIR_ABORT, -20, TASK, "the transaction must be aborted")                         \
    X(WEIR_FENCED, -21, TASK, "another instance has taken over")                        \
    X(WEIR_LOST, -22, TASK, "the membership of the group is gone")                      \
    X(WEIR_STORE_FAILED, -23, TASK, "the state store failed")                           \
    X(WEIR_CORRUPT, -24, TASK, "stored bytes are damaged")                              \
    X(WEIR_BAD_TOPOLOGY, -30, FATAL, "the topology is not valid")                       \
    X(WEIR_BAD_CONFIG, -31, FATAL, "the configuration is not valid")                    \
    X(WEIR_BAD_ARGUMENT, -32, FATAL, "an argument is out of range")                     \
    X(WEIR_BAD_NAME, -33, FATAL, "a name is not legal")                                 \
    X(WEIR_BAD_TYPE, -34, FATAL, "types do not meet")                                   \
    X(WEIR_BAD_STATE, -35, FATAL, "the call is not allowed now")                        \
    X(WEIR_UNSUPPORTED, -36, FATAL, "not supported")                                    \
    X(WEIR_NO_MEMORY, -37, FATAL, "out of memory")                                      \
    X(WEIR_IO, -38, FATAL, "input or output failed")                                    \
    X(WEIR_BUSY, -39, FATAL, "another process holds it")                                \
    X(WEIR_FATAL, -40, FATAL, "cannot go on")                                           \
    X(WEIR_DISK_FULL, -41, FATAL, "the disk is full: make room and start again")        \
    X(WEIR_FORBIDDEN, -42, FATAL, "the brokers do not let our user do that: grant it the rights of docs/security.md")

#define WEIR__ENUM(name, value, scope, text) name = value,
enum weir_code { WEIR_ERRORS(WEIR__ENUM) };
#undef WEIR__ENUM

/* A failure in words, owned by the caller; functions that take one fill it only when they fail. */
struct weir_error {
    int  code;
    char where[160]; /* node, store, topic or file and place */
    char text[640];  /* what is wrong, and the remedy */
};

/* Name ("WEIR_BAD_TIME"), one-line text and scope of a code; unknown codes are FATAL. Any thread. */
WEIR_API const char     *weir_code_name(int code);
WEIR_API const char     *weir_code_text(int code);
WEIR_API enum weir_scope weir_code_scope(int code);

struct weir_context; /* one verb's view of its task */
struct weir_arena;   /* memory of one lifetime */
struct weir_json;    /* a parsed JSON value: framework/json.h */
struct weir_json_out;
struct weir_node;
struct weir_store;
struct weir_codec;
struct weir_request; /* framework/http.h */
struct weir_reply;

/* Borrowed bytes. data NULL is null; size 0 with data is empty. */
struct weir_bytes {
    const void *data;
    size_t      size;
};

/* The value in memory of weir_string and weir_blob. */
struct weir_text {
    const char *data;
    size_t      size;
};

/* The key in memory of windowed results. start inclusive, end exclusive (session: inclusive); ms. */
struct weir_windowed {
    const void *key; /* of the inner codec */
    int64_t     start, end;
};

struct weir_header {
    const char       *name;
    struct weir_bytes value; /* data NULL = null */
};

/* One record. key and value point to values of the node's codecs; NULL = null. */
struct weir_record {
    const void               *key, *value;
    int64_t                   timestamp; /* event time, ms since 1970 */
    const struct weir_header *headers;   /* header_count of them, in order */
    size_t                    header_count;
    const char               *topic; /* where the record, or its cause, was read; NULL in punctuation */
    int32_t                   partition;
    int64_t                   offset;
};

/* How values of one type are read and written. Constant data; two codecs are the same type if name,
 * inner and width are the same. decode and parse may borrow from their input: the framework keeps
 * the input alive as long as the value. Errors: WEIR_UNREADABLE, WEIR_OVERFLOW, WEIR_LIMIT. */
struct weir_codec {
    const char *name;
    size_t      bytes; /* sizeof the value in memory; aligned to 16 */
    int (*decode)(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret);
    int (*encode)(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                  struct weir_bytes *ret);
    int (*print)(const struct weir_codec *codec, const void *value, struct weir_json_out *json);
    int (*parse)(const struct weir_codec *codec, const struct weir_json *json, void *ret);
    const struct weir_codec *inner; /* of a windowed key */
    int64_t                  width; /* of its window, ms; INT64_MAX = unlimited */
    const void              *arg;   /* the codec's own */
    /* Says in ret->text why decode refuses these bytes, for the dead letter; NULL = there are no more words. */
    void (*explain)(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in,
                    struct weir_error *ret);
    /* What it writes, "json", and who writes the same values otherwise, of the same name; both read either. NULL = there is one form. */
    const char              *form;
    const struct weir_codec *other;
};

/* Built in: UTF-8 text, 8 bytes big-endian, IEEE 754 big-endian, raw bytes (JSON: an object or array as it is, if it is
 * written as we write; else lower-case hex). */
WEIR_API extern const struct weir_codec weir_string[1], weir_int64[1], weir_double[1], weir_blob[1];

WEIR_API int weir_windowed_decode(const struct weir_codec *, struct weir_arena *, struct weir_bytes, void *);
WEIR_API int weir_windowed_encode(const struct weir_codec *, struct weir_arena *, const void *, struct weir_bytes *);
WEIR_API int weir_windowed_print(const struct weir_codec *, const void *, struct weir_json_out *);
WEIR_API int weir_windowed_parse(const struct weir_codec *, const struct weir_json *, void *);
WEIR_API int weir_sessioned_decode(const struct weir_codec *, struct weir_arena *, struct weir_bytes, void *);
WEIR_API int weir_sessioned_encode(const struct weir_codec *, struct weir_arena *, const void *, struct weir_bytes *);

/* Keys of windowed results: key, int64 start (end = start + width); sessions: key, int64 end, start. */
#define WINDOWED(k, w)                                                  \
    (&(const struct weir_codec){ .name = "windowed",                    \
                                 .bytes = sizeof(struct weir_windowed), \
                                 .decode = weir_windowed_decode,        \
                                 .encode = weir_windowed_encode,        \
                                 .print = weir_windowed_print,          \
                                 .parse = weir_windowed_parse,          \
                                 .inner = k,                            \
                                 .width = w })
#define SESSIONED(k)                                                    \
    (&(const struct weir_codec){ .name = "sessioned",                   \
                                 .bytes = sizeof(struct weir_windowed), \
                                 .decode = weir_sessioned_decode,       \
                                 .encode = weir_sessioned_encode,       \
                                 .print = weir_windowed_print,          \
                                 .parse = weir_windowed_parse,          \
                                 .inner = k })

/* Memory from an arena, zeroed, aligned to 16; NULL when its ceiling is reached (return WEIR_LIMIT). */
WEIR_API void *weir_arena_alloc(struct weir_arena *arena, size_t size);

/* Verbs, one type per shape. */
struct weir_span {
    int64_t start, end; /* ms; end exclusive */
};
typedef int weir_open(struct weir_context *ctx);
typedef int weir_close(struct weir_context *ctx); /* what it forwards or puts goes nowhere (WEIR_BAD_STATE) */
/* Before each commit, so that what was gathered in weir_state since the last one is forwarded and put with it. Where the work since
 * then is taken back, close and open are called instead. WEIR_AGAIN: there is more; it is called again, with a record's memory anew. */
typedef int weir_flush(struct weir_context *ctx);
typedef int weir_process(struct weir_context *ctx, const struct weir_record *rec);
typedef int weir_test(struct weir_context *ctx, const struct weir_record *rec); /* 1 or 0 */
typedef int weir_map(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret);
typedef int weir_select(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key);
typedef int weir_init(struct weir_context *ctx, void *ret);
typedef int weir_fold(struct weir_context *ctx, const struct weir_record *rec, void *state);
typedef int weir_unite(struct weir_context *ctx, const void *key, const void *other, void *state);
typedef int weir_join(struct weir_context *ctx, const void *key, const void *left, const void *right, void *ret);
typedef int weir_extract(struct weir_context *ctx, const struct weir_record *rec, int64_t *ret_ms);
typedef int weir_route(struct weir_context *ctx, const struct weir_record *rec, const char **ret_topic,
                       int32_t *ret_partition);
typedef int weir_assign(struct weir_context *ctx, const struct weir_record *rec, struct weir_span *ret_spans,
                        size_t max); /* how many */
typedef int weir_punctuate(struct weir_context *ctx, int64_t time);
typedef int weir_answer(struct weir_request *request, struct weir_reply *reply); /* HTTP thread: framework/http.h */
/* Whose a record is, as bytes of its topic: for the dead letter of a record that may be unreadable. ret borrows from
 * key, value or arena; data NULL = nobody knows. Its result is not checked otherwise. */
typedef void weir_tenant(struct weir_arena *arena, const char *topic, struct weir_bytes key, struct weir_bytes value,
                         struct weir_text *ret);
struct weir_row;
typedef int weir_final(struct weir_context *ctx, const struct weir_store *store, const struct weir_row *row);

/* Sends a record on, depth first: children are done before the call returns. The key and value are of
 * the node's codecs and are borrowed until then. Errors: those of the children's verbs. A verb returns
 * them as they are. */
WEIR_API int weir_forward(struct weir_context *ctx, const void *key, const void *value) WEIR_MUST_CHECK;
/* The same with the record's own timestamp and headers. WEIR_BAD_TIME: a negative timestamp. */
WEIR_API int weir_forward_record(struct weir_context *ctx, const struct weir_record *rec) WEIR_MUST_CHECK;
/* To one child only. WEIR_BAD_ARGUMENT: the node is no child of this one. */
WEIR_API int weir_forward_to(struct weir_context *ctx, const struct weir_node *node, const struct weir_record *rec)
    WEIR_MUST_CHECK;

/* Refuses the record: it goes to the topology's dead letters with code and text, and the verb goes on
 * (usually by returning WEIR_OK). Without dead letters the code is returned and fails the record. */
WEIR_API int weir_reject(struct weir_context *ctx, int code, const char *text) WEIR_MUST_CHECK;
/* The same for a reason of the topology's own, a stable word such as "too_late": it is the dead letter's code and the
 * counter's label. Without dead letters WEIR_REJECTED is returned and fails the record. */
WEIR_API int weir_refuse(struct weir_context *ctx, const char *reason, const char *text) WEIR_MUST_CHECK;
/* Counts a record that ends here as it should, such as a duplicate: weir_records_dropped_total under that reason. */
WEIR_API void weir_drop(struct weir_context *ctx, const char *reason);
/* Counts a record that goes on, under what was noticed in it: weir_records_noted_total. */
WEIR_API void weir_note(struct weir_context *ctx, const char *what);

WEIR_API const void *weir_arg(struct weir_context *ctx); /* the node's .arg (in an arm's fold, the arm's) */
/* An option of the node, in force: a SWITCH as 1 or 0, a DURATION in ms; the text as it was written. One that the node does
 * not declare ends the process. */
WEIR_API int64_t            weir_option(struct weir_context *ctx, const char *name);
WEIR_API const char        *weir_option_text(struct weir_context *ctx, const char *name);
WEIR_API void              *weir_state(struct weir_context *ctx);              /* .state zeroed bytes, one per task */
WEIR_API void              *weir_alloc(struct weir_context *ctx, size_t size); /* record's lifetime; NULL = ceiling */
WEIR_API struct weir_arena *weir_record_arena(struct weir_context *ctx);       /* where weir_alloc takes from */
WEIR_API bool               weir_absent(struct weir_context *ctx); /* in a fold: the state was null, now zeroed */
/* Windows by key time. In a fold: the window had closed before this record. In the nodes after it, not beyond a topic:
 * the result is of a closed window, the first after its close or a correction. */
WEIR_API bool    weir_closed(struct weir_context *ctx);
WEIR_API int64_t weir_stream_time(struct weir_context *ctx); /* ms; -1 = unknown */
WEIR_API int64_t weir_wall_time(struct weir_context *ctx);   /* ms of the engine's clock */
/* How often the application was rebuilt, from 1: rises with "reset" and "replay --supersede", so that what is made after them can
 * be told from what was made before, and go before it. 1 in drivers and in "try", unless they say another. */
WEIR_API int64_t weir_epoch(struct weir_context *ctx);
/* Whether the record at work was processed before and is read again by "replay", state kept: what it did to stores is done. In
 * the nodes between an input and the next topic; false behind a repartition topic. */
WEIR_API bool    weir_replayed(struct weir_context *ctx);
WEIR_API int64_t weir_partition_time(struct weir_context *ctx); /* in an extractor: greatest so far, -1 */

/* A row of a store as a verb sees it. */
struct weir_row {
    const void *key, *value;
    int64_t     timestamp;  /* -1 in plain stores */
    int64_t     start, end; /* of its window */
};
struct weir_rows; /* rows being read, closed by the framework when the verb returns */

enum weir_order { WEIR_ASCENDING, WEIR_DESCENDING };

/* Reads and writes of a store named in the node's .uses. Errors: WEIR_NOTFOUND (no row, or no further
 * one), WEIR_BAD_ARGUMENT (not this node's store, or the call does not fit its kind), WEIR_UNREADABLE,
 * WEIR_STORE_FAILED. NULL value deletes. Times are ms. Put takes the record's timestamp. */
WEIR_API int weir_get(struct weir_context *ctx, const struct weir_store *store, const void *key,
                      const void **ret_value) WEIR_MUST_CHECK;
WEIR_API int weir_put(struct weir_context *ctx, const struct weir_store *store, const void *key, const void *value)
    WEIR_MUST_CHECK;
WEIR_API int weir_delete(struct weir_context *ctx, const struct weir_store *store, const void *key) WEIR_MUST_CHECK;
/* Rows with from <= key <= to in the order of the keys' bytes; NULL = open. */
WEIR_API int weir_range(struct weir_context *ctx, const struct weir_store *store, const void *from, const void *to,
                        enum weir_order order, struct weir_rows **ret) WEIR_MUST_CHECK;
/* Rows whose key's bytes begin with the prefix's. */
WEIR_API int weir_prefix(struct weir_context *ctx, const struct weir_store *store, struct weir_bytes prefix,
                         struct weir_rows **ret) WEIR_MUST_CHECK;
/* Window stores: one row, and the rows of a key, or of keys from..to, that start in [from, to]. */
WEIR_API int weir_get_window(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t start,
                             const void **ret_value) WEIR_MUST_CHECK;
WEIR_API int weir_put_window(struct weir_context *ctx, const struct weir_store *store, const void *key,
                             const void *value, int64_t start) WEIR_MUST_CHECK;
WEIR_API int weir_fetch(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t from,
                        int64_t to, enum weir_order order, struct weir_rows **ret) WEIR_MUST_CHECK;
WEIR_API int weir_fetch_keys(struct weir_context *ctx, const struct weir_store *store, const void *key_from,
                             const void *key_to, int64_t from, int64_t to, enum weir_order order,
                             struct weir_rows **ret) WEIR_MUST_CHECK;
WEIR_API int weir_next(struct weir_rows *rows, struct weir_row *ret) WEIR_MUST_CHECK;

/* Window stores by key time (.time = WEIR_PER_KEY): a key's windows close and go by the time that its own records bring,
 * which the store keeps in its changelog; docs/windows.md. Fold nodes do all this by themselves; a STEP puts and reads
 * rows as above, and says what time it is for a key. */

/* Moves the key's time on to `time`; an earlier one changes nothing. Windows whose end + grace has come close: .final of
 * the node that has this store is called for each row, by start. Rows whose end + retention has come are deleted. */
WEIR_API int weir_advance(struct weir_context *ctx, const struct weir_store *store, const void *key, int64_t time)
    WEIR_MUST_CHECK;
/* The key's time, ms; WEIR_NOTFOUND: none is known; other codes. */
WEIR_API int64_t weir_key_time(struct weir_context *ctx, const struct weir_store *store, const void *key);
/* Where the window that ends at `end` stands for the key, >= 0, or a code. OPEN: its .final is to come, if it gets a row.
 * CLOSED: what comes now corrects it. PAST its retention: a put is refused and counted. */
enum weir_standing { WEIR_OPEN, WEIR_CLOSED, WEIR_PAST };
WEIR_API int weir_window_standing(struct weir_context *ctx, const struct weir_store *store, const void *key,
                                  int64_t end) WEIR_MUST_CHECK;
/* weir_put_window for windows that are not all of one length (CALENDAR): the row keeps the end it was first put with. */
WEIR_API int weir_put_span(struct weir_context *ctx, const struct weir_store *store, const void *key,
                           const void *value, const struct weir_span *span) WEIR_MUST_CHECK;

/* The value that a global table named in .looks_up (or joined) holds for key. WEIR_NOTFOUND. */
WEIR_API int weir_lookup(struct weir_context *ctx, const struct weir_node *global, const void *key,
                         const void **ret_value) WEIR_MUST_CHECK;

/* Rows of a global table named in .looks_up, in the order of the keys' bytes, from a key on; NULL = all. */
WEIR_API int weir_scan(struct weir_context *ctx, const struct weir_node *global, const void *from,
                       struct weir_rows **ret) WEIR_MUST_CHECK;
/* How many records a global table named in .looks_up has taken: the same number, the same rows. */
WEIR_API uint64_t weir_taken(struct weir_context *ctx, const struct weir_node *global);
/* Has the global tables read to what is their end now; weir_fresh: that is done. Records are processed meanwhile. */
WEIR_API void weir_refresh(struct weir_context *ctx);
WEIR_API bool weir_fresh(struct weir_context *ctx);

/* The task takes no records while one of its nodes holds it; punctuation goes on, and a bounded run does not end. For nodes
 * that must know something first. */
WEIR_API void    weir_hold(struct weir_context *ctx, bool hold);
WEIR_API int32_t weir_partition(struct weir_context *ctx); /* of the task */
/* How something outside of the log stands, that the node depends on: /health has a check of that name for as long as the task
 * runs, degraded while there are words. name: a constant. words: for people, without secrets; NULL = it is well. */
WEIR_API void weir_tell(struct weir_context *ctx, const char *name, const char *words);

enum weir_time { WEIR_STREAM_TIME = 1, WEIR_WALL_TIME };

/* Calls fn every `every` ms (> 0) of that time; stream time's grid starts at 0, wall time's now; missed
 * firings are one firing. In open or a verb. Gives a handle > 0 for weir_cancel, or WEIR_BAD_ARGUMENT,
 * WEIR_NO_MEMORY. Source: Kafka Streams' PunctuationQueue. */
WEIR_API int64_t weir_schedule(struct weir_context *ctx, int64_t every, enum weir_time kind, weir_punctuate *fn)
    WEIR_MUST_CHECK;
WEIR_API void weir_cancel(struct weir_context *ctx, int64_t handle);
WEIR_API void weir_commit(struct weir_context *ctx); /* asks for a commit soon */

#ifdef __cplusplus
}
#endif

#endif
