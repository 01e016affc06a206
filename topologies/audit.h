/* audit.h: the pipeline's audit trail: its settings, its writers, and how both are read again.
 *
 * (1) The table and the topic have the same events, with the same hashes; either may be there without the other.
 */
#ifndef TOPOLOGIES_AUDIT_H
#define TOPOLOGIES_AUDIT_H

#include "framework/audit/audit.h"
#include "framework/main/commands.h"

/* weir__program's open_audit. WEIR_BAD_CONFIG: it is wanted, and there is nowhere to write to. */
int market_audit_open(const struct weir__program *program, struct weir__audit **ret, struct weir_error *reterr);

/* ---- keys of the seal: lines of the setting audit.key ---- */

/* *ret: NULL where there is none. WEIR_BAD_CONFIG: one is too short. */
int  market_audit_keys(const struct weir__config *config, const char **ret, struct weir_error *reterr);
bool market_audit_next_key(const char **at, struct weir_text *ret);

/* ---- writers; WEIR_NOTHING: it is not configured ---- */

int market_audit_table(const struct weir__program *program, struct weir__audit_writer *ret,
                       struct weir_error *reterr);
int market_audit_topic(const struct weir__program *program, struct weir__audit_writer *ret,
                       struct weir_error *reterr);

/* ---- readers: all that is there, in any order, also twice; WEIR_NOTHING: it is not configured ---- */

typedef int market_take_event(void *arg, const struct weir__audit_event *event, struct weir_error *reterr);
int         market_audit_read_table(const struct weir__program *program, market_take_event *take, void *arg,
                                    struct weir_error *reterr);
int         market_audit_read_topic(const struct weir__program *program, market_take_event *take, void *arg,
                                    struct weir_error *reterr);

#endif
