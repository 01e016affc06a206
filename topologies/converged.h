/* converged.h: the converged records of a run: the last one of each window, whatever came before it.
 *
 * (1) A run is a folder that `local` ran on, a file of records as `cat` prints them, plain or gzip, or brokers of Kafka, as
 *     HOST:PORT,HOST:PORT; what else is needed to reach them kafka.* says.
 * (2) The last one is that of the greatest epoch and revision. A window whose last record withdraws it is not there.
 */
#ifndef TOPOLOGIES_CONVERGED_H
#define TOPOLOGIES_CONVERGED_H

#include "topologies/commands.h"

enum market_outcome_kind {
    MARKET_RUN_BARS,
    MARKET_RUN_STATS,
    MARKET_RUN_SPREADS,
    MARKET_RUN_CURVES,
    MARKET_RUN_KINDS
};

struct market_converged {
    const char              *name, *words; /* of one, for flags; of many, for people */
    const struct weir_codec *codec;
    const char *const       *how;    /* fields that say how a run went, NULL-ended */
    uint32_t                 judged; /* flags that do not */
};
extern const struct market_converged market_converged[MARKET_RUN_KINDS];

/* A record that is kept; its name and its bytes stand behind it. */
struct market_kept {
    int64_t epoch, revision;
    bool    withdrawn; /* while the run is read */
    size_t  name_size, size;
    char    bytes[];
};

struct market_run {
    const char *path;     /* or what it is called */
    int64_t     from, to; /* us: only windows that start in [from, to); to 0: all */
    unsigned    wanted;   /* bits of kinds: only these */
    unsigned    said;     /* of those that it has topics or lines of */
    struct weir__map
         of[MARKET_RUN_KINDS]; /* of struct market_kept by "tenant/instrument interval start" and the like */
    bool unflagged, uncounted; /* a bar of it says no flags; not how many ticks have some */
    struct weir_arena scratch;
};
void market_run_fini(struct market_run *run);
/* Keeps a copy, if none of its window is greater; no open bar. WEIR_NO_MEMORY. */
int market_run_add(struct market_run *run, enum market_outcome_kind kind, const void *record,
                   struct weir_error *reterr);
/* A record that was kept, in memory of the arena. WEIR_NO_MEMORY. */
int market_kept_read(const struct market_kept *kept, enum market_outcome_kind kind, struct weir_arena *arena,
                     const void **ret, struct weir_error *reterr);
/* The records of run->path. WEIR_NOTFOUND; codes of logs, files and records. */
int market_run_read(struct market_run *run, const struct weir__program *program, struct weir_error *reterr);
/* Those of a log that is open, or was to be: opening is what that said. Closes it. Topics are aggregation's as configured. */
int market_run_read_log(struct market_run *run, const struct weir__program *program, struct weir__looked *looked,
                        int opening, struct weir_error *reterr);

#endif
