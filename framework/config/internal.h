/* internal.h: what the files of config share: the values that were set, and by whom.
 *
 * (1) A value of a stronger rank is not replaced by one of a weaker; of two of the same rank the last one counts.
 */
#ifndef WEIR_CONFIG_INTERNAL_H
#define WEIR_CONFIG_INTERNAL_H

#include "framework/config/config.h"

enum weir__rank { WEIR__BY_DEFAULT, WEIR__BY_FILE, WEIR__BY_VARIABLE, WEIR__BY_ENV, WEIR__BY_FLAG };

struct weir__value {
    char           *text; /* NULL: the default's */
    char           *file; /* that it was read from; NULL = none */
    int64_t         number;
    enum weir__rank rank;
};

/* "<topology>.<element>.<field>" or "kafka.<name>". */
struct weir__pair {
    char           *key, *value, *where;
    enum weir__rank rank;
    bool            used; /* an override that was asked for */
};

struct weir__pairs {
    struct weir__pair *items;
    size_t             count, capacity;
};

struct weir__config {
    char                      **topologies; /* NULL-ended */
    const struct weir_setting **settings;   /* weir's own, then the program's */
    size_t                      setting_count;
    struct weir__value         *values; /* one for each of settings */
    struct weir__pairs          overrides, kafka;
    char                      **kafka_list; /* "name=value", in the order of kafka, NULL-ended */
};

#define WEIR__KAFKA "kafka."

/* Its place in settings, or the count when there is none. */
size_t weir__setting_index(const struct weir__config *config, const char *name);
/* The setting whose name may have been meant, or NULL. */
const char *weir__setting_nearest(const struct weir__config *config, const char *word);
/* Passwords and the like: their values are never printed. */
bool weir__setting_is_secret(const char *name);
/* Secrets, and what may have one inside: they may be given as the name of a file, "<key>.file". */
bool weir__setting_may_be_file(const char *name);
/* Checks text against the setting's type and bounds. WEIR_BAD_CONFIG. */
int weir__setting_parse(const struct weir_setting *setting, const char *text, int64_t *ret, const char *where,
                        struct weir_error *reterr);
/* "10m": a number in the setting's unit, as people write it. */
void weir__setting_number(const struct weir_setting *setting, int64_t number, struct weir__buf *ret);
/* "duration from 0 to 1d": what values a setting takes. */
void weir__setting_range(const struct weir_setting *setting, struct weir__buf *ret);
/* "WEIR_COMMIT_INTERVAL_MS". */
void weir__setting_variable(const char *name, struct weir__buf *ret);

int weir__config_set_as(struct weir__config *config, enum weir__rank rank, const char *key, const char *value,
                        const char *where, struct weir_error *reterr);

#endif
