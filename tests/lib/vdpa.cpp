// SPDX-License-Identifier: Apache-2.0
#include "vdpa.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "tap.hpp"

namespace dh {

int must(int result, const char *what)
{
    if (result < 0) {
        throw tap::Failure(std::string(what) + ": " + strerror(-result));
    }
    return result;
}

Vdpa::Vdpa(const std::string &path) : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC))
{
    if (!fd_) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

int Vdpa::call(unsigned long request, void *argument)
{
    int result = ioctl(fd_.get(), request, argument);
    return result < 0 ? -errno : result;
}

int Vdpa::set_owner()
{
    return call(VHOST_SET_OWNER, nullptr);
}

uint64_t Vdpa::backend_features()
{
    uint64_t value = 0;
    must(call(VHOST_GET_BACKEND_FEATURES, &value), "VHOST_GET_BACKEND_FEATURES");
    return value;
}

int Vdpa::set_backend_features(uint64_t features)
{
    return call(VHOST_SET_BACKEND_FEATURES, &features);
}

uint64_t Vdpa::features()
{
    uint64_t value = 0;
    must(call(VHOST_GET_FEATURES, &value), "VHOST_GET_FEATURES");
    return value;
}

int Vdpa::set_features(uint64_t features)
{
    return call(VHOST_SET_FEATURES, &features);
}

uint8_t Vdpa::status()
{
    uint8_t value = 0;
    must(call(VHOST_VDPA_GET_STATUS, &value), "VHOST_VDPA_GET_STATUS");
    return value;
}

int Vdpa::set_status(uint8_t status)
{
    return call(VHOST_VDPA_SET_STATUS, &status);
}

uint32_t Vdpa::device_id()
{
    uint32_t value = 0;
    must(call(VHOST_VDPA_GET_DEVICE_ID, &value), "VHOST_VDPA_GET_DEVICE_ID");
    return value;
}

uint32_t Vdpa::config_size()
{
    uint32_t value = 0;
    must(call(VHOST_VDPA_GET_CONFIG_SIZE, &value), "VHOST_VDPA_GET_CONFIG_SIZE");
    return value;
}

uint32_t Vdpa::vqs_count()
{
    uint32_t value = 0;
    must(call(VHOST_VDPA_GET_VQS_COUNT, &value), "VHOST_VDPA_GET_VQS_COUNT");
    return value;
}

uint16_t Vdpa::vring_num_max()
{
    uint16_t value = 0;
    must(call(VHOST_VDPA_GET_VRING_NUM, &value), "VHOST_VDPA_GET_VRING_NUM");
    return value;
}

int Vdpa::config_get(uint32_t offset, void *buffer, uint32_t length)
{
    std::vector<uint8_t> bytes(sizeof(vhost_vdpa_config) + length);
    auto *config = reinterpret_cast<vhost_vdpa_config *>(bytes.data());
    config->off = offset;
    config->len = length;
    int result = call(VHOST_VDPA_GET_CONFIG, config);
    if (!result) {
        memcpy(buffer, config->buf, length);
    }
    return result;
}

int Vdpa::config_set(uint32_t offset, const void *buffer, uint32_t length)
{
    std::vector<uint8_t> bytes(sizeof(vhost_vdpa_config) + length);
    auto *config = reinterpret_cast<vhost_vdpa_config *>(bytes.data());
    config->off = offset;
    config->len = length;
    memcpy(config->buf, buffer, length);
    return call(VHOST_VDPA_SET_CONFIG, config);
}

int Vdpa::config_call(int eventfd)
{
    return call(VHOST_VDPA_SET_CONFIG_CALL, &eventfd);
}

int Vdpa::vring_num(uint32_t index, uint32_t num)
{
    vhost_vring_state state{index, num};
    return call(VHOST_SET_VRING_NUM, &state);
}

int Vdpa::vring_addr(uint32_t index, uint64_t desc, uint64_t driver, uint64_t device)
{
    vhost_vring_addr addr{};
    addr.index = index;
    addr.desc_user_addr = desc;
    addr.avail_user_addr = driver;
    addr.used_user_addr = device;
    return call(VHOST_SET_VRING_ADDR, &addr);
}

int Vdpa::vring_base(uint32_t index, uint32_t base)
{
    vhost_vring_state state{index, base};
    return call(VHOST_SET_VRING_BASE, &state);
}

int Vdpa::vring_base_get(uint32_t index, uint32_t &base)
{
    vhost_vring_state state{index, 0};
    int result = call(VHOST_GET_VRING_BASE, &state);
    base = state.num;
    return result;
}

int Vdpa::vring_kick(uint32_t index, int eventfd)
{
    vhost_vring_file file{index, eventfd};
    return call(VHOST_SET_VRING_KICK, &file);
}

int Vdpa::vring_call(uint32_t index, int eventfd)
{
    vhost_vring_file file{index, eventfd};
    return call(VHOST_SET_VRING_CALL, &file);
}

int Vdpa::vring_enable(uint32_t index, bool enable)
{
    vhost_vring_state state{index, enable};
    return call(VHOST_VDPA_SET_VRING_ENABLE, &state);
}

int Vdpa::suspend()
{
    return call(VHOST_VDPA_SUSPEND, nullptr);
}

int Vdpa::resume()
{
    return call(VHOST_VDPA_RESUME, nullptr);
}

int Vdpa::map(uint64_t iova, const void *where, uint64_t size, uint8_t perm)
{
    return message(VHOST_IOTLB_UPDATE, iova, size, reinterpret_cast<uint64_t>(where), perm);
}

int Vdpa::unmap(uint64_t iova, uint64_t size)
{
    return message(VHOST_IOTLB_INVALIDATE, iova, size, 0, 0);
}

int Vdpa::batch_begin()
{
    return message(VHOST_IOTLB_BATCH_BEGIN, 0, 0, 0, 0);
}

int Vdpa::batch_end()
{
    return message(VHOST_IOTLB_BATCH_END, 0, 0, 0, 0);
}

int Vdpa::message(uint8_t type, uint64_t iova, uint64_t size, uint64_t where, uint8_t perm)
{
    vhost_msg_v2 msg{};
    msg.type = VHOST_IOTLB_MSG_V2;
    msg.iotlb.iova = iova;
    msg.iotlb.size = size;
    msg.iotlb.uaddr = where;
    msg.iotlb.perm = perm;
    msg.iotlb.type = type;
    return write(fd_.get(), &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

} // namespace dh
