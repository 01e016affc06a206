# settings.cmake: how everything is compiled, carried by the interface target weir_flags.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
# No NDEBUG: beliefs are checked in production too.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")

set(WEIR_SANITIZE "" CACHE STRING "value of -fsanitize, empty for none: address,undefined or thread")
set(WEIR_TESTS AUTO CACHE STRING "build the tests: ON, OFF, or AUTO (where libcheck and jansson are installed)")
option(WEIR_WERROR "treat warnings as errors" ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT DEFINED CMAKE_C_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE
    -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wimplicit-fallthrough -Wvla -Wundef
    -Wwrite-strings $<$<BOOL:${WEIR_WERROR}>:-Werror>)

function(weir_flag_if_known flag)
    string(MAKE_C_IDENTIFIER "HAVE${flag}" known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
        target_compile_options(weir_flags INTERFACE ${flag})
    endif()
endfunction()

if(WEIR_SANITIZE)
    target_compile_options(weir_flags INTERFACE
        -O1 -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
else()
    target_compile_options(weir_flags INTERFACE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
weir_flag_if_known(-fstack-protector-strong)
weir_flag_if_known(-fstack-clash-protection)
weir_flag_if_known(-fcf-protection)

target_link_options(weir_flags INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
