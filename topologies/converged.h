/* converged.h: the converged bars of a run: the last bar of each window, whatever came before it.
 *
 * (1) A run is a folder that `local` ran on, a file of bars as `cat` prints them, plain or gzip, or brokers of Kafka, as
 *     HOST:PORT,HOST:PORT; what else is needed to reach them kafka.* says.
 */
#ifndef TOPOLOGIES_CONVERGED_H
#define TOPOLOGIES_CONVERGED_H

#include "topologies/commands.h"

struct market_run {
    const char       *path;      /* or what it is called */
    int64_t           from, to;  /* us: only windows that start in [from, to); to 0: all */
    struct weir__map  bars;      /* of struct market_bar by "tenant/instrument interval start" */
    bool              unflagged; /* a bar of it says no flags */
    struct weir_arena arena, scratch;
};
void market_run_fini(struct market_run *run);
/* Keeps a copy of a closed bar, if none of its window is greater. WEIR_NO_MEMORY. */
int market_run_add(struct market_run *run, const struct market_bar *bar, struct weir_error *reterr);
/* The bars of run->path. WEIR_NOTFOUND; codes of logs, files and records. */
int market_run_read(struct market_run *run, const struct weir__program *program, struct weir_error *reterr);
/* Those of a log that is open, or was to be: opening is what that said. Closes it. */
int market_run_read_log(struct market_run *run, struct weir__looked *looked, int opening, struct weir_error *reterr);

/* The first field that differs, of flags those of judged; NULL = none does. Epochs and revisions are not looked at. */
const char *market_bar_difference(const struct market_bar *a, const struct market_bar *b, uint32_t judged);

#endif
