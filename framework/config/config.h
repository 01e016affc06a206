/* config/config.h: every setting, declared once; read from file, environment and flags.
 *
 * (1) A key stands in one table, weir's or the program's own, with its type, default, bounds and sentence; --help, docs/configuration.md and the
 *     checks are made from it.
 * (2) Order of strength: flag, then environment, then file, then default. An unknown key is an error that names the
 *     nearest known one.
 * (3) "<topology>.<node or store>.<field>" overrides a declared field; it is checked when the topology is compiled.
 * (4) "kafka.<name>" passes through.
 * (5) "<key>.file" names a file with the value of a secret, or of what may have one inside (.url, .dsn).
 */
#ifndef WEIR_CONFIG_H
#define WEIR_CONFIG_H

#include "framework/base/base.h"
#include "framework/settings.h"

struct weir__config;

/* weir's own, in the order of the docs, ended by a NULL name. */
extern const struct weir_setting weir__settings[];

/* A field that an override may set. */
struct weir__field {
    const char *name, *of; /* of: the nodes and stores that have it */
    const char *value;     /* what it takes */
    const char *meaning;
};
extern const struct weir__field weir__fields[]; /* ended by a NULL name */

/* topologies: names whose overrides are legal, NULL-ended. own: the tables of settings that they name, NULL-ended, any of
 * them several times; NULL = none. WEIR_NO_MEMORY; WEIR_BAD_TOPOLOGY: a row that cannot be, such as a second one of a name. */
int  weir__config_new(const char *const *topologies, const struct weir_setting *const *own, struct weir__config **ret,
                      struct weir_error *reterr);
void weir__config_free(struct weir__config *config);
/* File: "key = value" lines, # comments. Errors name file and line. */
int weir__config_read_file(struct weir__config *config, const char *path, struct weir_error *reterr);
/* WEIR_COMMIT_INTERVAL_MS and so on: "WEIR_" + key upper-case, dots to underscores. Unknown WEIR_ variables are errors. */
int weir__config_read_env(struct weir__config *config, char *const *env, struct weir_error *reterr);
/* One flag "key=value" (the dashes taken off). */
int weir__config_set(struct weir__config *config, const char *key, const char *value, const char *where,
                     struct weir_error *reterr);
/* The n-th setting, weir's own first; NULL past the end. */
const struct weir_setting *weir__config_setting(const struct weir__config *config, size_t n);
/* As verbs and outlets see it. */
const struct weir_settings *weir__config_public(const struct weir__config *config);
const struct weir__config  *weir__config_behind(const struct weir_settings *settings);
/* Whether somebody set a known key: its value in force is not the default. */
bool weir__config_given(const struct weir__config *config, const char *key);
/* A known key's value in force; asking for an unknown key is a CHECK failure. */
const char *weir__config_text(const struct weir__config *config, const char *key);
/* What is in force of a key now: one that was given as a file is read again. The text with its end in ret, to be wiped by
 * weir__secret_fini. WEIR_NOTHING: it is not given; WEIR_NOTFOUND, WEIR_IO, WEIR_BAD_CONFIG: the file cannot be read. */
int weir__config_secret(const struct weir__config *config, const char *key, struct weir__buf *ret,
                        struct weir_error *reterr);
/* The text of a file with a secret, without the end of its last line. */
int  weir__secret_read(const char *path, struct weir__buf *ret, struct weir_error *reterr);
void weir__secret_fini(struct weir__buf *secret);
/* The file that a key was given as; NULL = none. */
const char *weir__config_file(const struct weir__config *config, const char *key);
/* Whether a key's value is a secret, or has a password inside: it is for nobody's eyes. */
bool weir__config_hides(const char *key, const char *value);
/* Whether any value in force is such a one. */
bool weir__config_has_secrets(const struct weir__config *config);
/* Whether there is such a setting, or "<key>.file" of one that may be given so. */
bool    weir__config_takes(const struct weir__config *config, const char *key);
int64_t weir__config_int(const struct weir__config *config, const char *key); /* INT, DURATION, SIZE */
bool    weir__config_bool(const struct weir__config *config, const char *key);
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
/* Help text of all settings; markdown for docs/configuration.md, where the program's own have a table of their own. */
void weir__config_help(const struct weir__config *config, struct weir__buf *ret);
void weir__config_markdown(const struct weir__config *config, struct weir__buf *ret);
/* The settings in force that are not defaults, secrets masked, for the start-up log. */
void weir__config_print(const struct weir__config *config, struct weir__buf *ret);
/* ---- variables.c: variables of another name than WEIR_..., from before a program had settings ---- */

/* name: a '*' at its end stands for any rest. key: a setting, "kafka.<name>" or an override; NULL: it means nothing, for the
 * reason given. form: how its value is written there, {} = it, {NAME|otherwise} = another variable's; NULL = as it is.
 * words: "warning=warn|critical=error" for values that have another name here, in any case of letters; NULL = none. */
struct weir__variable {
    const char *name, *key, *form, *words, *reason;
};
struct weir__variables {
    const struct weir__variable *items;    /* ended by a NULL name; the first that fits counts */
    const char *const           *prefixes; /* of all such variables, NULL-ended */
};
/* Weaker than WEIR_ variables, stronger than a file; of several with one key the first of the table. Empty is not given. A value
 * that its setting refuses: WEIR_BAD_CONFIG names the variable. */
int weir__config_read_variables(struct weir__config *config, char *const *env,
                                const struct weir__variables *variables, struct weir_error *reterr);
/* The next one of env, from *at (0 first) on, that is given and means nothing, or is not known; false: no more. */
struct weir__idle_variable {
    const char *name; /* size bytes of env */
    size_t      size;
    const char *why;
};
bool weir__variables_idle(const struct weir__variables *variables, char *const *env, size_t *at,
                          struct weir__idle_variable *ret);
/* The rows of a page's table. */
void weir__variables_markdown(const struct weir__variables *variables, struct weir__buf *ret);

#endif
