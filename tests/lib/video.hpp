// SPDX-License-Identifier: Apache-2.0
// virtio-video, RFC v3 and the ChromeOS set, as its drivers speak it, and the
// vicodec test driver on the host.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control.hpp"
#include "guest.hpp"

namespace dh::video {

enum Vq : uint32_t { commandq, eventq };
enum QueueType : uint32_t { input = 0x100, output = 0x101 };
enum Command : uint32_t {
    query_capability = 0x100,
    stream_create,
    stream_destroy,
    stream_drain,
    resource_create,
    resource_queue,
    resource_destroy_all,
    queue_clear,
    get_params,
    set_params,
    query_control,
    get_control,
    set_control,
    get_params_ext,
    set_params_ext,
};
enum Response : uint32_t {
    ok_nodata = 0x200,
    ok_query_capability,
    ok_resource_queue,
    ok_get_params,
    ok_query_control,
    ok_get_control,
    err_invalid_operation = 0x300,
    err_out_of_memory,
    err_invalid_stream_id,
    err_invalid_resource_id,
    err_invalid_parameter,
    err_unsupported_control,
};
enum Flag : uint32_t { flag_err = 1, flag_eos = 2, flag_iframe = 4, flag_pframe = 8 };
enum EventType : uint32_t { event_error = 0x100, event_resolution = 0x200 };
constexpr uint32_t format_nv12 = 3;
constexpr uint32_t format_yuv420 = 4;
constexpr uint32_t format_fwht = 0x1006;

using Words = std::vector<uint32_t>;

// Requests behind type and stream; what has no name here is zero.
Words create_words(uint32_t format = format_fwht);
// SET_PARAMS_EXT; SET_PARAMS ends two words earlier.
Words params_words(uint32_t queue, uint32_t format, uint32_t width, uint32_t height,
                   uint32_t planes = 1, uint32_t size = 0);
// RESOURCE_CREATE: @counts tells how many of the entries each plane has.
Words attach_words(uint32_t queue, uint32_t id, uint32_t layout, uint32_t planes,
                   const Words &counts, const Words &entries);
void add_entry(Words &entries, uint64_t addr, uint32_t length);
Words queue_words(uint32_t queue, uint32_t id, uint32_t planes, uint32_t size,
                  uint64_t timestamp = 0);

// The stream of tests that need only one.
constexpr uint32_t stream = 1;

// Which driver a guest plays: plain RFC v3, or the ChromeOS set.
enum class Dialect { plain, chromeos };

struct Answer {
    int id = -1;
    uint32_t length = 0;
    uint32_t type = 0;
    std::vector<uint8_t> bytes;

    uint32_t u32(size_t at) const;
    uint64_t u64(size_t at) const { return u32(at) | uint64_t{u32(at + 4)} << 32; }
    // Of RESOURCE_QUEUE.
    uint64_t timestamp() const { return u64(8); }
    uint32_t flags() const { return u32(16); }
    uint32_t size() const { return u32(20); }
};

// What GET_PARAMS says, as far as tests look at it.
struct Params {
    uint32_t format = 0;
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t min_buffers = 0;
    uint32_t max_buffers = 0;
    uint32_t crop_width = 0;
    uint32_t crop_height = 0;
    uint32_t size = 0; // of all planes
};

struct Event {
    uint32_t type;
    uint32_t stream;
};

// A buffer of the guest, in pages that are not in order.
struct Resource {
    uint32_t id = 0;
    uint32_t size = 0;
    std::vector<uint64_t> pages;
};

class VideoGuest : public Guest {
public:
    VideoGuest(const std::string &path, GuestSetup setup, Dialect dialect = Dialect::chromeos)
        : Guest(path, setup), dialect_(dialect)
    {
    }

    // Guest::start() and event buffers.
    void bring_up(unsigned events = 8);
    // The same after Guest::restart(); what there was is forgotten.
    void begin_again(unsigned events = 8);

    // Queues a request of these words behind type and stream; its number.
    int send(uint32_t type, uint32_t stream, const Words &words, uint32_t room = 128);
    // Bytes of any kind.
    int send_raw(const std::vector<uint8_t> &request, uint32_t room);
    // The answer to a request, whatever else comes back meanwhile.
    Answer wait(int id, int timeout_ms = 60000);
    // Whether it is there already.
    bool answered(int id);
    // Ids that came back and were not waited for, in the order they did.
    const std::vector<int> &order() const { return order_; }

    Answer call(uint32_t type, uint32_t stream, const Words &words = {}, uint32_t room = 128)
    {
        return wait(send(type, stream, words, room));
    }
    // The same, which has to succeed.
    Answer ok(uint32_t type, uint32_t stream, const Words &words = {}, uint32_t room = 128);

    std::optional<Event> event(int timeout_ms = 60000);

    void create(uint32_t stream, uint32_t format = format_fwht);
    Params params(uint32_t stream, uint32_t queue);
    Answer set(uint32_t stream, uint32_t queue, uint32_t format, uint32_t width, uint32_t height,
               uint32_t size = 0);

    // Where buffers are from; with @size 0 from the memory of everything else.
    void buffers_from(uint64_t addr, uint64_t size)
    {
        next_ = addr;
        end_ = addr + size;
    }
    // Memory for a buffer, not known to the device yet.
    Resource buffer(uint32_t id, uint32_t size);
    Answer attach(uint32_t stream, uint32_t queue, const Resource &buffer);
    void write(const Resource &buffer, const std::vector<uint8_t> &data);
    std::vector<uint8_t> read(const Resource &buffer, uint32_t size);
    // RESOURCE_QUEUE; its id.
    int queue_buffer(uint32_t stream, uint32_t queue, const Resource &buffer, uint32_t size = 0,
                     uint64_t timestamp = 0);

    // What has to work after anything bad.
    void good();

private:
    struct Slot {
        uint64_t request;
        uint64_t answer;
        uint32_t room;
        uint64_t table;
        int serial; // ring ids come again before an answer is asked for
    };
    bool take(int timeout_ms);

    Dialect dialect_;
    uint64_t mark_ = 0; // what is allocated before anything else
    uint64_t next_ = 0;
    uint64_t end_ = 0;
    std::vector<Slot> pool_;
    std::map<int, Slot> pending_; // by ring id
    std::map<int, Answer> answers_;
    int serial_ = 0;
    std::vector<int> order_;
    std::map<int, uint64_t> events_;
};

// The node of vicodec's stateful encoder or decoder; skips the test without.
std::string vicodec(bool encoder);
DeviceParams params(bool encoder, RingKind ring, const Fd &fd);
// An open node.
Fd open_node(const std::string &node);

// A device on vicodec, and its guest, up; its last @more bytes of RAM elsewhere.
struct VideoFixture {
    static constexpr uint64_t more = Guest::ram_base + (256UL << 20);

    VideoFixture(bool encoder, GuestSetup setup, Dialect dialect = Dialect::chromeos,
                 uint64_t more_size = 0);

    Fd node;
    TestDevice device;
    VideoGuest guest;
};

GuestSetup setup(RingKind ring);

} // namespace dh::video
