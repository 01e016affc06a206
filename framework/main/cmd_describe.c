/* cmd_describe.c: `describe`, `version` and `run`: what the program is, and what it does not do yet. */
#define _GNU_SOURCE
#include <link.h>

#include "framework/main/commands.h"

#include <gnu/libc-version.h>
#include <limits.h>
#include <stdlib.h>

static const struct weir__flag no_flags[] = { { .name = NULL } };

/* ---- describe ---- */

static int choose_form(const struct weir__args *args, enum weir__form *ret, struct weir_error *reterr)
{
    const char *wanted = weir__args_value(args, "as", "text");

    if (weir__form_read(wanted, ret))
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--as", "\"%.40s\" is no form: " WEIR__FORMS, wanted);
}

static int print_plan(const struct weir__plan *plan, enum weir__form form, bool titled, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    int                                   err = weir__plan_print(plan, form, &text);

    if (err < 0 || !weir__buf_ok(&text))
        return weir__fail(reterr, WEIR_NO_MEMORY, plan->topology->name, "the topology cannot be printed");
    if (titled && (form == WEIR__AS_TEXT || form == WEIR__AS_FULL))
        printf("# %s\n", plan->topology->name);
    fwrite(text.data, 1, text.size, stdout);
    return WEIR_OK;
}

static int run_describe(struct weir__program *program, const struct weir__args *args)
{
    const struct weir_topology **topologies = NULL;
    struct weir__plans           plans = { 0 };
    struct weir_error            words = { 0 };
    enum weir__form              form = WEIR__AS_TEXT;
    size_t                       count;
    int err = weir__choose_topologies(program, args->words, args->word_count, &topologies, &count, &words);

    if (err == WEIR_OK)
        err = choose_form(args, &form, &words);
    if (err == WEIR_OK)
        err = weir__plans_make(program, topologies, count, &plans, &words);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = print_plan(plans.items[i], form, count > 1, &words);
    weir__plans_fini(&plans);
    weir__free(topologies);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag describe_flags[] = {
    { .name = "as",
      .value = "FORM",
      .meaning =
          "text (default, Kafka Streams' form), full (with types and stores), dot or mermaid (pictures), json (a topology a line)" },
    { .name = NULL }
};

const struct weir__command weir__command_describe = {
    .name = "describe",
    .usage = "describe [--as FORM] [TOPOLOGY...]",
    .meaning = "Prints what a topology is compiled to, configuration applied.",
    .flags = describe_flags,
    .run = run_describe
};

/* ---- version ---- */

/* "librocksdb.so.7.8.3" gives "librocksdb 7.8.3"; what has no version in its name is left out. */
static int add_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    char  path[PATH_MAX];
    char *name, *version;

    (void)size;
    if (info->dlpi_name == NULL || realpath(info->dlpi_name, path) == NULL)
        return 0;
    name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    version = strstr(name, ".so.");
    if (version == NULL || strchr(version + 4, '.') == NULL)
        return 0;
    *version = '\0';
    weir__buf_printf(arg, ", %s %s", name, version + 4);
    return 0;
}

void weir__libraries(const struct weir__program *program, struct weir__buf *ret)
{
    weir__buf_printf(ret, "weir %s, glibc %s", WEIR_VERSION, gnu_get_libc_version());
    dl_iterate_phdr(add_library, ret);
    if (program->engines->kafka != NULL && program->engines->kafka->library != NULL)
        weir__buf_printf(ret, ", %s", program->engines->kafka->library());
}

static int run_version(struct weir__program *program, const struct weir__args *args)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };

    if (args->word_count > 0)
        return weir__report(&(struct weir_error){
            .code = WEIR_BAD_ARGUMENT, .where = "version", .text = "it takes no words: leave them out" });
    weir__libraries(program, &text);
    weir__buf_putc(&text, '\0');
    if (!weir__buf_ok(&text))
        return WEIR__EXIT_FATAL;
    for (char *at = strtok(text.data, ","); at != NULL; at = strtok(NULL, ",")) /* a line each */
        puts(at + strspn(at, " "));
    return WEIR__EXIT_OK;
}

const struct weir__command weir__command_version = { .name = "version",
                                                     .usage = "version",
                                                     .meaning =
                                                         "Prints the versions of weir and of the libraries in use.",
                                                     .flags = no_flags,
                                                     .run = run_version };
