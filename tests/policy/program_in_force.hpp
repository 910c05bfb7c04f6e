// SPDX-License-Identifier: Apache-2.0
// A policy program of the tests, loaded without the manager.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <string>

namespace dh {

// In force from construction to the end of the scope.
class ProgramInForce {
public:
    // @constants are its .rodata.
    ProgramInForce(const std::string &program, uint32_t guest, const void *constants, size_t bytes);
    ProgramInForce(const ProgramInForce &) = delete;
    ProgramInForce &operator=(const ProgramInForce &) = delete;
    ~ProgramInForce();

private:
    struct Close {
        void operator()(bpf_object *object) const { bpf_object__close(object); }
        void operator()(bpf_link *link) const { bpf_link__destroy(link); }
    };
    std::unique_ptr<bpf_object, Close> object_;
    std::unique_ptr<bpf_link, Close> link_;
};

} // namespace dh
