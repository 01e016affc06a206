/* minute_bars.c: the example as it is. */
#include "test/scenario/flow.h"

#define main minute_bars_main
int minute_bars_main(int argc, char **argv);
#include "examples/minute_bars.c"
#undef main

FLOW(minute_bars);
