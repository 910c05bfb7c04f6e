// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mixers.hpp"
#include "netlink.hpp"

namespace devhost {

/// The generic netlink family "devhost_mix", whose module is loaded when it is first asked for.
class GenlMixers final : public MixerKernel {
public:
    std::vector<MixerInfo> mixers() override;
    void create(const MixerConfig &mixer, const MixerFiles &files) override;
    void remove(const std::string &name) override;

private:
    std::vector<NlReply> request(std::uint8_t command, bool dump,
                                 const std::function<void(nl_msg &)> &fill);

    NlSocket socket_;
};

/// The messages.
void put_mixer(nl_msg &message, const MixerConfig &mixer, const MixerFiles &files);
MixerInfo decode_mixer(nlmsghdr *header);

} // namespace devhost
