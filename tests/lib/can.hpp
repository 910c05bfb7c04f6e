// SPDX-License-Identifier: Apache-2.0
// virtio-can as the specification has it, its driver, and SocketCAN on the host.
#pragma once

#include <linux/can.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "control.hpp"
#include "guest.hpp"

namespace dh::can {

// virtio 1.4, 5.23 CAN device; little-endian.
constexpr uint32_t virtio_id = 36;
enum Vq : uint32_t { txq, rxq, controlq };
enum Feature : unsigned { f_classic, f_fd, f_rtr, f_late_tx_ack };
constexpr uint16_t msg_tx = 0x0001;
constexpr uint16_t msg_rx = 0x0101;
constexpr uint16_t msg_start = 0x0201;
constexpr uint16_t msg_stop = 0x0202;
constexpr uint32_t flag_fd = 0x4000;
constexpr uint32_t flag_extended = 0x8000;
constexpr uint32_t flag_rtr = 0x2000;
constexpr uint8_t result_ok = 0;
constexpr uint8_t result_not_ok = 1;
constexpr uint16_t status_busoff = 1;

// struct virtio_can_tx_out and struct virtio_can_rx have the same form.
struct Header {
    uint16_t msg_type;
    uint16_t length;
    uint8_t reserved_classic_dlc;
    uint8_t padding;
    uint16_t reserved_xl_priority;
    uint32_t flags;
    uint32_t can_id;
};
static_assert(sizeof(Header) == 16);

// A frame as both sides see it.
struct Frame {
    uint32_t id = 0;
    uint32_t flags = 0; // of flag_*
    std::vector<uint8_t> data;
    bool operator==(const Frame &) const = default;
};
std::ostream &operator<<(std::ostream &out, const Frame &frame);

Header header(const Frame &frame, uint16_t msg_type = msg_tx);

// A device of class "can" on that interface.
DeviceParams params(const std::string &interface, RingKind ring = RingKind::split);

class CanGuest : public Guest {
public:
    CanGuest(const std::string &path, GuestSetup setup) : Guest(path, setup) {}

    // START and STOP, and any other message; the result, or nothing where the
    // answer has no length.
    std::optional<uint8_t> control(uint16_t msg_type);
    // Start it as a driver does: Guest::start(), receive buffers, START.
    void bring_up(unsigned rx_buffers = 32, uint32_t rx_size = sizeof(Header) + 64);

    // The same after a device reset, which it does; or all but START.
    void begin_again(unsigned rx_buffers = 32);
    void begin_again_stopped(unsigned rx_buffers = 32);
    // After reset(): nothing is pending any more.
    void forget();

    // One transmission from beginning to end.
    std::optional<uint8_t> send(const Frame &frame);
    std::optional<uint8_t> send_raw(const Header &header, const std::vector<uint8_t> &data);
    // Queues a transmission; its id. collect() takes what came back.
    int queue_tx(const Frame &frame);
    struct Done {
        int id;
        uint32_t length;
        uint8_t result;
    };
    Done collect(int timeout_ms = 10000);

    void post_rx(unsigned count, uint32_t size = sizeof(Header) + 64);
    // The next frame, its buffer given to the device again; nothing in that time.
    std::optional<Frame> receive(int timeout_ms = 5000, bool repost = true);
    uint16_t config_status();

    // Both ways, with a host socket: what has to work after anything bad.
    void good(class Socket &host);

private:
    uint64_t slot(std::vector<uint64_t> &pool, size_t size);

    std::vector<uint64_t> tx_pool_;      // free tx slots
    std::map<int, uint64_t> tx_pending_; // by id
    struct RxBuffer {
        uint64_t addr;
        uint32_t size;
    };
    std::map<int, RxBuffer> rx_pending_;
    uint64_t control_ = 0;
    uint32_t serial_ = 0;
};

// A raw SocketCAN socket, FD frames and error frames on request.
class Socket {
public:
    explicit Socket(const std::string &interface, bool errors = false);
    // 0 or -errno.
    int try_send(const Frame &frame);
    void send(const Frame &frame);
    std::optional<Frame> receive(int timeout_ms = 5000);
    // Error frames have CAN_ERR_FLAG in the id.
    int fd() const { return fd_.get(); }

private:
    Fd fd_;
};

// A virtual CAN interface, FD capable and up, gone at the end of the scope.
class Vcan {
public:
    explicit Vcan(std::string name = "vcanT");
    Vcan(const Vcan &) = delete;
    Vcan &operator=(const Vcan &) = delete;
    ~Vcan();
    const std::string &name() const { return name_; }
    void up();
    void down();

private:
    std::string name_;
};

// Two controllers of tests/kmod/candev_sim on one bus, csim0 and csim1, FD capable and up.
class SimBus {
public:
    explicit SimBus(const std::string &options = "");
    SimBus(const SimBus &) = delete;
    SimBus &operator=(const SimBus &) = delete;
    ~SimBus();
    // Its bit timing, and up.
    static void configure(const std::string &name, const std::string &options);
    // A file below debugfs's candev_sim: "csim0/tx_hold".
    static void set(const std::string &file, const std::string &value);
};

// A bus, a device on it, a guest that is started, and a host socket.
struct CanFixture {
    explicit CanFixture(GuestSetup setup, bool up = true)
        : device(params(bus.name(), setup.ring)), guest(device.path(), setup), host(bus.name())
    {
        if (up) {
            guest.bring_up();
        }
    }
    Vcan bus;
    TestDevice device;
    CanGuest guest;
    Socket host;
};

} // namespace dh::can
