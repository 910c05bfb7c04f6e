# SPDX-License-Identifier: Apache-2.0
# Debian's cross compiler and its multi-arch libraries: docs/cross.md.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# Programs that run while it is built are this machine's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# A pkg-config that knows arm64's libraries alone.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
