#!/bin/bash
# Installs the library into a folder of its own and builds a small topology against it from outside the tree, in every way
# that users have: pkg-config shared and static, CMake package, gcc and clang, C++.  BUILD: the build folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
prefix=$root/prefix work=$root/work

cmake --install "$build" --prefix "$prefix" >"$root/log" || { cat "$root/log"; exit 1; }
mkdir "$work"
cp test/install/echo.c test/install/headers.cc test/install/CMakeLists.txt "$work"
cd "$work"
library=$(dirname "$(find "$prefix" -name libweir.so)")
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library

# Both libraries give out weir_ and nothing else, and all that the headers promise.
promised=$(sed -nE 's/^WEIR_API [^(]*[ *](weir_[a-z0-9_]+)\(.*/\1/p' "$prefix"/include/weir/*.h | sort)
for file in "-D $library/libweir.so" "-g $library/libweir.a"; do
    # shellcheck disable=SC2086
    given=$(nm --defined-only $file | awk 'NF == 3 { print $3 }' | sort)
    if grep -vE '^weir_[a-z]' <<<"$given"; then
        echo "${file#-? } gives out the names above"
        exit 1
    fi
    absent=$(comm -23 <(echo "$promised") <(echo "$given"))
    [ -z "$absent" ] || { echo "${file#-? } has not what the headers promise: $absent"; exit 1; }
done

# runs PROGRAM: its command line works and prints the topology.
runs() {
    "$1" describe >"$root/said" 2>&1 || { echo "$1 describe: exit $?"; cat "$root/said"; exit 1; }
    grep -q 'Sub-topology: 0' "$root/said" || { echo "$1 describe says:"; cat "$root/said"; exit 1; }
    echo "ok $(basename "$1")"
}

warnings="-Wall -Wextra -Werror"
shared=$(pkg-config --cflags --libs weir)
static=$(pkg-config --static --cflags --libs weir)
for compiler in gcc clang-14; do
    # shellcheck disable=SC2086
    $compiler -std=gnu11 $warnings -o "shared-$compiler" echo.c $shared
    runs "./shared-$compiler"
    # shellcheck disable=SC2086
    $compiler -std=gnu11 $warnings -o "static-$compiler" echo.c ${static/-lweir/-l:libweir.a}
    ! ldd "./static-$compiler" | grep libweir || { echo "static-$compiler needs the shared library"; exit 1; }
    runs "./static-$compiler"

    CC=$compiler cmake -S . -B "cmake-$compiler" -DCMAKE_PREFIX_PATH="$prefix" >"$root/log" &&
        cmake --build "cmake-$compiler" >>"$root/log" || { cat "$root/log"; exit 1; }
    runs "./cmake-$compiler/echo"
    runs "./cmake-$compiler/echo-static"
done

# shellcheck disable=SC2086
g++ -std=c++17 $warnings -o headers headers.cc $shared
./headers
