// SPDX-License-Identifier: Apache-2.0
// Each module of ours is loaded with every allocation of that failing once.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "faults.hpp"
#include "fd.hpp"
#include "host.hpp"
#include "tap.hpp"

using namespace dh;

namespace {

constexpr const char *in_order[] = {"devhost",   "vhost_can",     "vhost_scmi",
                                    "vhost_snd", "vhost_snd_mix", "vhost_video"};

// None of ours; what they need is there. All of them again at the end.
struct Unloaded {
    Unloaded()
    {
        shell("modprobe -a devhost vhost_can vhost_scmi vhost_snd_mix vhost_video");
        shell("modprobe -r vhost_echo vhost_video vhost_snd_mix vhost_scmi vhost_can");
        // modprobe takes away what the modules need, too
        shell("modprobe -a vhost_vdpa $(modinfo -F depends devhost vhost_can vhost_scmi vhost_snd "
              "vhost_snd_mix vhost_video | tr , '\\n' | grep -v '^devhost$\\|^vhost_snd$' | sort "
              "-u)");
    }
    ~Unloaded()
    {
        try {
            shell("modprobe -a devhost vhost_can vhost_scmi vhost_snd_mix vhost_video");
        } catch (const std::exception &error) {
            tap::fail_later(error.what());
        }
    }
};

bool loaded(const std::string &name)
{
    return access(("/sys/module/" + name).c_str(), F_OK) == 0;
}

} // namespace

TEST("faults: modules are loaded")
{
    const faults::Switch on; // skips the test without taking anything away
    const Unloaded none;
    for (const std::string name : in_order) {
        CHECK(!loaded(name));
        const std::string file = "/tmp/" + name + ".ko";
        shell("f=$(modinfo -n " + name + "); case $f in *.xz) xz -dc $f;; *) cat $f;; esac >" +
              file);
        faults::each(
            [&] {
                const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
                return fd && syscall(SYS_finit_module, fd.get(), "", 0) == 0;
            },
            [&](bool done) {
                if (done) {
                    CHECK(syscall(SYS_delete_module, name.c_str(), O_NONBLOCK) == 0);
                }
                CHECK(!loaded(name));
            });
        shell("modprobe " + name);
        unlink(file.c_str());
    }
}
