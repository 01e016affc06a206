/* main.c: data-processing: the four topologies and the commands of the pipeline. */
#include "statestores/engines.h"
#include "topologies/audit.h"
#include "topologies/commands.h"

int main(int argc, char **argv)
{
    static const struct weir_topology *const topologies[] = { &normalization, &enrichment, &aggregation, &projection,
                                                              NULL };
    static const struct weir__command *const commands[] = {
        &market_command_local,   &market_command_load,      &market_command_diff,    &market_command_generate,
        &market_command_migrate, &market_command_reconcile, &market_command_quality, &market_command_rebuild,
        &market_command_audit,   &market_command_topic,     &market_command_schemas, NULL
    };
    struct weir__program program = { .topologies = topologies,
                                     .application = "data-processing",
                                     .commands = commands,
                                     .retention_bytes = INT64_C(10) << 30,
                                     .explaining = &market_explaining,
                                     .variables = &market_variables,
                                     .prepare = market_prepare,
                                     .load_files = market_load_words,
                                     .open_audit = market_audit_open };

    program.engines = weir_engines;
    return weir__main(argc, argv, &program);
}
