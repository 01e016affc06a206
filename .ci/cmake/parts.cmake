# parts.cmake: the foreign libraries. Debian 12's versions are the floor.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# weir_part(target module...): an interface target for pkg-config modules, by plain library names, so that nothing of
# this machine's paths gets into an installed package.
function(weir_part target)
    pkg_check_modules(${target} REQUIRED ${ARGN})
    add_library(${target} INTERFACE)
    target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE_DIRS})
    target_link_directories(${target} INTERFACE ${${target}_LIBRARY_DIRS})
    target_link_libraries(${target} INTERFACE ${${target}_LIBRARIES})
endfunction()

weir_part(weir_parts rocksdb>=7.8.3 libxxhash>=0.8 zlib libevent_core>=2.1 libevent_openssl>=2.1 openssl>=3.0 rdkafka>=2.0.2)
# For weir.pc. librdkafka stands there as -lrdkafka: the private libraries that its own file names come with other packages.
set(WEIR_PART_MODULES "rocksdb libxxhash zlib libevent_core libevent_openssl openssl")
weir_part(weir_schemas_parts msgpack>=4.0) # of the pipeline's program, not of the library
weir_part(weir_topologies_parts libpq>=15.0 hiredis>=0.14 libcurl>=7.88) # the same

if(WEIR_TESTS STREQUAL AUTO)
    pkg_check_modules(weir_test_probe QUIET check jansson)
    set(WEIR_TESTS OFF)
    if(weir_test_probe_FOUND)
        set(WEIR_TESTS ON)
    endif()
endif()
if(WEIR_TESTS)
    weir_part(weir_test_parts check>=0.15 jansson>=2.14)
endif()
