/* cmd_schemas.c: `schemas`: what the records, ids and reasons are, as docs/schemas.md. */
#include "framework/main/commands.h"
#include "topologies/topologies.h"

static int run_schemas(struct weir__program *program, const struct weir__args *args)
{
    AUTO(weir__buf_fini) struct weir__buf page = { 0 };

    (void)program;
    if (args->word_count > 0)
        return weir__report(&(struct weir_error){
            .code = WEIR_BAD_ARGUMENT, .where = "schemas", .text = "it takes no words: leave them out" });
    market_document(&page);
    if (!weir__buf_ok(&page))
        return weir__exit_of(WEIR_NO_MEMORY);
    fwrite(page.data, 1, page.size, stdout);
    return WEIR__EXIT_OK;
}

static const struct weir__flag no_flags[] = { { .name = NULL } };
const struct weir__command     market_command_schemas = {
        .name = "schemas",
        .usage = "schemas",
        .meaning = "Prints records, instrument ids, quality flags and reasons of refusal as Markdown.",
        .flags = no_flags,
        .run = run_schemas,
};
