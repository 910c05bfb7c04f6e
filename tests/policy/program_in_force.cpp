// SPDX-License-Identifier: Apache-2.0
#include "program_in_force.hpp"

#include <bpf/bpf.h>

#include "tap.hpp"

namespace dh {

ProgramInForce::ProgramInForce(const std::string &program, uint32_t guest, const void *constants,
                               size_t bytes)
{
    struct {
        void *can;
        uint32_t guest;
        void *snd;
        void *scmi;
        void *video;
    } *ops;
    size_t size = 0;

    object_.reset(
        bpf_object__open_file((DEVHOST_TESTS_DIR "/bpf/" + program + ".bpf.o").c_str(), nullptr));
    CHECK(object_);
    bpf_map *type = bpf_object__find_map_by_name(object_.get(), "policy");
    ops = static_cast<decltype(ops)>(bpf_map__initial_value(type, &size));
    CHECK_EQ(size, sizeof(*ops));
    ops->guest = guest;
    CHECK_EQ(bpf_map__set_initial_value(bpf_object__find_map_by_name(object_.get(), ".rodata"),
                                        constants, bytes),
             0);
    CHECK_EQ(bpf_object__load(object_.get()), 0);
    link_.reset(bpf_map__attach_struct_ops(type));
    CHECK(link_);
}

// Now, not some time after the last descriptor is closed.
ProgramInForce::~ProgramInForce()
{
    bpf_link_detach(bpf_link__fd(link_.get()));
}

} // namespace dh
