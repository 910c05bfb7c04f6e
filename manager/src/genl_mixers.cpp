// SPDX-License-Identifier: Apache-2.0
#include "genl_mixers.hpp"

#include <cerrno>
#include <linux/devhost_mix.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <new>

#include "error.hpp"

namespace devhost {

namespace {

Cause cause_of(int error)
{
    switch (error) {
    case EBUSY:
    case EEXIST:
        return Cause::device_busy;
    case EINVAL:
    case ERANGE:
    case ENODEV:
    case ENOENT:
        return Cause::invalid_args;
    case EPERM:
    case EACCES:
        return Cause::access_denied;
    default:
        return Cause::kernel;
    }
}

} // namespace

void put_mixer(nl_msg &message, const MixerConfig &mixer, const MixerFiles &files)
{
    put(message, DEVHOST_MIX_A_NAME, mixer.name);
    put(message, DEVHOST_MIX_A_PLAYBACK_FD, files.playback);
    put(message, DEVHOST_MIX_A_CAPTURE_FD, files.capture);
    put(message, DEVHOST_MIX_A_RATE, mixer.rate);
    put(message, DEVHOST_MIX_A_CHANNELS, mixer.channels);
    if (mixer.format) {
        put(message, DEVHOST_MIX_A_FORMAT, *mixer.format);
    }
    put(message, DEVHOST_MIX_A_PERIOD, mixer.period);
    put(message, DEVHOST_MIX_A_PERIODS, mixer.periods);
    for (const MixerPortConfig &port : mixer.ports) {
        put(message, DEVHOST_MIX_A_PORT, port.name);
    }
}

MixerInfo decode_mixer(nlmsghdr *header)
{
    auto *genl = static_cast<genlmsghdr *>(nlmsg_data(header));
    MixerInfo mixer;
    int left = genlmsg_attrlen(genl, 0);
    for (nlattr *attr = genlmsg_attrdata(genl, 0); nla_ok(attr, left);
         attr = nla_next(attr, &left)) {
        switch (nla_type(attr)) {
        case DEVHOST_MIX_A_NAME:
            mixer.name = nla_get_string(attr);
            break;
        case DEVHOST_MIX_A_RATE:
            mixer.rate = nla_get_u32(attr);
            break;
        case DEVHOST_MIX_A_CHANNELS:
            mixer.channels = nla_get_u32(attr);
            break;
        case DEVHOST_MIX_A_PLAYBACK:
            mixer.playback = true;
            break;
        case DEVHOST_MIX_A_CAPTURE:
            mixer.capture = true;
            break;
        case DEVHOST_MIX_A_PORT:
            mixer.ports.emplace_back(nla_get_string(attr));
            break;
        default:
            break;
        }
    }
    return mixer;
}

std::vector<NlReply> GenlMixers::request(std::uint8_t command, bool dump,
                                         const std::function<void(nl_msg &)> &fill)
{
    if (!socket_) {
        socket_ = open_netlink(NETLINK_GENERIC);
    }
    // Asked each time: the module may have been loaded anew.
    const int family = genl_ctrl_resolve(socket_.get(), DEVHOST_MIX_GENL_NAME);
    if (family < 0) {
        throw Error(Cause::kernel_unavailable,
                    "The kernel module vhost_snd_mix cannot be loaded: install devhost-dkms and "
                    "the kernel's headers, on a kernel that has ALSA.");
    }
    const NlMessage message(nlmsg_alloc());
    if (!message ||
        genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, dump ? NLM_F_DUMP : 0,
                    command, DEVHOST_MIX_GENL_VERSION) == nullptr) {
        throw std::bad_alloc();
    }
    fill(*message);
    return transact(*socket_, *message);
}

std::vector<MixerInfo> GenlMixers::mixers()
{
    try {
        std::vector<MixerInfo> mixers;
        for (const NlReply &reply :
             request(DEVHOST_MIX_CMD_GET, true, [](nl_msg & /*message*/) {})) {
            mixers.push_back(decode_mixer(reply.header()));
        }
        return mixers;
    } catch (const NetlinkError &error) {
        throw Error(cause_of(error.error()),
                    std::string("Cannot list the mixers: ") + error.what());
    }
}

void GenlMixers::create(const MixerConfig &mixer, const MixerFiles &files)
{
    try {
        request(DEVHOST_MIX_CMD_NEW, false,
                [&](nl_msg &message) { put_mixer(message, mixer, files); });
    } catch (const NetlinkError &error) {
        throw Error(cause_of(error.error()),
                    "Cannot create the mixer '" + mixer.name + "': " + error.what() + ".");
    }
}

void GenlMixers::remove(const std::string &name)
{
    try {
        request(DEVHOST_MIX_CMD_DEL, false,
                [&](nl_msg &message) { put(message, DEVHOST_MIX_A_NAME, name); });
    } catch (const NetlinkError &error) {
        throw Error(cause_of(error.error()),
                    "Cannot remove the mixer '" + name + "': " + error.what() + ".");
    }
}

} // namespace devhost
