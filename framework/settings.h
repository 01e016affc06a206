/* settings.h: settings of a program's own, and how the configuration in force is asked.
 *
 * (1) What a topology names in .settings is a setting as weir's own are: given as a flag, in a file or as a variable,
 *     checked when it is given, and listed by "help".
 * (2) Two topologies of a program may name the same table. A name has one row in a program.
 */
#ifndef WEIR_SETTINGS_H
#define WEIR_SETTINGS_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

enum weir_setting_type {
    WEIR_SETTING_TEXT,
    WEIR_SETTING_INT,
    WEIR_SETTING_DURATION,
    WEIR_SETTING_SIZE,
    WEIR_SETTING_BOOL,
    WEIR_SETTING_CHOICE
};

struct weir_setting {
    const char *name; /* "redis.url": no capitals, no underscores. What ends in "password" is not printed. */
    enum weir_setting_type type;
    const char            *standard; /* default, as text; NULL = none */
    int64_t                min, max; /* INT, DURATION (ms), SIZE (bytes) */
    const char            *choices;  /* CHOICE: "a|b|c" */
    const char            *meaning;  /* one sentence for "help" and the docs */
};

struct weir_settings; /* the configuration in force */

/* A setting's value as it is written, NULL = not given and without default; a number, a duration in ms, a size in bytes, true
 * as 1, a choice by its place. A name that is no setting of the program ends the process. Any thread. */
WEIR_API const char                 *weir_settings_text(const struct weir_settings *settings, const char *name);
WEIR_API int64_t                     weir_settings_number(const struct weir_settings *settings, const char *name);
WEIR_API const struct weir_settings *weir_settings_of(struct weir_context *ctx);

#ifdef __cplusplus
}
#endif

#endif
