# rules.cmake: what a folder of the tree becomes. Everything is found by glob: a new file needs no edit here.

# weir_module(folder): its sources go into the library.
function(weir_module folder)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
    target_sources(weir_objects PRIVATE ${sources})
endfunction()

# weir_archive(target folder): all sources below folder except its main.c, for our own programs.
function(weir_archive target folder)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${folder}/main.c)
    if(sources)
        add_library(${target} STATIC ${sources})
        set_target_properties(${target} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
        target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include)
        target_link_libraries(${target} PRIVATE weir_flags PUBLIC weir_internal)
        if(TARGET ${target}_parts)
            target_link_libraries(${target} PUBLIC ${target}_parts)
        endif()
    endif()
endfunction()

# weir_program(name source...): a program that sees the whole tree.
function(weir_program name)
    add_executable(${name} ${ARGN})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include)
    target_link_libraries(${name} PRIVATE weir_flags)
    foreach(archive weir_topologies weir_schemas)
        if(TARGET ${archive})
            target_link_libraries(${name} PRIVATE ${archive})
        endif()
    endforeach()
    target_link_libraries(${name} PRIVATE weir_internal)
endfunction()

# FOLDER/NAME.c or FOLDER/NAME/*.c becomes build/FOLDER/NAME, against the public headers and libweir.a alone: examples, and
# programs that tests run.
function(weir_users folder)
    file(GLOB entries CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c ${PROJECT_SOURCE_DIR}/${folder}/*/*.c)
    set(names)
    foreach(source ${entries})
        file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/${folder} ${source})
        string(REGEX REPLACE "(/.*|\\.c)$" "" name ${path})
        list(APPEND names ${name})
        list(APPEND sources_of_${name} ${source})
    endforeach()
    list(REMOVE_DUPLICATES names)
    foreach(name ${names})
        add_executable(user-${name} ${sources_of_${name}})
        set_target_properties(user-${name} PROPERTIES
            OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
        target_link_libraries(user-${name} PRIVATE weir_flags weir_static)
    endforeach()
endfunction()

# Each bench/NAME.c is a program, build/bench/NAME; those that need a broker, build/bench-kafka/NAME.
function(weir_benches)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        weir_program(bench-${name} ${source})
        set(folder bench)
        if(name MATCHES "^kafka_")
            set(folder bench-kafka)
        endif()
        set_target_properties(bench-${name} PROPERTIES
            OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
    endforeach()
endfunction()

# weir_tests(kind): each test/KIND/test_*.c is one program and one ctest, run from the top of the tree; the other
# sources there and one folder below belong to all of them.
function(weir_tests kind)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/${kind}/test_*.c)
    file(GLOB shared CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/${kind}/*.c ${PROJECT_SOURCE_DIR}/test/${kind}/*/*.c)
    list(FILTER shared EXCLUDE REGEX "/test_[^/]*\\.c$")
    set(seconds 300)
    set(times 20) # check's own limit of 4 s is for idle machines and plain builds
    if(WEIR_SANITIZE) # .ci/run lets these wait for a core
        set(seconds 1500)
        set(times 200)
    endif()
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        weir_program(${name} ${source} ${shared})
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/${kind})
        target_link_libraries(${name} PRIVATE weir_test_parts)
        add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${name} PROPERTIES LABELS ${kind} TIMEOUT ${seconds}
            ENVIRONMENT CK_TIMEOUT_MULTIPLIER=${times})
    endforeach()
endfunction()

# weir_test_tool(name): the sources of test/NAME are one program, build/test/NAME/NAME.
function(weir_test_tool name)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/${name}/*.c)
    if(sources)
        weir_program(${name} ${sources})
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/${name})
        target_link_libraries(${name} PRIVATE weir_test_parts)
    endif()
endfunction()

# weir_fuzzers(): each test/fuzz/fuzz_*.c is a program that takes files, build/test/fuzz/fuzz_*; its head says how it is
# built for libFuzzer.
function(weir_fuzzers)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/fuzz/fuzz_*.c)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        weir_program(${name} ${source} test/fuzz/take_files.c)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/fuzz)
        target_link_libraries(${name} PRIVATE weir_test_parts)
    endforeach()
endfunction()

# weir_migrations(target folder): the SQL below folder, as tables of C in target.
function(weir_migrations target folder)
    file(GLOB_RECURSE texts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.sql)
    set(made ${PROJECT_BINARY_DIR}/migrations.c)
    set(maker ${PROJECT_SOURCE_DIR}/.ci/cmake/migrations.cmake)
    add_custom_command(OUTPUT ${made} DEPENDS ${texts} ${maker}
        COMMAND ${CMAKE_COMMAND} -DTO=${made} -DFROM=${PROJECT_SOURCE_DIR}/${folder} -P ${maker})
    target_sources(${target} PRIVATE ${made})
endfunction()
