// SPDX-License-Identifier: Apache-2.0
//
// The policies in the kernel as the manager uses them; a fake takes their place in tests.
#pragma once

#include "policy_store.hpp"

namespace devhost {

/// Every call throws Error.
class Policies {
public:
    virtual ~Policies() = default;

    virtual void apply(const PolicyGuest &guest, const PolicyConfig &policy) = 0;
    virtual void remove(const std::string &guest) = 0;
    virtual std::optional<PolicyConfig> adopt(const PolicyGuest &guest) = 0;
    virtual PolicyCounters counters(const std::string &guest) = 0;
    virtual std::vector<std::uint32_t> program_ids(const std::string &guest) = 0;
    virtual std::vector<std::string> pinned_guests() = 0;
};

/// By BPF struct_ops, pinned in bpffs.
class BpfPolicies final : public Policies {
public:
    void apply(const PolicyGuest &guest, const PolicyConfig &policy) override;
    void remove(const std::string &guest) override;
    std::optional<PolicyConfig> adopt(const PolicyGuest &guest) override;
    PolicyCounters counters(const std::string &guest) override;
    std::vector<std::uint32_t> program_ids(const std::string &guest) override;
    std::vector<std::string> pinned_guests() override;

private:
    PolicyStore store_;
};

} // namespace devhost
