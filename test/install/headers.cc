// headers.cc: every public header is C++17 as well, and a topology filled in C++ is described.
#include <weir/declare.h>
#include <weir/driver.h>
#include <weir/engines.h>
#include <weir/http.h>
#include <weir/json.h>
#include <weir/main.h>
#include <weir/outlet.h>
#include <weir/query.h>
#include <weir/settings.h>
#include <weir/weir.h>

#include <cstdio>
#include <cstring>

static const char *const from[] = { "in", nullptr };
static const char *const to[] = { "out", nullptr };

int main()
{
    weir_node source = {}, sink = {};
    source.name = "lines";
    source.kind = WEIR_SOURCE;
    source.topics = from;
    source.key = source.value = weir_string;
    sink.name = "copies";
    sink.kind = WEIR_SINK;
    sink.topics = to;

    const weir_node *const        path[] = { &source, &sink, nullptr };
    const weir_node *const *const paths[] = { path, nullptr };
    weir_topology                 topology = {};
    topology.name = "copy";
    topology.paths = paths;

    char      *text = nullptr;
    weir_error error = {};
    int        err = weir_describe(&topology, nullptr, &text, &error);
    if (err != WEIR_OK || std::strstr(text, "Sink: copies (topic: out)") == nullptr || weir_engines == nullptr) {
        std::printf("%s: %s %s\n", weir_code_name(err), error.text, text != nullptr ? text : "");
        return 1;
    }
    weir_text_free(text);
    return 0;
}
