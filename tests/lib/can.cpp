// SPDX-License-Identifier: Apache-2.0
#include "can.hpp"

#include <cstring>

namespace dh::can {

std::ostream &operator<<(std::ostream &out, const Frame &frame)
{
    out << std::hex << "[id " << frame.id << " flags " << frame.flags << " data";
    for (uint8_t byte : frame.data) {
        out << ' ' << static_cast<int>(byte);
    }
    return out << std::dec << "]";
}

Header header(const Frame &frame, uint16_t msg_type)
{
    Header h{};
    h.msg_type = msg_type;
    h.length = static_cast<uint16_t>(frame.data.size());
    h.flags = frame.flags;
    h.can_id = frame.id;
    return h;
}

DeviceParams params(const std::string &interface, RingKind ring)
{
    DeviceParams device;
    device.device_class = "can";
    if (ring == RingKind::split) {
        device.features_mask = ~bit(VIRTIO_F_RING_PACKED);
    }
    device.backend = Attrs().string(DEVHOST_A_CAN_IFNAME, interface);
    return device;
}

std::optional<uint8_t> CanGuest::control(uint16_t msg_type)
{
    if (!control_) {
        control_ = alloc(4);
    }
    *as<uint16_t>(control_) = msg_type;
    *at(control_ + 2) = 0xff;
    Queue &q = queue(controlq);
    const int id = q.add({{control_, 2, false}, {control_ + 2, 1, true}});
    CHECK(id >= 0);
    q.kick_if_wanted();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    if (used.length != 1) {
        return std::nullopt;
    }
    return *at(control_ + 2);
}

void CanGuest::bring_up(unsigned rx_buffers, uint32_t rx_size)
{
    start();
    post_rx(rx_buffers, rx_size);
    CHECK_EQ(control(msg_start).value_or(0xff), result_ok);
}

void CanGuest::begin_again(unsigned rx_buffers)
{
    begin_again_stopped(rx_buffers);
    CHECK_EQ(control(msg_start).value_or(0xff), result_ok);
}

void CanGuest::forget()
{
    for (const auto &[id, where] : tx_pending_) {
        tx_pool_.push_back(where);
    }
    tx_pending_.clear();
    rx_pending_.clear();
}

void CanGuest::begin_again_stopped(unsigned rx_buffers)
{
    forget();
    restart();
    post_rx(rx_buffers);
}

uint64_t CanGuest::slot(std::vector<uint64_t> &pool, size_t size)
{
    if (pool.empty()) {
        return alloc(size);
    }
    const uint64_t where = pool.back();
    pool.pop_back();
    return where;
}

int CanGuest::queue_tx(const Frame &frame)
{
    const uint64_t where = slot(tx_pool_, sizeof(Header) + 64 + 1);
    *as<Header>(where) = header(frame);
    memcpy(at(where + sizeof(Header), 64), frame.data.data(),
           std::min<size_t>(64, frame.data.size()));
    const uint64_t in = where + sizeof(Header) + 64;
    *at(in) = 0xff;
    Queue &q = queue(txq);
    const int id = q.add(
        {{where, static_cast<uint32_t>(sizeof(Header) + frame.data.size()), false}, {in, 1, true}});
    if (id < 0) {
        tx_pool_.push_back(where);
        return id;
    }
    tx_pending_[id] = where;
    q.kick_if_wanted();
    return id;
}

CanGuest::Done CanGuest::collect(int timeout_ms)
{
    const Used used = queue(txq).expect(timeout_ms);
    auto pending = tx_pending_.find(used.id);
    if (pending == tx_pending_.end()) {
        throw tap::Failure("a transmission came back that was not pending");
    }
    const uint64_t where = pending->second;
    tx_pending_.erase(pending);
    tx_pool_.push_back(where);
    return {used.id, used.length, *at(where + sizeof(Header) + 64)};
}

std::optional<uint8_t> CanGuest::send(const Frame &frame)
{
    const int id = queue_tx(frame);
    CHECK(id >= 0);
    const Done done = collect();
    CHECK_EQ(done.id, id);
    if (done.length != 1) {
        return std::nullopt;
    }
    return done.result;
}

std::optional<uint8_t> CanGuest::send_raw(const Header &h, const std::vector<uint8_t> &data)
{
    const uint64_t where = alloc(sizeof(h) + data.size() + 1);
    *as<Header>(where) = h;
    if (!data.empty()) {
        memcpy(at(where + sizeof(h), data.size()), data.data(), data.size());
    }
    const uint64_t in = where + sizeof(h) + data.size();
    *at(in) = 0xff;
    Queue &q = queue(txq);
    const int id =
        q.add({{where, static_cast<uint32_t>(sizeof(h) + data.size()), false}, {in, 1, true}});
    CHECK(id >= 0);
    q.kick_if_wanted();
    const Used used = q.expect();
    CHECK_EQ(used.id, id);
    if (used.length != 1) {
        return std::nullopt;
    }
    return *at(in);
}

void CanGuest::post_rx(unsigned count, uint32_t size)
{
    Queue &q = queue(rxq);
    for (unsigned i = 0; i < count; i++) {
        const uint64_t where = alloc(std::max<uint32_t>(size, 1));
        const int id = q.add({{where, size, true}});
        CHECK(id >= 0);
        rx_pending_[id] = {where, size};
    }
    q.kick_if_wanted();
}

std::optional<Frame> CanGuest::receive(int timeout_ms, bool repost)
{
    Queue &q = queue(rxq);
    Used used{};
    if (!q.wait(timeout_ms) || !q.take(used)) {
        return std::nullopt;
    }
    auto pending = rx_pending_.find(used.id);
    if (pending == rx_pending_.end()) {
        throw tap::Failure("a receive buffer came back that was not pending");
    }
    const RxBuffer buffer = pending->second;
    rx_pending_.erase(pending);

    const Header h = *as<Header>(buffer.addr);
    CHECK_EQ(h.msg_type, msg_rx);
    CHECK_EQ(h.padding, 0);
    CHECK_EQ(h.reserved_xl_priority, 0);
    CHECK_EQ(used.length, sizeof(Header) + h.length);
    const uint8_t *bytes = at(buffer.addr + sizeof(Header), std::max<uint16_t>(h.length, 1));
    Frame frame{h.can_id, h.flags, {bytes, bytes + h.length}};
    if (repost) {
        const int id = q.add({{buffer.addr, buffer.size, true}});
        CHECK(id >= 0);
        rx_pending_[id] = buffer;
        q.kick_if_wanted();
    }
    return frame;
}

uint16_t CanGuest::config_status()
{
    uint16_t status = 0;
    must(vdpa().config_get(0, &status, sizeof(status)), "reading the CAN status");
    return status;
}

void CanGuest::good(Socket &host)
{
    serial_++;
    const Frame out{0x100 + serial_ % 0x100, 0, {1, 2, 3, static_cast<uint8_t>(serial_)}};
    CHECK_EQ(send(out).value_or(0xff), result_ok);
    for (;;) {
        auto frame = host.receive();
        CHECK(frame.has_value());
        if (*frame == out) {
            break;
        }
    }
    const Frame in{0x12345 + serial_, flag_extended, {9, 8, 7, 6, 5, 4, 3, 2}};
    host.send(in);
    for (;;) {
        auto frame = receive();
        CHECK(frame.has_value());
        if (*frame == in) {
            break;
        }
    }
}

} // namespace dh::can
