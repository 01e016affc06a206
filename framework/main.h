/* main.h: a whole command line for any user's binary: `return weir_main(argc, argv, topologies, weir_engines);` */
#ifndef WEIR_MAIN_H
#define WEIR_MAIN_H

#include "declare.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weir_engines;

/* topologies: NULL-ended. Runs the command of argv (`--help` lists them) and returns the process's exit code
 * (docs/exit-codes.md). Call it once, from main, before any thread is started. */
WEIR_API int weir_main(int argc, char **argv, const struct weir_topology *const *topologies,
                       const struct weir_engines *engines);

#ifdef __cplusplus
}
#endif

#endif
