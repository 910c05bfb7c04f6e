// SPDX-License-Identifier: Apache-2.0
//
// The running service has exactly what the interface files say.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <set>

#include "bus_fixture.hpp"

namespace devhost::test {
namespace {

std::string attribute(const std::string &tag, const std::string &name)
{
    std::smatch match;
    const bool found = std::regex_search(tag, match, std::regex("\\b" + name + "=\"([^\"]*)\""));
    return found ? match[1].str() : "";
}

// Methods with their arguments, and properties, of the interfaces in an introspection document;
// one line each.
std::set<std::string> members(const std::string &xml)
{
    static const std::regex tags("<(/?)(interface|method|property|arg|annotation|signal)\\b[^>]*>");
    std::set<std::string> lines;
    std::string interface;
    std::string line;
    for (std::sregex_iterator tag(xml.begin(), xml.end(), tags), end; tag != end; ++tag) {
        const std::string text = tag->str();
        const std::string kind = (*tag)[2];
        const bool closes = (*tag)[1] == "/" || text.ends_with("/>");
        if (kind == "interface") {
            interface = attribute(text, "name");
            continue;
        }
        if (!interface.starts_with("org.devhost1.")) {
            continue;
        }
        if (kind == "arg") {
            line += " " + attribute(text, "direction") + ":" + attribute(text, "name") + ":" +
                    attribute(text, "type");
        } else if (kind == "annotation" &&
                   attribute(text, "name").ends_with("EmitsChangedSignal")) {
            line += " " + attribute(text, "value");
        } else if (kind != "annotation" && (*tag)[1] != "/") {
            line = interface;
            line += " " + kind + " " + attribute(text, "name") + " " + attribute(text, "type") +
                    attribute(text, "access");
        }
        if (kind != "arg" && kind != "annotation" && closes) {
            lines.insert(line);
        }
    }
    return lines;
}

std::set<std::string> documented()
{
    std::set<std::string> lines;
    for (const auto &entry : std::filesystem::directory_iterator(DEVHOST_INTERFACES)) {
        if (entry.path().extension() == ".xml") {
            std::ifstream stream(entry.path());
            lines.merge(members({std::istreambuf_iterator<char>(stream), {}}));
        }
    }
    return lines;
}

class Interfaces : public BusFixture {
protected:
    std::string introspect(const std::string &path)
    {
        const Answer answer =
            call(*client, path, "org.freedesktop.DBus.Introspectable", "Introspect");
        return BusType<std::string>::read(*answer.message);
    }
};

TEST_F(Interfaces, ServiceHasWhatTheFilesSay)
{
    make_guest();
    std::set<std::string> served;
    for (const std::string &path :
         {std::string("/org/devhost1"), power_object, guest_object, device_object}) {
        served.merge(members(introspect(path)));
    }
    EXPECT_GT(documented().size(), 40U);
    EXPECT_EQ(served, documented());
}

TEST_F(Interfaces, EveryPropertyCanBeReadInItsType)
{
    make_guest();
    for (const auto &[path, interface] :
         {std::pair(std::string("/org/devhost1"), std::string("org.devhost1.Manager")),
          std::pair(guest_object, guest_iface), std::pair(guest_object, policy_iface),
          std::pair(device_object, device_iface), std::pair(power_object, power_iface),
          std::pair(guest_object, guest_power_iface)}) {
        const Setting all = properties(path, interface);
        const std::string prefix = interface + " property ";
        std::set<std::string> names;
        for (const std::string &line : documented()) {
            if (line.starts_with(prefix)) {
                names.insert(
                    line.substr(prefix.size(), line.find(' ', prefix.size()) - prefix.size()));
            }
        }
        std::set<std::string> read;
        for (const auto &[name, unused] : std::get<SettingTable>(all.value)) {
            read.insert(name);
        }
        EXPECT_EQ(read, names) << interface;
    }
}

TEST_F(Interfaces, TreeHasTheObjects)
{
    make_guest();
    EXPECT_NE(introspect("/org/devhost1").find("<node name=\"guest"), std::string::npos);
    EXPECT_NE(introspect("/org/devhost1/guest").find("<node name=\"ivi"), std::string::npos);
    EXPECT_NE(introspect(guest_object).find("<node name=\"can0\"/>"), std::string::npos);
}

} // namespace
} // namespace devhost::test
