# SPDX-License-Identifier: Apache-2.0
# The kernel's own files in user space, under sanitizers, and the headers that stand in for the
# kernel's. Unit tests and fuzzers link the same libraries.

# variables are of the directory that includes this, so each one does
set(DEVHOST_ROOT ${CMAKE_CURRENT_LIST_DIR}/../..)
set(DEVHOST_SHIM ${CMAKE_CURRENT_LIST_DIR}/shim)
set(DEVHOST_SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=all)

# devhost_kernel_code(NAME DIR FILE...): FILEs of kernel/DIR as the library NAME
function(devhost_kernel_code name directory)
  list(TRANSFORM ARGN PREPEND ${DEVHOST_ROOT}/kernel/${directory}/ OUTPUT_VARIABLE sources)
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
  target_include_directories(${name} PUBLIC
    ${DEVHOST_SHIM} ${DEVHOST_ROOT}/kernel/${directory} ${DEVHOST_ROOT}/kernel/include)
  target_compile_options(${name}
    PRIVATE -Wall -Wextra -Wno-sign-compare -Wno-missing-field-initializers -Werror
    PUBLIC -g -O1 -fno-omit-frame-pointer ${DEVHOST_SANITIZERS})
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(${name} PUBLIC -Wno-gnu-variable-sized-type-not-at-end)
  endif()
  target_link_options(${name} PUBLIC ${DEVHOST_SANITIZERS})
endfunction()

function(devhost_ring_code)
  if(NOT TARGET devhost_ring)
    devhost_kernel_code(devhost_ring core ring.c ring_split.c ring_packed.c chain.c)
    target_sources(devhost_ring PRIVATE ${DEVHOST_SHIM}/shim.c)
  endif()
endfunction()

function(devhost_video_code)
  if(NOT TARGET devhost_video_protocol)
    devhost_kernel_code(devhost_video_protocol video parse.c pack.c)
  endif()
endfunction()

function(devhost_scmi_code)
  if(NOT TARGET devhost_scmi_protocol)
    devhost_kernel_code(devhost_scmi_protocol scmi dispatch.c base.c power.c system.c perf.c clock.c
      sensor.c reset.c voltage.c event.c vote.c watch.c)
    target_link_libraries(devhost_scmi_protocol PUBLIC devhost_ring)
    target_compile_options(devhost_scmi_protocol PRIVATE -Wno-unused-parameter)
  endif()
endfunction()

function(devhost_can_code)
  if(NOT TARGET devhost_can_protocol)
    devhost_kernel_code(devhost_can_protocol can frame.c control.c rx.c)
    target_link_libraries(devhost_can_protocol PUBLIC devhost_ring)
  endif()
endfunction()

function(devhost_snd_code)
  if(NOT TARGET devhost_snd_protocol)
    devhost_kernel_code(devhost_snd_protocol snd info.c control.c params.c)
    target_link_libraries(devhost_snd_protocol PUBLIC devhost_ring)
    target_compile_options(devhost_snd_protocol PRIVATE -Wno-unused-parameter)
  endif()
endfunction()
