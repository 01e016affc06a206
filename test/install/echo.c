/* echo.c: somebody else's topology, built outside the tree against the installed library. */
#include <weir/declare.h>
#include <weir/engines.h>
#include <weir/main.h>

SOURCE(words, "words", weir_string, weir_string);
SINK(echoed, "echoed", weir_string, weir_string);
TOPOLOGY(echo, .paths = PATHS(PATH(words, echoed)));

int main(int argc, char **argv) { return weir_main(argc, argv, LIST(struct weir_topology, &echo), weir_engines); }
