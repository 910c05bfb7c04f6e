// SPDX-License-Identifier: Apache-2.0
#include "host.hpp"

int main(int argc, char **argv)
{
    return dh::selftest_main(argc, argv);
}
