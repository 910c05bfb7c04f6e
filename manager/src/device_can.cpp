// SPDX-License-Identifier: Apache-2.0
#include "device_can.hpp"

namespace devhost {

namespace {

constexpr std::size_t interface_length_max = 15; // IFNAMSIZ with its NUL

std::string interface_name(TableReader &table)
{
    const auto name = table.text("interface", interface_length_max);

    if (!name) {
        table.fail(table.where() + " needs interface = \"...\", a CAN interface of the host");
    }
    if (*name == "." || *name == ".." || name->find_first_of("/: \t") != std::string::npos) {
        table.fail("interface", "is not the name of a network interface");
    }
    return *name;
}

} // namespace

CanDeviceConfig can_device_from(TableReader table)
{
    CanDeviceConfig can;

    can.interface = interface_name(table);
    can.wait = table.boolean("wait").value_or(can.wait);
    can.rx_backlog = table.small_number("rx_backlog", 16, 65536).value_or(can.rx_backlog);
    can.tx_inflight = table.small_number("tx_inflight", 1, 1024).value_or(can.tx_inflight);
    can.bitrate = table.small_number("bitrate", 1, 1'000'000);
    can.sample_point = table.small_number("sample_point", 1, 999);
    can.data_bitrate = table.small_number("data_bitrate", 1, 20'000'000);
    can.data_sample_point = table.small_number("data_sample_point", 1, 999);
    can.fd = table.boolean("fd");
    can.restart_ms = table.small_number("restart_ms", 0, 3'600'000);

    if (can.sample_point && !can.bitrate) {
        table.fail("sample_point", "needs bitrate");
    }
    if (can.data_sample_point && !can.data_bitrate) {
        table.fail("data_sample_point", "needs data_bitrate");
    }
    if (can.data_bitrate && !can.bitrate) {
        table.fail("data_bitrate", "needs bitrate");
    }
    if (can.data_bitrate && can.fd != true) {
        table.fail("data_bitrate", "needs fd = true");
    }
    if (can.fd == true && !can.data_bitrate) {
        table.fail("fd", "needs data_bitrate");
    }
    table.finish();
    return can;
}

} // namespace devhost
