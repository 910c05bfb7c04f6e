// SPDX-License-Identifier: Apache-2.0
#include "sound.hpp"

namespace dh {

DeviceParams SoundFixture::judged(const std::string &name)
{
    const int loop = snd::card("Loopback");
    const uint32_t switch_numid = host.numid("Mic Capture Switch");

    files.push_back(snd::open_pcm(loop, 0, false));
    files.push_back(snd::open_pcm(loop, 0, false));
    files.push_back(snd::open_pcm(loop, 1, true));
    files.push_back(snd::open_control(snd::card("Dummy")));
    const int controls = files.back().get();

    DeviceParams params =
        snd::device({{{files[first].get()}, {files[second].get()}, {files[microphone].get()}},
                     {},
                     {{controls, numid, VIRTIO_SND_CTL_ROLE_VOLUME << 1},
                      {controls, switch_numid, VIRTIO_SND_CTL_ROLE_MUTE << 1 | 1},
                      {controls, numid}}});
    params.guest = name;
    params.policy_required = true;
    return params;
}

SoundFixture::SoundFixture(const std::string &name)
    : host(snd::card("Dummy")),
      numid(host.numid("Master Volume")),
      device(judged(name)),
      guest(device.path(), {})
{
    files.clear();
    guest.start();
    const auto info = guest.info<virtio_snd_ctl_info>(VIRTIO_SND_R_CTL_INFO, volume, 1);
    lowest = static_cast<int32_t>(info[0].value.integer.min);
    highest = static_cast<int32_t>(info[0].value.integer.max);
}

SoundFixture::~SoundFixture()
{
    store().remove(device.guest());
}

uint32_t SoundFixture::write(uint32_t control, int32_t value)
{
    snd::Bytes rest(4 + sizeof(virtio_snd_ctl_value));
    memcpy(rest.data(), &control, 4);
    memcpy(rest.data() + 4, &value, 4);
    memcpy(rest.data() + 8, &value, 4);
    return guest.request(VIRTIO_SND_R_CTL_WRITE, rest)->status;
}

uint32_t SoundFixture::play(uint32_t stream, const snd::Params &params)
{
    const uint32_t status = guest.set_params(stream, params);
    if (status != snd::ok) {
        return status;
    }
    CHECK_EQ(guest.prepare(stream), snd::ok);
    return guest.start_stream(stream);
}

void SoundFixture::stop(uint32_t stream)
{
    CHECK_EQ(guest.stop(stream), snd::ok);
    CHECK_EQ(guest.release(stream), snd::ok);
}

} // namespace dh
