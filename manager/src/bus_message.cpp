// SPDX-License-Identifier: Apache-2.0
#include "bus_message.hpp"

#include "error.hpp"

namespace devhost {

BusMessage share(sd_bus_message &message)
{
    return BusMessage(sd_bus_message_ref(&message));
}

int bus_require(int result, const char *what)
{
    if (result < 0) {
        throw system_error(result, what);
    }
    return result;
}

namespace bus {

namespace {

int read_require(int result)
{
    if (result < 0) {
        throw Error(Cause::invalid_args,
                    "The message's arguments have not the types of this method.");
    }
    return result;
}

int append_require(int result)
{
    return bus_require(result, "Cannot write a D-Bus message");
}

} // namespace

void append_basic(sd_bus_message &message, char type, const void *value)
{
    append_require(sd_bus_message_append_basic(&message, type, value));
}

void append_text(sd_bus_message &message, char type, const std::string &value)
{
    append_basic(message, type, value.c_str());
}

void read_basic(sd_bus_message &message, char type, void *value)
{
    if (read_require(sd_bus_message_read_basic(&message, type, value)) == 0) {
        read_require(-ENXIO);
    }
}

std::string read_text(sd_bus_message &message, char type)
{
    const char *text = nullptr;
    read_basic(message, type, static_cast<void *>(&text));
    return text;
}

void open(sd_bus_message &message, char type, const std::string &contents)
{
    append_require(sd_bus_message_open_container(&message, type, contents.c_str()));
}

void close(sd_bus_message &message)
{
    append_require(sd_bus_message_close_container(&message));
}

bool enter(sd_bus_message &message, char type, const char *contents)
{
    return read_require(sd_bus_message_enter_container(&message, type, contents)) > 0;
}

void exit(sd_bus_message &message)
{
    read_require(sd_bus_message_exit_container(&message));
}

} // namespace bus

} // namespace devhost
