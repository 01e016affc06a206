// headers.cc: every public header is C++17 as well, and a topology's structs can be filled from there.
#include <weir/declare.h>
#include <weir/driver.h>
#include <weir/engines.h>
#include <weir/http.h>
#include <weir/json.h>
#include <weir/main.h>
#include <weir/query.h>
#include <weir/weir.h>

#include <cstdio>

int main()
{
    weir_topology topology = {};
    char         *text = nullptr;
    weir_error    error = {};

    topology.name = "empty";
    int err = weir_describe(&topology, nullptr, &text, &error);
    std::printf("%s %s\n", weir_code_name(err), weir_engines != nullptr ? "engines" : "none");
    weir_text_free(text);
    return 0;
}
