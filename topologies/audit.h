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
