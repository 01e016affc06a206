/* test_flows.c: tells every story, in memory and on RocksDB, with and without a crash after each step.
 *
 *     build/test/scenario/test_flows                        all of them
 *     build/test/scenario/test_flows FILE.flow...           these, and what is wrong with them
 */
#include "statestores/engines.h"
#include "test/scenario/stories.h"

static bool in_memory(const struct flow *flow, const char *name, bool crashes, struct weir__buf *complaint)
{
    struct flow_mode mode = { .name = name, .engines = weir_engines, .crashes = crashes };

    return flow_play(flow, &mode, complaint);
}

static bool on_rocksdb(const struct flow *flow, const char *name, bool crashes, struct weir__buf *complaint)
{
    struct flow_mode mode = { .name = name, .engines = weir_engines, .crashes = crashes };

    return stories_play_in_dir(flow, mode, complaint);
}

static bool tell(const struct flow *flow, struct weir__buf *complaint)
{
    bool crashes = flow_crashes(flow);

    return in_memory(flow, "in memory", false, complaint) &&
           (!crashes || in_memory(flow, "with crashes", true, complaint)) &&
           on_rocksdb(flow, "on RocksDB", false, complaint) &&
           (!crashes || on_rocksdb(flow, "on RocksDB, with crashes", true, complaint));
}

int main(int argc, char **argv)
{
    (void)argc;
    return stories_run("flows", tell, argv);
}
