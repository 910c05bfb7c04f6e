// SPDX-License-Identifier: Apache-2.0
//
// The daemon: wiring only.
#include "daemon.hpp"

int main()
{
    return devhost::run_daemon();
}
