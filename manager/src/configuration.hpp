// SPDX-License-Identifier: Apache-2.0
//
// Makes the mixers and the guests as their files say, at start and on reload.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host.hpp"
#include "power_ceilings.hpp"

namespace devhost {

class Configuration {
public:
    /// The files of guests; those of mixers are beside it, in mixers.d.
    Configuration(Host &host, std::filesystem::path directory,
                  std::filesystem::path power_file = {})
        : host_(host),
          directory_(std::move(directory)),
          mixers_directory_(directory_.parent_path() / "mixers.d"),
          power_file_(std::move(power_file))
    {
    }

    /// After discovery. A guest that is there and whose file is what was applied last stays
    /// untouched, with whatever was changed over D-Bus since.
    void start() { apply(/*all=*/false); }

    /// Makes every guest with a file as the file says.
    void reload() { apply(/*all=*/true); }

    /// What could not be applied, one sentence each.
    [[nodiscard]] const std::vector<std::string> &problems() const { return problems_; }

    /// What is to be so for the whole device host.
    [[nodiscard]] const PowerConfig &power() const { return power_; }

private:
    struct File {
        GuestConfig config;
        std::string digest;
    };

    void apply(bool all);
    [[nodiscard]] std::vector<std::filesystem::path> paths(const std::filesystem::path &directory);
    void apply_mixers(bool all);
    void apply_guest(const File &file);
    /// Runs @p action; what it throws becomes a problem. False when it threw.
    bool attempt(const std::string &guest, const std::filesystem::path &file,
                 const std::function<void()> &action);
    void remove_guests_without_file(const std::vector<std::filesystem::path> &present);

    Host &host_;
    std::filesystem::path directory_;
    std::filesystem::path mixers_directory_;
    std::filesystem::path power_file_;
    PowerConfig power_;
    std::vector<std::string> problems_;
};

} // namespace devhost
