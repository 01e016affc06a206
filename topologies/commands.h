/* commands.h: the commands of data-processing, and loading. */
#ifndef TOPOLOGIES_COMMANDS_H
#define TOPOLOGIES_COMMANDS_H

#include "framework/main/commands.h"
#include "topologies/topologies.h"

/* Loads files; makes the topics that are not there. Progress is shown on a terminal, each file's end said in the log.
 * options: progress and arg are set here. *ret_sent: events committed now. WEIR_REJECTED: files were refused, the others
 * are loaded; WEIR_AGAIN: config->stop was set; codes of the log and of market_load. */
int market_load_files(const struct weir__load_config *config, const struct weir__config *settings,
                      struct market_load_options *options, const char *const *paths, size_t count, uint64_t *ret_sent,
                      struct weir_error *reterr);

/* ---- the command line (cmd_load.c) ---- */

extern const struct weir__command market_command_load, market_command_local, market_command_diff,
    market_command_generate;
/* weir__program's load_files. */
int market_load_words(const struct weir__program *program, const struct weir__load_config *config,
                      const struct weir__args *args, const char *const *paths, size_t count,
                      struct weir_error *reterr);

#endif
