// SPDX-License-Identifier: Apache-2.0
#include "system_host.hpp"

namespace devhost {

SystemHost::SystemHost()
    : kernel_(open_genl_channel()),
      host_({.kernel = kernel_,
             .links = links_,
             .cards = cards_,
             .policies = policies_,
             .workers = workers_,
             .nodes = Nodes(),
             .states = RuntimeStates()})
{
}

} // namespace devhost
