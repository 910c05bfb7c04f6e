// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace devhost {

/// Runs devhostd until it is told to end. Returns the exit status.
int run_daemon();

} // namespace devhost
