// SPDX-License-Identifier: Apache-2.0
#include "mix.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "host.hpp"

namespace dh::snd {

namespace {

// The module is loaded by whoever first asks for it.
Genl mix_family()
{
    shell("modprobe vhost_snd_mix");
    return Genl(DEVHOST_MIX_GENL_NAME);
}

} // namespace

NetlinkReply try_mix_new(const MixSetup &setup)
{
    Attrs attrs;
    attrs.string(DEVHOST_MIX_A_NAME, setup.name)
        .u32(DEVHOST_MIX_A_RATE, setup.rate)
        .u32(DEVHOST_MIX_A_CHANNELS, setup.channels)
        .u32(DEVHOST_MIX_A_PERIOD, setup.period_us)
        .u32(DEVHOST_MIX_A_PERIODS, setup.periods);
    if (setup.playback >= 0) {
        attrs.u32(DEVHOST_MIX_A_PLAYBACK_FD, static_cast<uint32_t>(setup.playback));
    }
    if (setup.capture >= 0) {
        attrs.u32(DEVHOST_MIX_A_CAPTURE_FD, static_cast<uint32_t>(setup.capture));
    }
    if (setup.format) {
        attrs.u32(DEVHOST_MIX_A_FORMAT, *setup.format);
    }
    for (const std::string &port : setup.ports) {
        attrs.string(DEVHOST_MIX_A_PORT, port);
    }
    return mix_family().request(DEVHOST_MIX_CMD_NEW, attrs);
}

NetlinkReply try_mix_del(const std::string &name)
{
    return mix_family().request(DEVHOST_MIX_CMD_DEL, Attrs().string(DEVHOST_MIX_A_NAME, name));
}

std::vector<std::string> mixers()
{
    const NetlinkReply reply = mix_family().request(DEVHOST_MIX_CMD_GET, Attrs(), true);
    std::vector<std::string> names;
    for (const NetlinkMessage &message : reply.messages) {
        names.push_back(text(message.attrs, DEVHOST_MIX_A_NAME));
    }
    return names;
}

Mixer::Mixer(const MixSetup &setup) : name_(setup.name)
{
    const NetlinkReply reply = try_mix_new(setup);
    if (reply.error != 0 || reply.messages.empty()) {
        throw std::runtime_error("MIX_NEW: " + reply.extack + " (" + strerror(-reply.error) + ")");
    }
    const auto &attrs = reply.messages.front().attrs;
    card_ = static_cast<int>(number(attrs, DEVHOST_MIX_A_CARD));
    period_ = static_cast<uint32_t>(number(attrs, DEVHOST_MIX_A_PERIOD));
}

Mixer::~Mixer()
{
    try_mix_del(name_);
}

void Mixer::set(const std::string &element, long value)
{
    HostControls controls(card_);
    controls.write(controls.numid(element), {value});
}

uint64_t Mixer::late()
{
    const std::string text = read_file("/proc/asound/card" + std::to_string(card_) + "/mix");
    uint64_t sum = 0;
    for (const std::string word : {" late ", " recoveries "}) {
        for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
            at += word.size();
            sum += std::stoull(text.substr(at));
        }
    }
    return sum;
}

uint32_t mix_gain(unsigned volume)
{
    return volume == 0 ? 0
                       : static_cast<uint32_t>(std::lround(
                             std::pow(10, (static_cast<int>(volume) - 127) / 40.0) * (1 << 24)));
}

int32_t mix_result(int64_t sum)
{
    const int64_t rounded = (sum + (1 << 23)) >> 24;
    return static_cast<int32_t>(std::clamp<int64_t>(rounded, std::numeric_limits<int32_t>::min(),
                                                    std::numeric_limits<int32_t>::max()));
}

Recorder::Recorder(int card, unsigned device, const Params &params)
    : pcm_(std::in_place, card, device, true), frame_bytes_(params.frame_bytes())
{
    pcm_->configure(params);
    pcm_->start();
    thread_ = std::thread([this] {
        try {
            while (!stop_) {
                const Bytes more = pcm_->read(size_t{frame_bytes_} * 4096, 20);
                data_.insert(data_.end(), more.begin(), more.end());
                bytes_ = data_.size();
            }
        } catch (const std::exception &error) {
            error_ = error.what();
        }
    });
}

void Recorder::stop()
{
    stop_ = true;
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Recorder::close()
{
    stop();
    pcm_.reset();
}

std::vector<int32_t> Recorder::samples()
{
    stop();
    if (!error_.empty()) {
        throw tap::Failure(error_);
    }
    std::vector<int32_t> samples(data_.size() / sizeof(int32_t));
    memcpy(samples.data(), data_.data(), samples.size() * sizeof(int32_t));
    return samples;
}

} // namespace dh::snd
