/* commands.h: the commands of data-processing, and loading. */
#ifndef TOPOLOGIES_COMMANDS_H
#define TOPOLOGIES_COMMANDS_H

#include "framework/main/commands.h"
#include "topologies/topologies.h"

/* Loads files; makes the topics that are not there. dry: says what it would load, and sends and makes nothing; config->log may
 * then be NULL, of a log that is not there. Progress is shown on a terminal, each file's end said in the log.
 * options: progress and arg are set here. *ret_sent: events committed now. WEIR_REJECTED: files were refused, the others
 * are loaded; WEIR_AGAIN: config->stop was set; codes of the log and of market_load. */
int market_load_files(const struct weir__load_config *config, const struct weir__config *settings,
                      struct market_load_options *options, const char *const *paths, size_t count, bool dry,
                      uint64_t *ret_sent, struct weir_error *reterr);

extern const struct weir__explaining market_explaining; /* explaining.c */
extern const struct weir__variables  market_variables;  /* settings.c: DATA_PROC_... */

/* ---- reference rows (reference.c) ---- */

struct market_reference_counts {
    size_t rows, added, changed, removed;
};
/* The topic holds the rows of the file, and no others: what differs is written, rows that are not in the file are deleted.
 * tenant: of rows that name none. dry: as with files. Codes of market_reference_read, of the log. */
int market_reference_load(const struct weir__load_config *config, const struct weir__config *settings,
                          const char *path, const char *tenant, bool dry, struct market_reference_counts *ret,
                          struct weir_error *reterr);

/* ---- the command line (cmd_load.c) ---- */

extern const struct weir__command market_command_load, market_command_local, market_command_diff,
    market_command_generate, market_command_migrate, market_command_reconcile, market_command_quality,
    market_command_rebuild, market_command_audit, market_command_topic;

/* --from and --to of a command, us; both are needed. WEIR_BAD_ARGUMENT. */
int market_read_window(const struct weir__args *args, int64_t *ret_from, int64_t *ret_to, struct weir_error *reterr);

/* weir__program's prepare and load_files. */
int market_prepare(const struct weir__program *program, const struct weir__load_config *config,
                   const struct weir__args *args, struct weir_error *reterr);
int market_load_words(const struct weir__program *program, const struct weir__load_config *config,
                      const struct weir__args *args, const char *const *paths, size_t count,
                      struct weir_error *reterr);

/* ---- renamed.c ---- */

/* A topology by the settings; weir__plans_fini frees it, after a failure too. The topic of one of its sources or sinks. */
int         market_topics_open(const struct weir__program *program, const struct weir_topology *topology,
                               struct weir__plans *ret, struct weir_error *reterr);
const char *market_topic_of(const struct weir__plans *plans, const char *node);

#endif
