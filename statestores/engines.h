/* engines.h: the engines that come with weir: state in RocksDB or memory, the embedded log. */
#ifndef WEIR_ENGINES_H
#define WEIR_ENGINES_H

#ifdef __cplusplus
extern "C" {
#endif

struct weir_engines;

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif
/* What weir_main and weir_driver_open are given. Constant; any thread. */
extern const struct weir_engines *const weir_engines;
#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
