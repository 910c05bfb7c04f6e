// SPDX-License-Identifier: Apache-2.0
// Requests on the control queue of a sound device: what there is, parameters of streams, control
// elements, by the kernel's code, on cards that are faked. What streams do with requests that make
// sense is not part of it.
//
// Input: shape, values of an element, their range, verdicts; then steps, a byte each.
#include "core.hpp"
#include "snd_host.h"

#include <linux/virtio_snd.h>
#include <utility>

namespace {

constexpr size_t steps_max = 40;

class Snd {
public:
    explicit Snd(Input &in) : in_(in), device_(1)
    {
        const uint8_t shape = in_.u8();
        const uint8_t count = in_.u8();
        const uint16_t items = in_.u16();
        device_.verdicts = in_.u8();
        device_.features = (shape & 4) != 0 ? 1ULL << VIRTIO_SND_F_CTLS : 0;
        snd_create(&device_, shape, count, items);
    }

    ~Snd()
    {
        device_.run_jobs();
        REQUIRE(device_.kept.empty() && snd_jobs() == 0 && snd_sane());
    }
    Snd(const Snd &) = delete;
    Snd &operator=(const Snd &) = delete;

    void run()
    {
        for (size_t i = 0; in_.more() && i < steps_max; i++) {
            const uint8_t what = in_.u8();
            if (what % 8 < 6) {
                request();
            } else if (what % 8 == 6) {
                device_.run_jobs();
            } else {
                snd_errors((what & 8) != 0 ? -5 : 0);
            }
            REQUIRE(snd_sane());
        }
    }

private:
    void request()
    {
        // Values are long: room and request count in words of eight.
        const size_t room = size_t{in_.u8()} * 8 + in_.u8() % 8;
        const size_t size = in_.u8() % 64 < 56 ? in_.u8() % 64 : size_t{in_.u8()} * 4;
        const std::vector<uint8_t> bytes = in_.bytes(size);
        if (device_.jobs.size() >= device_.jobs_max) {
            device_.run_jobs();
        }
        devhost_chain *chain = device_.send(
            0, bytes, room, 1 + std::max<size_t>((bytes.size() + room) / 14, in_.u8()));
        if (chain == nullptr) {
            return;
        }
        const size_t answers = device_.answers.size();
        const size_t jobs = device_.jobs.size();
        const devhost_answer answer = snd_control(chain);
        REQUIRE(answer != DEVHOST_STALL);
        REQUIRE((answer == DEVHOST_REJECT) == (room < sizeof(virtio_snd_hdr)));
        REQUIRE(device_.jobs.size() == jobs + (answer == DEVHOST_KEEP ? 1 : 0));
        device_.answered(chain, answer);
        for (size_t i = answers; i < device_.answers.size(); i++) {
            require_answer(device_.answers[i]);
        }
    }

    static void require_answer(const std::vector<uint8_t> &bytes)
    {
        uint32_t status = 0;
        REQUIRE(bytes.size() >= sizeof(status));
        std::memcpy(&status, bytes.data(), sizeof(status));
        REQUIRE(status >= VIRTIO_SND_S_OK && status <= VIRTIO_SND_S_IO_ERR);
        // Nothing but the status goes with an error.
        REQUIRE(status == VIRTIO_SND_S_OK || bytes.size() == sizeof(status));
    }

    Input &in_;
    devhost_device device_;
};

} // namespace

extern "C" bool devhost_policy_snd(devhost_device *dev, struct devhost_policy_snd *request)
{
    REQUIRE(request->min <= request->value &&
            request->value <= std::max(request->max, request->min));
    return fuzz_allows(dev);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in(data, size);
    {
        Snd(in).run();
    }
    REQUIRE(shim_allocs == 0);
    return 0;
}
