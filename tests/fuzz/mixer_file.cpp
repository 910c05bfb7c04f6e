// SPDX-License-Identifier: Apache-2.0
// A mixer's file: taken with numbers in range, or refused with a line that is there.
#include "input.hpp"

#include <linux/devhost_mix.h>
#include <string>

#include "mixer_config.hpp"

using namespace devhost;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const std::string text(reinterpret_cast<const char *>(data), size);
    try {
        const MixerConfig mixer = parse_mixer(text, "card", "card.toml");
        REQUIRE(mixer.playback || mixer.capture);
        REQUIRE(!mixer.ports.empty() && mixer.ports.size() <= DEVHOST_MIX_PORTS_MAX);
        REQUIRE(mixer.channels >= 1 && mixer.channels <= DEVHOST_MIX_CHANNELS_MAX);
        REQUIRE(mixer.periods >= 2 && mixer.periods <= DEVHOST_MIX_PERIODS_MAX);
        for (const MixerPortConfig &port : mixer.ports) {
            REQUIRE(!port.name.empty() && port.name.size() <= DEVHOST_MIX_PORT_NAME_MAX);
            REQUIRE(port.playback.volume >= volume_min && port.playback.volume <= 0);
            REQUIRE(port.capture.volume >= volume_min && port.capture.volume <= 0);
        }
        REQUIRE(same_shape(mixer, mixer));
    } catch (const ConfigError &error) {
        REQUIRE(error.line() >= 1);
        REQUIRE(error.line() <= static_cast<unsigned>(std::ranges::count(text, '\n')) + 1);
        REQUIRE(!error.message().empty());
    }
    return 0;
}
