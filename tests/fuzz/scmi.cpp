// SPDX-License-Identifier: Apache-2.0
// SCMI commands: the kernel's dispatcher, all its protocols, its votes and its event queue, on
// resources that are faked.
//
// Input: flags; then steps, a byte each: a command, a buffer for events, helpers that run, time
// that passes, a reset.
#include "core.hpp"
#include "scmi_host.h"

#include <utility>

namespace {

constexpr size_t steps_max = 40;
constexpr size_t command_max = 60;

int32_t le32(const std::vector<uint8_t> &bytes, size_t at)
{
    int32_t value = 0;
    std::memcpy(&value, &bytes.at(at), sizeof(value));
    return value;
}

class Scmi {
public:
    explicit Scmi(Input &in) : in_(in), device_(2)
    {
        const uint8_t flags = in_.u8();
        device_.verdicts = in_.u8();
        REQUIRE(scmi_create(&device_, (flags & 1) != 0, (flags & 2) != 0, flags >> 2) == 0);
    }

    ~Scmi()
    {
        device_.drop_jobs();
        scmi_stop();
        for (auto &[chain, unused] : device_.kept) {
            chain_ends(chain);
        }
        scmi_destroy();
        REQUIRE(shim_warnings == 0);
    }
    Scmi(const Scmi &) = delete;
    Scmi &operator=(const Scmi &) = delete;

    void run()
    {
        for (size_t i = 0; in_.more() && i < steps_max; i++) {
            step();
            REQUIRE(scmi_sane());
        }
    }

private:
    static void chain_ends(const devhost_chain *chain)
    {
        REQUIRE(chain->written <= chain->writable);
    }

    void step()
    {
        const uint8_t what = in_.u8();
        switch (what % 8) {
        case 0:
        case 1:
        case 2:
        case 3:
            command();
            break;
        case 4:
            if (devhost_chain *chain = device_.request(1, in_, 0)) {
                device_.queues[1].supplied.push_back(chain);
                events();
            }
            break;
        case 5:
            device_.run_jobs();
            stalled();
            break;
        case 6:
            shim_jiffies += what * 100UL;
            scmi_time();
            events();
            break;
        default:
            if (what > 0xf0) {
                device_.drop_jobs();
                scmi_stop();
                forget();
                scmi_start();
            } else {
                scmi_host_does(in_.u8(), in_.u8(), in_.u64());
                events();
            }
            break;
        }
    }

    /// The core takes back what a module had at a reset, unanswered.
    void forget()
    {
        waiting_ = nullptr;
        for (auto &queue : device_.queues) {
            queue.supplied.clear();
        }
        for (const auto &[chain, unused] : std::exchange(device_.kept, {})) {
            for (auto &queue : device_.queues) {
                if (&queue.device->ring() == chain->ring) {
                    queue.device->push(const_cast<devhost_chain *>(chain), 0);
                    REQUIRE(queue.driver->get());
                }
            }
        }
    }

    void command()
    {
        if (waiting_ != nullptr) {
            stalled();
            return;
        }
        devhost_chain *chain = device_.request(0, in_, command_max);
        if (chain != nullptr) {
            serve(chain);
        }
    }

    void stalled()
    {
        if (waiting_ != nullptr) {
            serve(std::exchange(waiting_, nullptr));
        }
    }

    void serve(devhost_chain *chain)
    {
        const bool small = chain->readable < 4 || chain->writable < 8;
        const size_t room = chain->writable;
        std::vector<uint8_t> header(4);
        if (!small) {
            std::memcpy(header.data(), header_of(*chain).data(), 4);
        }
        const size_t answers = device_.answers.size();
        const size_t jobs = device_.jobs.size();
        const devhost_answer answer = scmi_dispatch(chain);
        if (answer == DEVHOST_STALL) {
            REQUIRE(device_.jobs.size() >= device_.jobs_max);
            waiting_ = chain;
            return;
        }
        if (answer == DEVHOST_KEEP) {
            REQUIRE(device_.jobs.size() == jobs + 1);
            return;
        }
        device_.answered(chain, answer);
        REQUIRE(small == (answer == DEVHOST_REJECT));
        if (answer == DEVHOST_REJECT) {
            return;
        }
        // The header comes back, an error bears nothing else, nothing is beyond the room.
        REQUIRE(device_.answers.size() == answers + 1);
        const auto &bytes = device_.answers.back();
        const int32_t status = le32(bytes, 4);
        REQUIRE(bytes.size() >= 8 && bytes.size() <= room && bytes.size() <= 8 + 128);
        REQUIRE(std::equal(header.begin(), header.end(), bytes.begin()));
        REQUIRE(status <= 0 && status >= -11);
        REQUIRE(status == 0 || bytes.size() == 8);
        events();
    }

    std::vector<uint8_t> header_of(const devhost_chain &chain)
    {
        std::vector<uint8_t> bytes;
        for (unsigned i = 0; i < chain.out && bytes.size() < 4; i++) {
            const auto *base = static_cast<const uint8_t *>(chain.span[i].base);
            bytes.insert(bytes.end(), base, base + chain.span[i].len);
        }
        return bytes;
    }

    void events()
    {
        const size_t before = device_.answers.size();
        scmi_events();
        for (size_t i = before; i < device_.answers.size(); i++) {
            const auto &bytes = device_.answers[i];
            const uint32_t type = static_cast<uint32_t>(le32(bytes, 0)) >> 8 & 3;
            REQUIRE(type == 2 || type == 3);
            REQUIRE(bytes.size() >= 8);
        }
    }

    Input &in_;
    devhost_device device_;
    devhost_chain *waiting_ = nullptr;
};

} // namespace

extern "C" devhost_verdict devhost_policy_scmi(devhost_device *dev, struct devhost_policy_scmi *)
{
    return fuzz_allows(dev) ? DEVHOST_VERDICT_ALLOW : DEVHOST_VERDICT_DENY;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in(data, size);
    shim_jiffies = 1000;
    {
        Scmi(in).run();
    }
    REQUIRE(shim_allocs == 0);
    return 0;
}
