// SPDX-License-Identifier: Apache-2.0
#include "tap.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace dh::tap {

namespace {

struct Test {
    std::string name;
    std::function<void()> body;
};

std::vector<Test> &tests()
{
    static std::vector<Test> list;
    return list;
}

std::vector<Check *> &checks()
{
    static std::vector<Check *> list;
    return list;
}

std::mutex later_lock;
std::string later;

// Generous: the clock of an emulated machine can be off by several times.
constexpr unsigned default_limit = 600;
char running[256];
char step[256];

// Only async-signal-safe calls: the test may hang anywhere.
void timed_out(int)
{
    static const char head[] = "Bail out! no end in sight: ";
    (void)!write(STDOUT_FILENO, head, sizeof(head) - 1);
    (void)!write(STDOUT_FILENO, running, strlen(running));
    if (step[0]) {
        (void)!write(STDOUT_FILENO, ": ", 2);
        (void)!write(STDOUT_FILENO, step, strlen(step));
    }
    (void)!write(STDOUT_FILENO, "\n", 1);
    _exit(1);
}

void comment(const std::string &text)
{
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        printf("# %s\n", line.c_str());
    }
}

std::string take_later()
{
    std::lock_guard guard(later_lock);
    return std::exchange(later, {});
}

struct Outcome {
    std::string failure;
    std::string skip;
};

Outcome run_one(const Test &test)
{
    Outcome outcome;
    take_later();
    for (Check *check : checks()) {
        check->begin();
    }
    try {
        test.body();
    } catch (const Skip &skip) {
        outcome.skip = skip.what();
    } catch (const std::exception &error) {
        outcome.failure = error.what();
        outcome.failure += "\n";
    }
    outcome.failure += take_later();
    for (Check *check : checks()) {
        if (const std::string why = check->end(); !why.empty()) {
            outcome.failure += why + "\n";
        }
    }
    return outcome;
}

bool selected(const Test &test, const std::vector<std::string> &filters)
{
    if (filters.empty()) {
        return true;
    }
    for (const std::string &filter : filters) {
        if (test.name.find(filter) != std::string::npos) {
            return true;
        }
    }
    return false;
}

} // namespace

Register::Register(const char *name, void (*body)())
{
    tests().push_back({name, body});
}

Register::Register(const char *name, void (*body)(RingKind))
{
    tests().push_back({std::string(name) + " (split)", [body] { body(RingKind::split); }});
    tests().push_back({std::string(name) + " (packed)", [body] { body(RingKind::packed); }});
}

void add_check(Check *check)
{
    checks().push_back(check);
}

void fail_later(const std::string &why)
{
    std::lock_guard guard(later_lock);
    if (later.size() < 4096) {
        later += why + "\n";
    }
}

void note(const std::string &text)
{
    comment(text);
    fflush(stdout);
}

unsigned rounds(unsigned normal, unsigned soak)
{
    static const bool soaking = getenv("DEVHOST_SOAK") != nullptr;
    return soaking ? soak : normal;
}

void time_limit(unsigned seconds)
{
    alarm(seconds);
}

void doing(const std::string &what)
{
    snprintf(step, sizeof(step), "%s", what.c_str());
}

void fail(const char *file, int line, const std::string &why)
{
    const char *slash = strrchr(file, '/');
    throw Failure(std::string(slash ? slash + 1 : file) + ":" + std::to_string(line) + ": " + why);
}

int main(int argc, char **argv)
{
    bool list = false;
    std::vector<std::string> filters;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--list")) {
            list = true;
        } else {
            filters.emplace_back(argv[i]);
        }
    }

    std::vector<const Test *> chosen;
    for (const Test &test : tests()) {
        if (selected(test, filters)) {
            chosen.push_back(&test);
        }
    }
    if (list) {
        for (const Test *test : chosen) {
            printf("%s\n", test->name.c_str());
        }
        return 0;
    }
    if (chosen.empty()) {
        fprintf(stderr, "no test has such a name; --list shows them\n");
        return 2;
    }

    signal(SIGALRM, timed_out);
    signal(SIGPIPE, SIG_IGN);
    printf("TAP version 13\n1..%zu\n", chosen.size());
    size_t failed = 0;
    for (size_t i = 0; i < chosen.size(); i++) {
        snprintf(running, sizeof(running), "%s", chosen[i]->name.c_str());
        fflush(stdout);
        alarm(default_limit);
        doing("");
        Outcome outcome = run_one(*chosen[i]);
        alarm(0);
        comment(outcome.failure);
        if (!outcome.failure.empty()) {
            failed++;
            printf("not ok %zu %s\n", i + 1, running);
        } else if (!outcome.skip.empty()) {
            printf("ok %zu %s # SKIP %s\n", i + 1, running, outcome.skip.c_str());
        } else {
            printf("ok %zu %s\n", i + 1, running);
        }
    }
    printf("# %zu of %zu failed\n", failed, chosen.size());
    fflush(stdout);
    return failed ? 1 : 0;
}

} // namespace dh::tap
