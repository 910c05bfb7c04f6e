// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <systemd/sd-daemon.h>

#include "host_power.hpp"
#include "journal.hpp"

namespace devhost {

std::vector<FdStore::Stored> SystemdFdStore::take()
{
    std::vector<Stored> stored;
    char **names = nullptr;
    const int count = sd_listen_fds_with_names(/*unset_environment=*/1, &names);
    for (int i = 0; i < count; i++) {
        stored.push_back({.name = names[i], .fd = UniqueFd(SD_LISTEN_FDS_START + i)});
        std::free(names[i]);
    }
    std::free(static_cast<void *>(names));
    return stored;
}

void SystemdFdStore::put(const std::string &name, int fd)
{
    const std::string state = "FDSTORE=1\nFDNAME=" + name;
    if (sd_pid_notify_with_fds(0, 0, state.c_str(), &fd, 1) < 0) {
        log_warning({}, "systemd does not keep '" + name + "' over a restart of devhostd.");
    }
}

void SystemdFdStore::remove(const std::string &name)
{
    sd_notify(0, ("FDSTOREREMOVE=1\nFDNAME=" + name).c_str());
}

} // namespace devhost
