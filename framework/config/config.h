/* config/config.h: every setting, declared once; read from file, environment and flags.
 *
 * (1) A key stands in one table with its type, default, bounds and sentence; --help, docs/configuration.md and the
 *     checks are made from it.
 * (2) Order of strength: flag, then environment, then file, then default. An unknown key is an error that names the
 *     nearest known one.
 * (3) "<topology>.<node or store>.<field>" overrides a declared field; it is checked when the topology is compiled.
 * (4) "kafka.<name>" passes through.
 */
#ifndef WEIR_CONFIG_H
#define WEIR_CONFIG_H

#include "framework/base/base.h"

struct weir__config;

enum weir__setting_type { WEIR__TEXT, WEIR__INT, WEIR__DURATION, WEIR__SIZE, WEIR__BOOL, WEIR__CHOICE };

struct weir__setting {
    const char             *name; /* "commit.interval.ms" */
    enum weir__setting_type type;
    const char             *standard; /* default, as text; NULL = none */
    int64_t                 min, max; /* INT, DURATION (ms), SIZE (bytes) */
    const char             *choices;  /* CHOICE: "a|b|c" */
    const char             *meaning;  /* one sentence for --help and the docs */
};
/* All settings, in the order of the docs, ended by a NULL name. */
extern const struct weir__setting weir__settings[];

/* A field that an override may set. */
struct weir__field {
    const char *name, *of; /* of: the nodes and stores that have it */
    const char *value;     /* what it takes */
    const char *meaning;
};
extern const struct weir__field weir__fields[]; /* ended by a NULL name */

/* topologies: names whose overrides are legal, NULL-ended. */
int  weir__config_new(const char *const *topologies, struct weir__config **ret);
void weir__config_free(struct weir__config *config);
/* File: "key = value" lines, # comments. Errors name file and line. */
int weir__config_read_file(struct weir__config *config, const char *path, struct weir_error *reterr);
/* WEIR_COMMIT_INTERVAL_MS and so on: "WEIR_" + key upper-case, dots to underscores. Unknown WEIR_ variables are errors. */
int weir__config_read_env(struct weir__config *config, char *const *env, struct weir_error *reterr);
/* One flag "key=value" (the dashes taken off). */
int weir__config_set(struct weir__config *config, const char *key, const char *value, const char *where,
                     struct weir_error *reterr);
/* Whether somebody set a known key: its value in force is not the default. */
bool weir__config_given(const struct weir__config *config, const char *key);
/* A known key's value in force; asking for an unknown key is a CHECK failure. */
const char *weir__config_text(const struct weir__config *config, const char *key);
int64_t     weir__config_int(const struct weir__config *config, const char *key); /* INT, DURATION, SIZE */
bool        weir__config_bool(const struct weir__config *config, const char *key);
/* An override, or NULL. Marks it as used. */
const char *weir__config_override(const struct weir__config *config, const char *topology, const char *element,
                                  const char *field);
/* An override that nothing asked for. */
struct weir__unused {
    const char *key, *where;     /* "<topology>.<element>.<field>"; file and line, or flag */
    const char *element, *field; /* inside key */
    size_t      element_size;
};
/* The next one of a topology, from *at (0 first) on; false: no more. */
bool weir__config_unused(const struct weir__config *config, const char *topology, size_t *at,
                         struct weir__unused *ret);
/* "kafka." pairs as name=value, NULL-ended, owned by config. */
const char *const *weir__config_kafka(const struct weir__config *config);
/* Help text of all settings; markdown for docs/configuration.md. */
void weir__config_help(struct weir__buf *ret);
void weir__config_markdown(struct weir__buf *ret);
/* The settings in force that are not defaults, secrets masked, for the start-up log. */
void weir__config_print(const struct weir__config *config, struct weir__buf *ret);

#endif
