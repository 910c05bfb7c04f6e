// SPDX-License-Identifier: Apache-2.0
//
// scmi-agent NODE FIFO [ANSWER]: a guest's SCMI agent on a vhost-vdpa node. It says on its standard
// output what it is told of system power ("told STATE"), and does what it reads from FIFO:
//   ask STATE       SYSTEM_POWER_STATE_SET, graceful
//   rate ID HZ      CLOCK_RATE_SET
//   on ID, off ID   CLOCK_CONFIG_SET
//   read ID         SENSOR_READING_GET, prints "value VALUE"
//   exit
// ANSWER is what it does about a transition: "ask" for the same state, "exit", a number: ask after
// so many milliseconds, or "never".
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "scmi.hpp"

namespace {

using namespace dh;
using namespace dh::scmi;

constexpr uint32_t graceful = 1;
constexpr uint32_t power_up = 3;

class Agent {
public:
    Agent(const std::string &node, const std::string &fifo, std::string answer)
        : guest_(node, GuestSetup{}),
          fifo_(open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)),
          answer_(std::move(answer))
    {
        guest_.bring_up();
        guest_.ok(system_power, 0x5, {1});
        say("ready");
    }

    // Until it is told to go.
    void run()
    {
        while (!done_) {
            read_commands();
            if (const auto event = guest_.event(50)) {
                if (event->type == notification && event->protocol == system_power) {
                    told(event->u32(8));
                }
            }
        }
    }

private:
    static void say(const std::string &text)
    {
        std::printf("%s\n", text.c_str());
        std::fflush(stdout);
    }

    void ask(uint32_t state)
    {
        const int32_t status = guest_.status(system_power, 0x3, {graceful, state});
        say("asked " + std::to_string(state) + ": " + std::to_string(status));
    }

    void told(uint32_t state)
    {
        say("told " + std::to_string(state));
        if (state == power_up || answer_ == "never") {
            return;
        }
        if (answer_ == "exit") {
            done_ = true;
            return;
        }
        if (answer_ != "ask") {
            std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(answer_)));
        }
        ask(state);
    }

    void read_commands()
    {
        char buffer[256];
        const ssize_t count = read(fifo_, buffer, sizeof(buffer));
        if (count > 0) {
            input_.append(buffer, static_cast<size_t>(count));
        }
        for (size_t end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
            run_command(input_.substr(0, end));
            input_.erase(0, end + 1);
        }
    }

    void run_command(const std::string &line)
    {
        std::istringstream words(line);
        std::string verb;
        uint32_t first = 0;
        uint32_t second = 0;
        words >> verb >> first >> second;
        if (verb == "ask") {
            ask(first);
        } else if (verb == "rate") {
            guest_.ok(clk, 0x5, {0, first, second, 0});
            say("rate set");
        } else if (verb == "on" || verb == "off") {
            guest_.ok(clk, 0x7, {first, verb == "on" ? 1U : 0U, 0});
        } else if (verb == "read") {
            const Answer answer = guest_.call(sensor, 0x6, {first, 0});
            say(answer.status == success ? "value " + std::to_string(answer.u64(0)) : "no value");
        } else if (verb == "exit") {
            done_ = true;
        }
    }

    ScmiGuest guest_;
    int fifo_;
    std::string answer_;
    std::string input_;
    bool done_ = false;
};

} // namespace

int main(int argc, char **argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: scmi-agent NODE FIFO [ask|exit|never|MILLISECONDS]\n");
        return 2;
    }
    try {
        Agent agent(argv[1], argv[2], argc > 3 ? argv[3] : "ask");
        agent.run();
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "scmi-agent: %s\n", error.what());
        return 1;
    }
}
