/* stories.h: a check for each story of this folder. */
#ifndef WEIR_TEST_STORIES_H
#define WEIR_TEST_STORIES_H

#include "test/scenario/flow.h"

/* Tells one story. False: complaint says where and why. */
typedef bool stories_tell(const struct flow *flow, struct weir__buf *complaint);

/* Plays a story in a folder of its own, which is gone afterwards. */
bool stories_play_in_dir(const struct flow *flow, struct flow_mode mode, struct weir__buf *complaint);
/* With files in argv these, and what is wrong with them; without, all stories of the folder as checks of libcheck. Gives
 * the program's exit code. */
int stories_run(const char *suite, stories_tell *tell, char **argv);

#endif
