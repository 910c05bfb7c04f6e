// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "can_links.hpp"
#include "genl_kernel.hpp"
#include "genl_mixers.hpp"
#include "host.hpp"
#include "latency.hpp"
#include "policies.hpp"
#include "sound_cards.hpp"
#include "video_codecs.hpp"
#include "worker.hpp"

namespace devhost {

/// The Host on this machine's kernel.
class SystemHost {
public:
    /// Throws Error where the kernel modules are not there.
    SystemHost();

    [[nodiscard]] Host &host() { return host_; }
    [[nodiscard]] int kernel_event_fd() const { return kernel_.event_fd(); }
    [[nodiscard]] int link_event_fd() const { return links_.event_fd(); }
    [[nodiscard]] int card_event_fd() const { return cards_.event_fd(); }
    [[nodiscard]] int codec_event_fd() const { return codecs_.event_fd(); }
    [[nodiscard]] int latency_rest_fd() const { return latencies_.rest_fd(); }

private:
    GenlKernel kernel_;
    RtnlCanLinks links_;
    AlsaCards cards_;
    GenlMixers mixer_kernel_;
    Mixers mixers_;
    V4l2Codecs codecs_;
    BpfPolicies policies_;
    SystemWorkers workers_;
    BpfLatencies latencies_;
    Host host_;
};

} // namespace devhost
