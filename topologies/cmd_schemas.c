/* cmd_schemas.c: `schemas`: what the records, ids and reasons are, as docs/schemas.md. */
#include "framework/main/commands.h"
#include "topologies/topologies.h"

static int write_page(const struct weir__buf *page)
{
    if (!weir__buf_ok(page))
        return WEIR_NO_MEMORY;
    return fwrite(page->data, 1, page->size, stdout) == page->size && fflush(stdout) == 0 ? WEIR_OK : WEIR_IO;
}

static int run_schemas(struct weir__program *program, const struct weir__args *args)
{
    struct weir__buf page = { 0 };
    int              err;

    (void)program, (void)args;
    market_document(&page);
    err = write_page(&page);
    weir__buf_fini(&page);
    return weir__exit_of(err);
}

static const struct weir__flag no_flags[] = { { .name = NULL } };
const struct weir__command     market_command_schemas = {
        .name = "schemas",
        .usage = "schemas",
        .meaning = "Prints records, instrument ids, quality flags and reasons of refusal as Markdown.",
        .flags = no_flags,
        .run = run_schemas,
};
