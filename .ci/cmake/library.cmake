# library.cmake: the forms the objects are given out in, and what `cmake --install` puts where.
include(CMakePackageConfigHelpers)

set(public_headers framework/weir.h framework/declare.h framework/json.h framework/driver.h framework/http.h framework/main.h
    framework/outlet.h framework/query.h framework/settings.h statestores/engines.h)

# Inside the tree, too, <weir/...> means the public headers.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/weir)
foreach(header ${public_headers})
    get_filename_component(name ${header} NAME)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${header} ${PROJECT_BINARY_DIR}/include/weir/${name} SYMBOLIC)
endforeach()

target_include_directories(weir_objects PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include)
target_compile_definitions(weir_objects PRIVATE WEIR_VERSION="${PROJECT_VERSION}")
target_link_libraries(weir_objects PRIVATE weir_flags weir_parts Threads::Threads)

# weir_internal: the objects as they are, for our own programs and tests, which see weir__ symbols.
add_library(weir_internal STATIC $<TARGET_OBJECTS:weir_objects>)
set_target_properties(weir_internal PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib LINKER_LANGUAGE C)
target_link_libraries(weir_internal PUBLIC weir_parts Threads::Threads m)

# libweir.so: exports weir_ and nothing else.
set(map ${PROJECT_SOURCE_DIR}/.ci/cmake/weir.map)
add_library(weir SHARED $<TARGET_OBJECTS:weir_objects>)
set_target_properties(weir PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${map}
    LINKER_LANGUAGE C)
target_link_options(weir PRIVATE -Wl,--version-script=${map})
if(NOT WEIR_SANITIZE) # whose run time is in the program
    target_link_options(weir PRIVATE -Wl,-z,defs)
endif()
target_link_libraries(weir PRIVATE weir_flags $<BUILD_INTERFACE:weir_parts> Threads::Threads m)

# libweir.a: one object in which what is hidden is local, so that it cannot meet a user's own names.
if(WEIR_SANITIZE)
    add_library(weir_static STATIC $<TARGET_OBJECTS:weir_objects>)
else()
    set(joined ${PROJECT_BINARY_DIR}/lib/weir.o)
    add_custom_command(OUTPUT ${joined}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/lib
        COMMAND ${CMAKE_LINKER} -r -o ${joined} $<TARGET_OBJECTS:weir_objects>
        COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${joined}
        DEPENDS weir_objects $<TARGET_OBJECTS:weir_objects> COMMAND_EXPAND_LISTS VERBATIM
        COMMENT "Joining the objects of libweir.a")
    add_library(weir_static STATIC ${joined})
endif()
set_target_properties(weir_static PROPERTIES OUTPUT_NAME weir LINKER_LANGUAGE C)
target_link_libraries(weir_static PUBLIC $<BUILD_INTERFACE:weir_parts> Threads::Threads m)
foreach(library ${weir_parts_LIBRARIES})
    target_link_libraries(weir_static INTERFACE $<INSTALL_INTERFACE:${library}>)
endforeach()

foreach(library weir weir_static)
    target_include_directories(${library} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

install(TARGETS weir weir_static EXPORT weirTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir)

# The prefix is found from where weir.pc lies, so `cmake --install --prefix` may name another than the configured one.
file(RELATIVE_PATH PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" PREFIX_FROM_PC ${PREFIX_FROM_PC})
configure_file(${PROJECT_SOURCE_DIR}/.ci/cmake/weir.pc.in ${PROJECT_BINARY_DIR}/weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
configure_package_config_file(${PROJECT_SOURCE_DIR}/.ci/cmake/weirConfig.cmake.in
    ${PROJECT_BINARY_DIR}/weirConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/weirConfig.cmake ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
    DESTINATION ${package_dir})
