/* suite.h: the engines that the suite of logs runs on, and the words its tests are written in.
 *
 * (1) A test sees struct weir__log_engine alone. Offsets of one commit follow each other; between commits there may be gaps.
 * (2) The broker is tested where KAFKA names one, "host:port", and then it alone: test/scripts/kafka_log.sh.
 * (3) Names of topics, groups and producers are those of one test alone, so that a log may outlive it.
 */
#ifndef WEIR_TEST_LOG_SUITE_H
#define WEIR_TEST_LOG_SUITE_H

#include <check.h>
#include <sys/types.h>

#include "framework/kafka/kafka.h"
#include "statestores/statestores.h"

/* An engine as the suite opens it. */
struct subject {
    const char                    *name;
    const struct weir__log_engine *engine;
    bool                           durable; /* what was committed is there when it is opened again */
    bool                           distant; /* another process: what is sent is on its way before the commit */
};
#define IN_MEMORY 0 /* indices of them */
#define DURABLE   1
#define BROKER    2
extern const struct subject subjects[];

/* Of the test that runs. */
extern const struct weir__log_engine *engine;
extern struct weir__log              *logs;
extern const char                    *log_dir; /* NULL = in memory */
extern struct weir_error              words;
extern int64_t (*suite_clock)(void *arg); /* of the log; NULL = the wall clock */
extern size_t  suite_memory;              /* the log's; 0 = as much as is of use */
extern int64_t suite_marker_delay, suite_session_ms, suite_transaction_ms, suite_retention; /* the same */
extern bool    suite_plain;                                                                 /* without quirks */

void suite_begin(int subject); /* a log to begin with */
void suite_end(void);
void suite_close(void); /* the log, not its folder */
void suite_open(void);

/* Runs every test of the table, on every subject that is tested where `each`; the program's exit status. */
struct test {
    const TTest *test;
};
int suite_main(const char *name, bool each, const struct test *tests, size_t count);

/* Another process: this program anew, which finds its role, the folder and its pipes in `role`, log_dir, role_in and
 * role_out. It has no libcheck: what it needs, it asks for by need(), which ends it. */
pid_t              suite_spawn(const char *as, int pipe_in, int pipe_out);
extern const char *role; /* NULL: the tests' process */
extern int         role_in, role_out;
void               suite_role(int argc, char **argv); /* first in main */
void               need(int err);

int64_t           soon(void);                 /* a deadline that only a fault reaches */
const char       *name_of(const char *name);  /* this test's own */
bool              long_form(void);            /* FORM=long */
void              must(int err);              /* is WEIR_OK, else fails with words */
struct weir_bytes bytes_of(const char *text); /* NULL = null */

void make_topic(const char *name, int32_t partitions);
void make_topic_with(const char *name, int32_t partitions, const char *const *settings);

struct weir__producer *new_producer(const char *id);
/* "k=v" to a partition at a time; NULL = null. The code of send. */
int  try_send(struct weir__producer *producer, const char *topic, int32_t partition, const char *key,
              const char *value, int64_t time);
void send(struct weir__producer *producer, const char *topic, int32_t partition, const char *key, const char *value);
void commit(struct weir__producer *producer);
/* One commit of "k=v k=v ..." to a partition. */
void put(const char *topic, int32_t partition, const char *pairs);

struct weir__consumer *new_tail(const char *topic, int32_t partition, int64_t from);
void                   leave(struct weir__consumer *consumer);
/* Adds what polls give to ret as "k=v " until it has `count` records more; null is "~". */
void gather(struct weir__consumer *consumer, size_t count, struct weir__buf *ret);
/* The next event; records on the way are refused. */
struct weir__log_event next_event(struct weir__consumer *consumer);
/* All of a partition, from its first offset to its stable end, reads as the text. The markers of a transaction that is
 * committed may still be on their way: an end before all that is wanted is not the last one. */
void expect_partition(const char *topic, int32_t partition, const char *want);
void expect_text(struct weir__buf *buf, const char *want); /* and empties it */

struct weir__ends ends_of(const char *topic, int32_t partition);
int64_t           committed_of(const char *group, const char *topic, int32_t partition);

int  commit_offset(struct weir__producer *producer, const char *group, const char *topic, int32_t partition,
                   int64_t offset);
void await_stable(const char *topic, int32_t partition); /* until all that is decided can be read */
void expect_ends(const char *topic, int32_t partition, int64_t stable, int64_t end);
/* Polls until the end is told at `want` or beyond; where. Records before it come as "key@offset ". */
int64_t read_until(struct weir__consumer *reader, int64_t want, struct weir__buf *ret);

#endif
