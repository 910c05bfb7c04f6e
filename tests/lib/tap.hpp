// SPDX-License-Identifier: Apache-2.0
// A tiny test registry that prints TAP as kselftest wants it.
//
//   TEST("S1 DRIVER_OK without FEATURES_OK") { CHECK_EQ(a, b); }
//   TEST_RINGS("D4 head out of range") { Guest guest(setup(ring)); ... }
//
// The second form runs once for the split and once for the packed ring.
#pragma once

#include <chrono>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace dh {

enum class RingKind { split, packed };

// Waits until @holds() does, for so long at most; whether it does. It is asked once more when the
// time is up: this thread may have been held up, not what it waits for.
template <typename F>
bool within(int ms, F holds)
{
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds(ms);
    for (bool last = false; !holds(); std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
        if (last) {
            return false;
        }
        last = Clock::now() >= end;
    }
    return true;
}

} // namespace dh

namespace dh::tap {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Skip : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Register {
    Register(const char *name, void (*body)());
    Register(const char *name, void (*body)(RingKind));
};

// Runs around each test; what end() returns is why the test fails, or "".
struct Check {
    virtual ~Check() = default;
    virtual void begin() = 0;
    virtual std::string end() = 0;
};
void add_check(Check *check);

// The running test fails, but goes on: for destructors and threads.
void fail_later(const std::string &why);
// A TAP comment line.
void note(const std::string &text);
// How often to do something: @soak with DEVHOST_SOAK=1.
unsigned rounds(unsigned normal, unsigned soak);
// Seconds the running test may take from now on.
void time_limit(unsigned seconds);
// What it is at: said where it does not end.
void doing(const std::string &what);

// The whole program: [--list] [FILTER]...; a filter is a part of a test's name.
int main(int argc, char **argv);

template <typename T>
std::string show(const T &value)
{
    std::ostringstream out;
    if constexpr (std::is_enum_v<T>) {
        out << static_cast<long long>(value);
    } else if constexpr (sizeof(T) == 1 && std::is_integral_v<T>) {
        out << static_cast<int>(value);
    } else {
        out << value;
    }
    return out.str();
}

[[noreturn]] void fail(const char *file, int line, const std::string &why);

template <typename A, typename B>
void check_eq(const char *file, int line, const char *text, const A &a, const B &b)
{
    if (!(a == b)) {
        fail(file, line, std::string(text) + ": " + show(a) + " is not " + show(b));
    }
}

} // namespace dh::tap

#define DH_CAT2(a, b) a##b
#define DH_CAT(a, b) DH_CAT2(a, b)

// Numbered by a counter, as several files may be compiled as one.
#define DH_TEST(name, number, parameter)                                                           \
    static void DH_CAT(test_, number)(parameter);                                                  \
    static const ::dh::tap::Register DH_CAT(register_, number)(name, DH_CAT(test_, number));       \
    static void DH_CAT(test_, number)(parameter)

#define TEST(name) DH_TEST(name, __COUNTER__, )
#define TEST_RINGS(name) DH_TEST(name, __COUNTER__, [[maybe_unused]] ::dh::RingKind ring)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ::dh::tap::fail(__FILE__, __LINE__, #condition);                                       \
    } while (0)
#define CHECK_EQ(a, b) ::dh::tap::check_eq(__FILE__, __LINE__, #a " == " #b, a, b)
#define FAIL(why) ::dh::tap::fail(__FILE__, __LINE__, why)
#define SKIP(why) throw ::dh::tap::Skip(why)
