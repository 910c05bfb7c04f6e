// SPDX-License-Identifier: Apache-2.0
#include "system_host.hpp"

namespace devhost {

SystemHost::SystemHost()
    : kernel_(open_genl_channel()),
      mixers_(mixer_kernel_, cards_),
      host_({.kernel = kernel_,
             .links = links_,
             .cards = cards_,
             .mixers = mixers_,
             .codecs = codecs_,
             .policies = policies_,
             .workers = workers_,
             .latencies = latencies_,
             .nodes = Nodes(),
             .states = RuntimeStates()})
{
}

} // namespace devhost
