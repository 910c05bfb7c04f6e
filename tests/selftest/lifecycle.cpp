// SPDX-License-Identifier: Apache-2.0
// Lifecycle races: all pairs of what can happen to a device, at the same moment, while a guest uses
// it. DEVHOST_ROUNDS=N: so many rounds of each pair; DEVHOST_SEED=N: the same moments once more;
// DEVHOST_PAIR="reset,SIGKILL": only this pair.
#include <cstdlib>

#include "host.hpp"
#include "lifecycle.hpp"

using namespace dh;

namespace {

unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *value = getenv(name);
    return value ? static_cast<unsigned>(strtoul(value, nullptr, 0)) : otherwise;
}

uint32_t seed()
{
    static const uint32_t chosen = from_environment("DEVHOST_SEED", std::random_device{}());
    return chosen;
}

bool wanted(const std::string &pair)
{
    const char *only = getenv("DEVHOST_PAIR");
    return !only || pair == only;
}

// In the normal tiers each pair happens to the first kind, to the others one in @every.
void all_pairs(std::unique_ptr<life::Kind> (*kind)(), unsigned every)
{
    const unsigned rounds = from_environment("DEVHOST_ROUNDS", tap::rounds(1, 6));
    const bool all = getenv("DEVHOST_ROUNDS") || getenv("DEVHOST_PAIR") || tap::rounds(0, 1);
    tap::note("DEVHOST_SEED=" + std::to_string(seed()));
    tap::time_limit(120);
    life::Arena arena(kind());
    // Two of each: some happen twice at once.
    const auto these = life::events();
    const auto others = life::events();
    unsigned pair = seed() % every;
    for (size_t a = 0; a < these.size(); a++) {
        for (size_t b = a; b < others.size(); b++) {
            const std::string name = these[a]->name() + "," + others[b]->name();
            if ((a == b && !these[a]->twice()) || !these[a]->applies(arena.kind()) ||
                !others[b]->applies(arena.kind()) || !wanted(name) || (++pair % every && !all)) {
                continue;
            }
            for (unsigned i = 0; i < rounds; i++) {
                tap::time_limit(120);
                tap::doing(name + ", round " + std::to_string(i));
                std::minstd_rand random(static_cast<uint32_t>(std::hash<std::string>{}(name)) ^
                                        (seed() + i * 7919));
                try {
                    arena.round(*these[a], *others[b], random);
                    // A report is of the round that it came in.
                    if (const std::string log = kernel_log().end(); !log.empty()) {
                        FAIL(log);
                    }
                    kernel_log().begin();
                } catch (const tap::Skip &) {
                    throw;
                } catch (const std::exception &error) {
                    FAIL(name + ", round " + std::to_string(i) + ": " + error.what());
                }
            }
        }
    }
    tap::note(std::to_string(arena.rounds()) + " rounds");
    tap::time_limit(120);
}

} // namespace

TEST("lifecycle: echo: any two events at once")
{
    all_pairs(life::echo_kind, 1);
}

TEST("lifecycle: CAN: any two events at once")
{
    all_pairs(life::can_kind, 6);
}

TEST("lifecycle: sound: any two events at once")
{
    all_pairs(life::snd_kind, 6);
}

TEST("lifecycle: SCMI: any two events at once")
{
    all_pairs(life::scmi_kind, 6);
}

TEST("lifecycle: video: any two events at once")
{
    all_pairs(life::video_kind, 6);
}
