/* narrow.c: what comes in goes on to three topics, each of which refuses something that a record may be: large, of the future,
 * without a key. And what is fleeting goes to a topic that keeps a second. */
#include <weir/engines.h>
#include <weir/main.h>

#define SETTING(text) \
    .settings = (const char *const[]) { text, NULL }

SOURCE(in, "in", weir_string, weir_string);
SINK(small, "small", weir_string, weir_string, SETTING("max.message.bytes=200000"));
SINK(recent, "recent", weir_string, weir_string, SETTING("message.timestamp.after.max.ms=3600000"));
SINK(keyed, "keyed", weir_string, weir_string, SETTING("cleanup.policy=compact"));
SINK(letters, "letters", weir_blob, weir_blob);
static TOPOLOGY(narrow, .dead_letters = letters, .paths = PATHS(PATH(in, small), PATH(in, recent), PATH(in, keyed)));

SOURCE(old, "old", weir_string, weir_string);
SINK(brief, "brief", weir_string, weir_string, SETTING("retention.ms=1000"));
static TOPOLOGY(fleeting, .paths = PATHS(PATH(old, brief)));

int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &narrow, &fleeting, NULL }, weir_engines);
}
