// SPDX-License-Identifier: Apache-2.0
#include "video.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "host.hpp"

namespace dh::video {

namespace {

constexpr size_t request_max = 88 + 16 * 2048;
constexpr size_t answer_max = 64 << 10;
constexpr uint32_t table_entries = 8;

std::vector<uint8_t> bytes_of(uint32_t type, uint32_t stream, const Words &words)
{
    std::vector<uint32_t> all{type, stream};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<uint8_t> bytes(all.size() * 4);
    memcpy(bytes.data(), all.data(), bytes.size());
    return bytes;
}

Words padded(Words words, size_t size)
{
    words.resize(size);
    return words;
}

} // namespace

Words create_words(uint32_t format)
{
    return padded({0, 0, format}, 20);
}

Words params_words(uint32_t queue, uint32_t format, uint32_t width, uint32_t height,
                   uint32_t planes, uint32_t size)
{
    return padded({queue, format, width, height, 0, 0, 0, 0, 0, 0, 0, planes, size}, 30);
}

Words attach_words(uint32_t queue, uint32_t id, uint32_t layout, uint32_t planes,
                   const Words &counts, const Words &entries)
{
    Words words = padded({queue, id, layout, planes}, 12);
    words.insert(words.end(), counts.begin(), counts.end());
    words.resize(20);
    words.insert(words.end(), entries.begin(), entries.end());
    return words;
}

void add_entry(Words &entries, uint64_t addr, uint32_t length)
{
    entries.insert(entries.end(), {low(addr), high(addr), length, 0});
}

Words queue_words(uint32_t queue, uint32_t id, uint32_t planes, uint32_t size, uint64_t timestamp)
{
    return padded({queue, id, low(timestamp), high(timestamp), planes, size}, 14);
}

uint32_t Answer::u32(size_t at) const
{
    CHECK(at + 4 <= bytes.size());
    uint32_t value = 0;
    memcpy(&value, bytes.data() + at, 4);
    return value;
}

void VideoGuest::bring_up(unsigned events)
{
    start();
    mark_ = memory().allocated();
    begin_again(events);
}

void VideoGuest::begin_again(unsigned events)
{
    pool_.clear();
    pending_.clear();
    answers_.clear();
    order_.clear();
    events_.clear();
    memory().alloc_reset(mark_);
    for (unsigned i = 0; i < events; i++) {
        const uint64_t where = alloc(8);
        events_[Guest::queue(eventq).add({{where, 8, true}})] = where;
    }
    Guest::queue(eventq).kick_if_wanted();
}

int VideoGuest::send_raw(const std::vector<uint8_t> &request, uint32_t room)
{
    CHECK(request.size() <= request_max && room <= answer_max);
    if (pool_.empty()) {
        pool_.push_back({alloc(request_max), alloc(answer_max), 0, alloc(16 * table_entries), 0});
    }
    Slot slot = pool_.back();
    slot.room = room;
    memset(at(slot.answer, answer_max), 0x5a, answer_max);
    std::vector<dh::Buffer> buffers;
    if (!request.empty()) {
        memcpy(at(slot.request, request.size()), request.data(), request.size());
        // Framing is not the device's business: the header in two pieces.
        const uint32_t first = std::min<uint32_t>(6, static_cast<uint32_t>(request.size()));
        buffers.push_back({slot.request, first, false});
        if (request.size() > first) {
            buffers.push_back(
                {slot.request + first, static_cast<uint32_t>(request.size()) - first, false});
        }
    }
    if (room) {
        buffers.push_back({slot.answer, room, true});
    }
    const int id = Guest::queue(commandq).add(buffers, slot.table);
    CHECK(id >= 0);
    pool_.pop_back();
    slot.serial = ++serial_;
    pending_[id] = slot;
    Guest::queue(commandq).kick_if_wanted();
    return slot.serial;
}

int VideoGuest::send(uint32_t type, uint32_t stream, const Words &words, uint32_t room)
{
    return send_raw(bytes_of(type, stream, words), room);
}

bool VideoGuest::take(int timeout_ms)
{
    Queue &q = Guest::queue(commandq);
    Used used{};
    if (!q.take(used)) {
        if (!q.wait(timeout_ms) || !q.take(used)) {
            return false;
        }
    }
    const auto pending = pending_.find(used.id);
    if (pending == pending_.end()) {
        throw tap::Failure("a request came back that was not pending");
    }
    const Slot slot = pending->second;
    pending_.erase(pending);
    pool_.push_back(slot);
    CHECK(used.length <= slot.room);
    Answer answer;
    answer.id = slot.serial;
    answer.length = used.length;
    const uint8_t *bytes = at(slot.answer, answer_max);
    answer.bytes.assign(bytes, bytes + used.length);
    if (used.length >= 8) {
        answer.type = answer.u32(0);
    }
    order_.push_back(slot.serial);
    answers_[slot.serial] = answer;
    return true;
}

Answer VideoGuest::wait(int id, int timeout_ms)
{
    while (!answers_.contains(id)) {
        if (!take(timeout_ms)) {
            throw tap::Failure("no answer in time");
        }
    }
    Answer answer = answers_.at(id);
    answers_.erase(id);
    return answer;
}

bool VideoGuest::answered(int id)
{
    while (!answers_.contains(id)) {
        if (!take(0)) {
            return false;
        }
    }
    return true;
}

Answer VideoGuest::ok(uint32_t type, uint32_t stream, const Words &words, uint32_t room)
{
    Answer answer = call(type, stream, words, room);
    if (answer.type < ok_nodata || answer.type >= err_invalid_operation) {
        std::ostringstream why;
        why << std::hex << "request " << type << ": answer " << answer.type;
        throw tap::Failure(why.str());
    }
    return answer;
}

std::optional<Event> VideoGuest::event(int timeout_ms)
{
    Queue &q = Guest::queue(eventq);
    Used used{};
    if (!q.take(used) && (!q.wait(timeout_ms) || !q.take(used))) {
        return std::nullopt;
    }
    CHECK_EQ(used.length, 8U);
    const uint64_t where = events_.at(used.id);
    events_.erase(used.id);
    Event event{};
    memcpy(&event, at(where, 8), 8);
    events_[q.add({{where, 8, true}})] = where;
    q.kick_if_wanted();
    return event;
}

void VideoGuest::create(uint32_t stream, uint32_t format)
{
    ok(stream_create, stream, create_words(format));
}

Params VideoGuest::params(uint32_t stream, uint32_t queue)
{
    const bool ext = dialect_ == Dialect::chromeos;
    const Answer answer = ok(ext ? get_params_ext : get_params, stream, {queue, 0});
    CHECK_EQ(answer.length, ext ? 128U : 120U);
    CHECK_EQ(answer.type, static_cast<uint32_t>(ok_get_params));
    CHECK_EQ(answer.u32(8), queue);
    Params p;
    p.format = answer.u32(12);
    p.width = answer.u32(16);
    p.height = answer.u32(20);
    p.min_buffers = answer.u32(24);
    p.max_buffers = answer.u32(28);
    p.crop_width = answer.u32(40);
    p.crop_height = answer.u32(44);
    const uint32_t planes = answer.u32(52);
    CHECK(planes >= 1 && planes <= 8);
    for (uint32_t i = 0; i < planes; i++) {
        p.size += answer.u32(56 + 8 * i);
    }
    return p;
}

Answer VideoGuest::set(uint32_t stream, uint32_t queue, uint32_t format, uint32_t width,
                       uint32_t height, uint32_t size)
{
    const bool ext = dialect_ == Dialect::chromeos;
    Words words = params_words(queue, format, width, height, 1, size);
    words.resize(ext ? 30 : 28);
    return call(ext ? set_params_ext : set_params, stream, words);
}

Resource VideoGuest::buffer(uint32_t id, uint32_t size)
{
    Resource buffer;
    buffer.id = id;
    buffer.size = size;
    for (uint32_t done = 0; done < size; done += page_size) {
        if (next_ < end_) {
            buffer.pages.push_back(next_);
            next_ += page_size;
        } else {
            buffer.pages.push_back(alloc(page_size, page_size));
        }
    }
    // All but the last, which may be a part of a page.
    if (buffer.pages.size() > 2) {
        std::reverse(buffer.pages.begin(), buffer.pages.end() - 1);
    }
    return buffer;
}

Answer VideoGuest::attach(uint32_t stream, uint32_t queue, const Resource &buffer)
{
    Words entries;
    uint32_t left = buffer.size;
    for (const uint64_t page : buffer.pages) {
        const uint32_t length = std::min<uint32_t>(left, page_size);
        add_entry(entries, page, length);
        left -= length;
    }
    const auto pages = static_cast<uint32_t>(buffer.pages.size());
    return call(resource_create, stream, attach_words(queue, buffer.id, 1, 1, {pages}, entries));
}

void VideoGuest::write(const Resource &buffer, const std::vector<uint8_t> &data)
{
    CHECK(data.size() <= buffer.size);
    for (size_t done = 0; done < data.size(); done += page_size) {
        const size_t n = std::min<size_t>(data.size() - done, page_size);
        memcpy(at(buffer.pages.at(done / page_size), n), data.data() + done, n);
    }
}

std::vector<uint8_t> VideoGuest::read(const Resource &buffer, uint32_t size)
{
    CHECK(size <= buffer.size);
    std::vector<uint8_t> data(size);
    for (size_t done = 0; done < size; done += page_size) {
        const size_t n = std::min<size_t>(size - done, page_size);
        memcpy(data.data() + done, at(buffer.pages.at(done / page_size), n), n);
    }
    return data;
}

int VideoGuest::queue_buffer(uint32_t stream, uint32_t queue, const Resource &buffer, uint32_t size,
                             uint64_t timestamp)
{
    return send(resource_queue, stream, queue_words(queue, buffer.id, 1, size, timestamp), 24);
}

void VideoGuest::good()
{
    CHECK_EQ(call(query_capability, 0, {input, 0}, answer_max).type,
             static_cast<uint32_t>(ok_query_capability));
}

std::string vicodec(bool encoder)
{
    const std::string want = encoder ? "stateful-encoder" : "stateful-decoder";
    shell("modprobe -q vicodec || true");
    const std::filesystem::path dir = "/sys/class/video4linux";
    if (std::filesystem::exists(dir)) {
        for (const auto &entry : std::filesystem::directory_iterator(dir)) {
            if (read_file(entry.path() / "name").starts_with(want)) {
                return "/dev/" + entry.path().filename().string();
            }
        }
    }
    throw tap::Skip("no vicodec on this host");
}

Fd open_node(const std::string &node)
{
    Fd fd(::open(node.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    CHECK(fd.get() >= 0);
    return fd;
}

DeviceParams params(bool encoder, RingKind ring, const Fd &fd)
{
    DeviceParams device;
    device.device_class = encoder ? "video_encoder" : "video_decoder";
    if (ring == RingKind::split) {
        device.features_mask = ~bit(VIRTIO_F_RING_PACKED);
    }
    device.backend = Attrs().u32(DEVHOST_A_VIDEO_FD, static_cast<uint32_t>(fd.get()));
    return device;
}

GuestSetup setup(RingKind ring)
{
    GuestSetup setup = with_ring(ring);
    setup.ram = 64 << 20;
    return setup;
}

VideoFixture::VideoFixture(bool encoder, GuestSetup setup, Dialect dialect, uint64_t more_size)
    : node(open_node(vicodec(encoder))),
      device(params(encoder, setup.ring, node)),
      guest(device.path(), setup, dialect)
{
    if (more_size) {
        guest.memory().regions()[0].size -= more_size;
        guest.memory().add(more, more_size, setup.ram - more_size);
    }
    guest.bring_up();
}

} // namespace dh::video
