// SPDX-License-Identifier: Apache-2.0
//
// The whole decision, for people and programs: who wants what, what rules, why.
#include <map>

#include "error.hpp"
#include "power.hpp"
#include "scmi_settings.hpp"

namespace devhost {

namespace {

std::uint64_t microseconds(PowerTime time)
{
    return static_cast<std::uint64_t>(time.count()) * 1000;
}

Setting text(std::string value)
{
    return {.value = std::move(value)};
}

Setting time_setting(PowerTime time)
{
    return {.value = std::int64_t{time.count() * 1000}};
}

Setting vote_of(const std::string &name, const PowerGuest &guest, PowerState wish,
                const std::string &reason)
{
    return {.value = SettingTable{{"holder", text("guest")},
                                  {"who", text(name)},
                                  {"mode", text(word_of(guest.rules.role))},
                                  {"state", text(word_of(wish))},
                                  {"since", time_setting(guest.wish_since)},
                                  {"limiting_reason", text(reason)}}};
}

Setting vote_of(const PowerHold &hold)
{
    return {.value = SettingTable{{"holder", text("local")},
                                  {"who", text(hold.who)},
                                  {"mode", text(word_of(hold.mode))},
                                  {"state", text(word_of(hold.state))},
                                  {"why", text(hold.why)},
                                  {"spent", {.value = hold.spent}},
                                  {"since", time_setting(hold.since)}}};
}

Setting setting_of(const ResourceName &name, const Ceiling &ceiling, bool rules)
{
    return {.value = SettingTable{{"kind", text(word_of(name.kind))},
                                  {"host", text(name.host)},
                                  {"by", text(word_of(ceiling.by))},
                                  {"level", {.value = static_cast<std::int64_t>(ceiling.level)}},
                                  {"why", text(ceiling.why)},
                                  {"rules", {.value = rules}},
                                  {"since", time_setting(ceiling.since)}}};
}

// Resources of the host that guests have, with the votes on each.
std::vector<Setting> resources_of(const Host &host, const Ceilings &ceilings)
{
    std::map<ResourceName, SettingTable> tables;
    for (const auto &[guest_name, guest] : host.guests()) {
        for (const auto &[device_name, device] : guest.devices) {
            for (const ScmiResourceInfo &resource : device.resources) {
                if (resource.kind == DEVHOST_SCMI_SENSOR) {
                    continue; // nobody wants anything of it
                }
                const ResourceName name{.kind = resource.kind, .host = resource.host};
                SettingTable &table = tables[name];
                if (table.empty()) {
                    table = scmi_state(resource);
                    table["kind"] = text(word_of(name.kind));
                    table["host"] = text(name.host);
                    table["votes"] = {.value = SettingList()};
                    if (const auto ceiling = ceilings.of(name)) {
                        table["ceiling_by"] = text(word_of(ceiling->by));
                    }
                }
                if (!resource.vote_since) {
                    continue;
                }
                SettingTable vote = scmi_vote(resource);
                vote["who"] = text(guest_name);
                vote["device"] = text(device_name);
                std::get<SettingList>(table["votes"].value).emplace_back().value = std::move(vote);
            }
        }
    }
    std::vector<Setting> list;
    list.reserve(tables.size());
    for (auto &[unused, table] : tables) {
        list.push_back({.value = std::move(table)});
    }
    return list;
}

// What was asked for last, of those whom somebody listens to.
PowerCommand last_request(const PowerArbiter &arbiter)
{
    if (const auto &transition = arbiter.transition()) {
        return transition->command;
    }
    if (const auto &command = arbiter.command()) {
        return *command;
    }
    PowerCommand last;
    const auto consider = [&last](const PowerCommand &command) {
        if (command.state != PowerState::on && command.since >= last.since) {
            last = command;
        }
    };
    for (const auto &[name, guest] : arbiter.guests()) {
        if (guest.wish && guest.rules.role == PowerRole::vote) {
            consider({.state = *guest.wish,
                      .who = "guest " + name,
                      .why = "the guest asks for it",
                      .since = guest.wish_since});
        }
    }
    for (const auto &[unused, hold] : arbiter.holds()) {
        if (hold.mode == HoldMode::vote && !hold.spent) {
            consider({.state = hold.state, .who = hold.who, .why = hold.why, .since = hold.since});
        }
    }
    return last;
}

// Name and whether it is the same; the names of the others are returned.
Properties differing(std::initializer_list<std::pair<const char *, bool>> same)
{
    Properties names;
    for (const auto &[name, equal] : same) {
        if (!equal) {
            names.insert(name);
        }
    }
    return names;
}

Properties difference(const PowerView &a, const PowerView &b)
{
    return differing({{"RequestedState", a.requested == b.requested},
                      {"CurrentState", a.current == b.current},
                      {"EffectiveState", a.effective == b.effective},
                      {"LimitingReason", a.reason == b.reason},
                      {"RequestedBy", a.requested_by == b.requested_by},
                      {"RequestedWhy", a.why == b.why},
                      {"RequestedSince", a.since == b.since},
                      {"Deadline", a.deadline == b.deadline},
                      {"Failures", a.failures == b.failures},
                      {"PowerSource", a.power_source == b.power_source},
                      {"AllowedTransitions", a.allowed == b.allowed},
                      {"Waiting", a.waiting == b.waiting},
                      {"Votes", a.votes == b.votes},
                      {"Ceilings", a.ceilings == b.ceilings},
                      {"Resources", a.resources == b.resources}});
}

Properties difference(const GuestPowerView &a, const GuestPowerView &b)
{
    return differing({{"Role", a.role == b.role},
                      {"RequestedState", a.requested == b.requested},
                      {"CurrentState", a.current == b.current},
                      {"LimitingReason", a.reason == b.reason},
                      {"RequestedSince", a.since == b.since},
                      {"Deadline", a.deadline == b.deadline},
                      {"Failures", a.failures == b.failures},
                      {"Budget", a.budget == b.budget},
                      {"Order", a.order == b.order},
                      {"EmulateUnit", a.emulate_unit == b.emulate_unit},
                      {"Unresponsive", a.unresponsive == b.unresponsive},
                      {"Quiesced", a.quiesced == b.quiesced}});
}

} // namespace

PowerView Power::make_view() const
{
    const PowerDecision decision = arbiter_.decide();
    const PowerCommand request = last_request(arbiter_);
    const auto &transition = arbiter_.transition();
    PowerView view;
    view.requested = word_of(request.state);
    view.requested_by = request.who;
    view.why = request.why;
    view.since = microseconds(request.since);
    view.current = word_of(arbiter_.phase());
    view.effective = word_of(transition ? transition->command.state : decision.state);
    view.waiting = arbiter_.awaited();
    view.reason = decision.reason == "none" && !view.waiting.empty() ? "waiting" : decision.reason;
    if (arbiter_.phase() == PowerPhase::preparing && transition) {
        view.deadline = microseconds(transition->deadline);
    }
    view.failures = arbiter_.failures();
    view.power_source = battery_ ? "battery" : "mains";
    for (const PowerState state : arbiter_.allowed()) {
        view.allowed.emplace_back(word_of(state));
    }
    for (const auto &[name, guest] : arbiter_.guests()) {
        if (guest.wish) {
            view.votes.push_back(
                vote_of(name, guest, *guest.wish, arbiter_.limiting_reason(guest)));
        }
    }
    for (const auto &[unused, hold] : arbiter_.holds()) {
        view.votes.push_back(vote_of(hold));
    }
    for (const auto &[name, ceiling] : ceilings_.all()) {
        view.ceilings.push_back(setting_of(name, ceiling, ceilings_.of(name) == ceiling));
    }
    view.resources = resources_of(parts_.host, ceilings_);
    return view;
}

GuestPowerView Power::make_view(const PowerGuest &guest) const
{
    GuestPowerView view;
    view.role = word_of(guest.rules.role);
    view.requested = guest.wish ? word_of(*guest.wish) : "on";
    view.current = guest.run == 0 ? "absent" : "running";
    if (arbiter_.transition() && guest.progress != GuestProgress::none) {
        view.current = word_of(guest.progress);
    }
    view.reason = arbiter_.limiting_reason(guest);
    view.since = guest.wish ? microseconds(guest.wish_since) : 0;
    if (guest.progress == GuestProgress::told) {
        view.deadline = microseconds(guest.deadline);
    }
    view.failures = guest.failures;
    view.budget = static_cast<std::uint32_t>(guest.rules.budget.count());
    view.order = guest.rules.order;
    view.emulate_unit = guest.rules.emulate_unit;
    view.unresponsive = guest.unresponsive;
    view.quiesced = guest.quiesced;
    return view;
}

const GuestPowerView &Power::view(const std::string &guest) const
{
    const auto found = guest_views_.find(guest);
    if (found == guest_views_.end()) {
        throw Error(Cause::no_such_guest, "There is no guest '" + guest + "'.");
    }
    return found->second;
}

void Power::tell_changes()
{
    PowerView fresh = make_view();
    const Properties changed = difference(view_, fresh);
    view_ = std::move(fresh);
    std::vector<std::pair<std::string, Properties>> guests;
    for (const auto &[name, guest] : arbiter_.guests()) {
        GuestPowerView of = make_view(guest);
        const auto [place, added] = guest_views_.try_emplace(name, of);
        if (!added) {
            guests.emplace_back(name, difference(place->second, of));
            place->second = std::move(of);
        }
    }
    if (observer_ == nullptr) {
        return;
    }
    for (const auto &[name, properties] : guests) {
        if (!properties.empty()) {
            observer_->guest_power_changed(name, properties);
        }
    }
    if (!changed.empty()) {
        observer_->power_changed(changed);
    }
}

} // namespace devhost
