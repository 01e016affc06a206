/* open.h: what the command line needs of the test driver beside its public header. */
#ifndef WEIR_DRIVER_OPEN_H
#define WEIR_DRIVER_OPEN_H

#include "framework/config/config.h"
#include "framework/driver.h"

/* As weir_driver_open, with settings, borrowed until the driver is freed, in place of config's file and settings. */
int weir__driver_open(const struct weir_topology *topology, const struct weir_driver_config *config,
                      const struct weir__config *settings, const struct weir_engines *engines,
                      struct weir_driver **ret, struct weir_error *reterr);

#endif
