/* logging/logging.h: messages for people: one line each, logfmt or JSON, on standard error.
 *
 * (1) Only runtime, main, the test driver and the threads of the audit trail log; other folders return errors.
 * (2) A line has time, level, message id (stable, kebab-case), then key=value pairs in the order given.
 * (3) Any thread; a line is written whole.
 */
#ifndef WEIR_LOGGING_H
#define WEIR_LOGGING_H

#include "framework/base/base.h"

enum weir__level { WEIR__DEBUG, WEIR__INFO, WEIR__WARN, WEIR__ERROR };

/* level, json: from configuration (log.level, log.format). fd: where to. */
void weir__log_setup(enum weir__level level, bool json, int fd);

/* weir__say(WEIR__INFO, "restore-done", "store", "s", "counts_s", "records", "i", n, "seconds", "f", x, NULL):
 * triples of name, type letter (s text, i int64_t, u uint64_t, f double, b bool as int), value; NULL ends. */
void weir__say(enum weir__level level, const char *id, ...);
/* An error's code name, where and text, under the given id. */
void weir__say_error(enum weir__level level, const char *id, const struct weir_error *err);

/* Whether messages go to a terminal; there, a last line that the next call overwrites and that messages push down. NULL
 * takes it away. */
bool weir__shows(void);
void weir__show(const char *text);
/* "[####......]  40 %", of nothing 100 %; in `to`, which is returned. */
#define WEIR__BAR_BYTES 48
const char *weir__bar(int64_t done, int64_t all, char to[static WEIR__BAR_BYTES]);

#endif
