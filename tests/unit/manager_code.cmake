# SPDX-License-Identifier: Apache-2.0
# The manager's configuration files and policies without the rest of it, as devhost_policy.
include_guard(GLOBAL)

function(devhost_policy_code)
  set(root ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../..)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)
  find_package(tomlplusplus REQUIRED)
  file(GLOB sources CONFIGURE_DEPENDS ${root}/manager/src/config_t*.cpp
    ${root}/manager/src/device_*.cpp
    ${root}/manager/src/*_policy*.cpp ${root}/manager/src/policy*.cpp)
  list(FILTER sources EXCLUDE REGEX "/policies\\.cpp$")
  add_library(devhost_policy STATIC ${sources} ${root}/manager/src/config.cpp
    ${root}/manager/src/digest.cpp ${root}/manager/src/error.cpp ${root}/manager/src/limits.cpp
    ${root}/manager/src/power_rules.cpp)
  target_compile_features(devhost_policy PUBLIC cxx_std_20)
  target_include_directories(devhost_policy PUBLIC
    ${root}/manager/src ${root}/kernel/include/uapi)
  target_link_libraries(devhost_policy PUBLIC PkgConfig::LIBBPF tomlplusplus::tomlplusplus)
endfunction()
