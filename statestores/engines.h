/* engines.h: the engines that come with weir: state in RocksDB or memory, the embedded log. */
#ifndef WEIR_ENGINES_H
#define WEIR_ENGINES_H

#ifdef __cplusplus
extern "C" {
#endif

struct weir_engines;

/* What weir_main and weir_driver_open are given. Constant; any thread. */
extern const struct weir_engines *const weir_engines;

#ifdef __cplusplus
}
#endif

#endif
