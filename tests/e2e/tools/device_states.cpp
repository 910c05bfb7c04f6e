// SPDX-License-Identifier: Apache-2.0
// What the kernel says of each device that changes, a line each: GUEST/DEVICE STATE. It is heard
// also where whoever asks for a state comes too late.
#include <linux/devhost.h>

#include <array>
#include <cstdio>

#include "control.hpp"

int main()
{
    static constexpr std::array states{"idle",      "open",     "running",
                                       "suspended", "quiesced", "broken"};
    dh::Genl genl(DEVHOST_GENL_NAME);

    genl.join("events");
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    std::puts("listening");
    for (;;) {
        const auto message = genl.notification(-1);
        if (!message || message->command != DEVHOST_CMD_DEVICE_CHANGE_NTF) {
            continue;
        }
        const dh::DeviceInfo device = dh::parse_device(*message);
        std::printf("%s/%s %s\n", device.guest.c_str(), device.name.c_str(),
                    states.at(device.state));
    }
}
