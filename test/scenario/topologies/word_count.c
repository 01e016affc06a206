/* word_count.c: the example as it is. */
#include "test/scenario/flow.h"

#define main word_count_main
int word_count_main(int argc, char **argv);
#include "examples/word_count.c"
#undef main

FLOW(word_count);
