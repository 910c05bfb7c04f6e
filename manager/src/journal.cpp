// SPDX-License-Identifier: Apache-2.0
#include "journal.hpp"

#include <array>
#include <cstdlib>
#include <iostream>
#include <sys/uio.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace devhost {

namespace {

// A line begins with its subject, so that it also says so without the fields.
std::string full_text(const Subject &subject, const std::string &text)
{
    if (subject.guest.empty()) {
        return text;
    }
    if (subject.device.empty()) {
        return subject.guest + ": " + text;
    }
    return subject.guest + "/" + subject.device + ": " + text;
}

void log(int priority, const Subject &subject, const std::string &text)
{
    const std::string full = full_text(subject, text);
    // Set by systemd where stderr leads to the journal.
    if (getenv("JOURNAL_STREAM") == nullptr) { // NOLINT(concurrency-mt-unsafe)
        std::cerr << full << '\n';
        return;
    }
    std::array<std::string, 4> fields{
        "PRIORITY=" + std::to_string(priority), "MESSAGE=" + full, {}, {}};
    std::size_t count = 2;
    if (!subject.guest.empty()) {
        fields.at(count++) = "DEVHOST_GUEST=" + subject.guest;
    }
    if (!subject.device.empty()) {
        fields.at(count++) = "DEVHOST_DEVICE=" + subject.device;
    }
    std::array<iovec, 4> parts{};
    for (std::size_t i = 0; i < count; i++) {
        parts.at(i) = {.iov_base = fields.at(i).data(), .iov_len = fields.at(i).size()};
    }
    sd_journal_sendv(parts.data(), static_cast<int>(count));
}

} // namespace

void log_error(const Subject &subject, const std::string &text)
{
    log(LOG_ERR, subject, text);
}

void log_warning(const Subject &subject, const std::string &text)
{
    log(LOG_WARNING, subject, text);
}

void log_info(const Subject &subject, const std::string &text)
{
    log(LOG_INFO, subject, text);
}

} // namespace devhost
