// Control protocol adapter for libzmq, by way of cppzmq. It reports; it judges nothing.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sha256.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using Message = std::vector<zmq::message_t>;

struct Unsupported : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct TimedOut : std::runtime_error {
    TimedOut() : std::runtime_error(zmq_strerror(EAGAIN)) {}
};

// ---- hex ----

static int nibble(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    throw std::invalid_argument("octets are hex");
}

static std::string octets(const std::string &hex)
{
    if (hex.size() % 2)
        throw std::invalid_argument("octets are two digits each");
    std::string out(hex.size() / 2, '\0');
    for (std::size_t i = 0; i < out.size(); i++)
        out[i] = static_cast<char>(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return out;
}

static std::string hex(std::string_view octets)
{
    static const char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(2 * octets.size());
    for (unsigned char octet : octets) {
        out += digits[octet >> 4];
        out += digits[octet & 15];
    }
    return out;
}

static Message message(const json &parts)
{
    Message out;
    for (const auto &part : parts)
        out.emplace_back(octets(part));
    return out;
}

// ---- options ----

struct Option {
    std::function<void(zmq::socket_t &, const json &)> set;
    std::function<json(zmq::socket_t &)> get;
};

template <int Number, class T, bool Bool> static Option number(zmq::sockopt::integral_option<Number, T, Bool> option)
{
    return {[=](zmq::socket_t &socket, const json &value) { socket.set(option, value.get<T>()); },
            [=](zmq::socket_t &socket) { return json(socket.get(option)); }};
}

template <int Number> static Option flag(zmq::sockopt::integral_option<Number, int, true> option)
{
    return {[=](zmq::socket_t &socket, const json &value) { socket.set(option, value.get<bool>()); },
            [=](zmq::socket_t &socket) { return json(socket.get(option) != 0); }};
}

static const std::map<std::string, Option> options{
    {"identity",
     {[](zmq::socket_t &socket, const json &value) { socket.set(zmq::sockopt::routing_id, octets(value)); },
      [](zmq::socket_t &socket) { return json(hex(socket.get(zmq::sockopt::routing_id))); }}},
    {"send-hwm", number(zmq::sockopt::sndhwm)},
    {"receive-hwm", number(zmq::sockopt::rcvhwm)},
    {"linger-ms", number(zmq::sockopt::linger)},
    {"heartbeat-interval-ms", number(zmq::sockopt::heartbeat_ivl)},
    {"heartbeat-timeout-ms", number(zmq::sockopt::heartbeat_timeout)},
    {"heartbeat-ttl-ms", number(zmq::sockopt::heartbeat_ttl)},
    {"max-message-octets", number(zmq::sockopt::maxmsgsize)},
    {"handshake-interval-ms", number(zmq::sockopt::handshake_ivl)},
    {"reconnect-interval-ms", number(zmq::sockopt::reconnect_ivl)},
    {"mandatory", flag(zmq::sockopt::router_mandatory)},
    {"handover", flag(zmq::sockopt::router_handover)},
    {"conflate", flag(zmq::sockopt::conflate)},
    {"immediate", flag(zmq::sockopt::immediate)},
    {"xpub-verbose", flag(zmq::sockopt::xpub_verbose)},
    {"probe-router", flag(zmq::sockopt::probe_router)},
    {"req-relaxed", flag(zmq::sockopt::req_relaxed)},
    {"req-correlate", flag(zmq::sockopt::req_correlate)},
};

static const Option &option(const std::string &name)
{
    auto found = options.find(name);
    if (found == options.end())
        throw Unsupported("option " + name);
    return found->second;
}

static const std::map<std::string, zmq::socket_type> types{
    {"PAIR", zmq::socket_type::pair},     {"PUB", zmq::socket_type::pub},       {"SUB", zmq::socket_type::sub},
    {"REQ", zmq::socket_type::req},       {"REP", zmq::socket_type::rep},       {"DEALER", zmq::socket_type::dealer},
    {"ROUTER", zmq::socket_type::router}, {"PULL", zmq::socket_type::pull},     {"PUSH", zmq::socket_type::push},
    {"XPUB", zmq::socket_type::xpub},     {"XSUB", zmq::socket_type::xsub},
};

// ---- sockets ----

class Watch : public zmq::monitor_t {
  public:
    json take()
    {
        while (check_event())
            ;
        return std::exchange(events, json::array());
    }

  private:
    json events = json::array();

    void note(const char *event, const zmq_event_t &details, const char *endpoint)
    {
        events.push_back({{"event", event}, {"endpoint", endpoint}, {"value", details.value}});
    }
    void on_event_connected(const zmq_event_t &e, const char *at) override { note("connected", e, at); }
    void on_event_connect_delayed(const zmq_event_t &e, const char *at) override { note("connect-delayed", e, at); }
    void on_event_connect_retried(const zmq_event_t &e, const char *at) override { note("connect-retried", e, at); }
    void on_event_listening(const zmq_event_t &e, const char *at) override { note("listening", e, at); }
    void on_event_bind_failed(const zmq_event_t &e, const char *at) override { note("bind-failed", e, at); }
    void on_event_accepted(const zmq_event_t &e, const char *at) override { note("accepted", e, at); }
    void on_event_accept_failed(const zmq_event_t &e, const char *at) override { note("accept-failed", e, at); }
    void on_event_closed(const zmq_event_t &e, const char *at) override { note("closed", e, at); }
    void on_event_close_failed(const zmq_event_t &e, const char *at) override { note("close-failed", e, at); }
    void on_event_disconnected(const zmq_event_t &e, const char *at) override { note("disconnected", e, at); }
    void on_event_handshake_succeeded(const zmq_event_t &e, const char *at) override
    {
        note("handshake-succeeded", e, at);
    }
    void on_event_handshake_failed_no_detail(const zmq_event_t &e, const char *at) override
    {
        note("handshake-failed-no-detail", e, at);
    }
    void on_event_handshake_failed_protocol(const zmq_event_t &e, const char *at) override
    {
        note("handshake-failed-protocol", e, at);
    }
    void on_event_handshake_failed_auth(const zmq_event_t &e, const char *at) override
    {
        note("handshake-failed-auth", e, at);
    }
};

// libzmq's own proxy, in a thread that has the two sockets until one is closed.
struct Proxy {
    zmq::socket_t inside, control;
    std::thread thread;

    void end()
    {
        if (!thread.joinable())
            return;
        control.send(zmq::str_buffer("TERMINATE"));
        thread.join();
    }
};

struct Entry {
    zmq::socket_t socket;
    std::unique_ptr<Watch> watch;
    std::shared_ptr<Proxy> proxy; // its thread serves the socket
};

static zmq::context_t context;
static std::map<int, Entry> sockets;
static int opened;
static bool lingers; // a socket was closed that may go on sending

static Entry &entry(const json &number)
{
    auto found = sockets.find(number.get<int>());
    if (found == sockets.end())
        throw std::out_of_range("no open socket " + number.dump());
    return found->second;
}

static zmq::socket_t &socket_of(const json &request)
{
    return entry(request.at("socket")).socket;
}

// Let libzmq work: its descriptors tell of news once, until EVENTS is read.
static void touch()
{
    for (auto &[number, entry] : sockets)
        if (!entry.proxy)
            (void)entry.socket.get(zmq::sockopt::events);
}

// Wait for news of a socket or, if asked for, standard input; true if there is input.
static bool await(bool input, std::chrono::milliseconds timeout)
{
    std::vector<zmq::pollitem_t> items{{nullptr, STDIN_FILENO, static_cast<short>(input ? ZMQ_POLLIN : 0), 0}};
    for (auto &[number, entry] : sockets)
        if (!entry.proxy)
            items.push_back({nullptr, entry.socket.get(zmq::sockopt::fd), ZMQ_POLLIN, 0});
    zmq::poll(items, timeout);
    return items[0].revents != 0;
}

static Clock::time_point after(const json &request)
{
    return Clock::now() + std::chrono::milliseconds(request.at("timeout_ms").get<std::int64_t>());
}

// Act until that is done or the time is over; all sockets are served meanwhile.
static bool patiently(const std::function<bool()> &act, Clock::time_point end)
{
    while (!act()) {
        touch();
        if (act())
            return true;
        auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (left.count() <= 0)
            return false;
        await(false, left);
    }
    return true;
}

// libzmq takes a whole message or, at its first part, none of it.
static const char *send(zmq::socket_t &socket, Message parts, Clock::time_point end)
{
    auto act = [&] { return zmq::send_multipart(socket, parts, zmq::send_flags::dontwait).has_value(); };
    try {
        return patiently(act, end) ? "accepted" : "would-block";
    } catch (const zmq::error_t &error) {
        if (error.num() == EHOSTUNREACH)
            return "unroutable";
        if (error.num() == EFSM || error.num() == ENOTSUP)
            return "refused";
        throw;
    }
}

static std::optional<Message> receive(zmq::socket_t &socket, Clock::time_point end)
{
    Message parts;
    auto act = [&] {
        return zmq::recv_multipart(socket, std::back_inserter(parts), zmq::recv_flags::dontwait).has_value();
    };
    return patiently(act, end) ? std::optional(std::move(parts)) : std::nullopt;
}

// ---- operations ----

static json hello(const json &)
{
    auto [major, minor, patch] = zmq::version();
    auto dotted = [](int a, int b, int c) {
        return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
    };
    auto binding = dotted(CPPZMQ_VERSION_MAJOR, CPPZMQ_VERSION_MINOR, CPPZMQ_VERSION_PATCH);
    return {{"peer", "cppzmq"},
            {"library", "libzmq"},
            {"version", dotted(major, minor, patch) + " (cppzmq " + binding + ")"},
            {"language", "C++"},
            {"control", "1"}};
}

static json open(const json &request)
{
    auto type = types.find(request.at("type"));
    if (type == types.end())
        throw Unsupported("socket type " + request.at("type").get<std::string>());
    zmq::socket_t socket(context, type->second);
    socket.set(zmq::sockopt::linger, 0);
    for (const auto &[name, value] : request.at("options").items())
        option(name).set(socket, value);
    sockets[++opened].socket = std::move(socket);
    return {{"socket", opened}};
}

static void close(Entry &entry)
{
    if (auto proxy = entry.proxy) {
        proxy->end();
        for (auto &[number, other] : sockets)
            if (other.proxy == proxy)
                other.proxy = nullptr;
    }
    entry.watch = nullptr;
    lingers |= entry.socket.get(zmq::sockopt::linger) != 0;
    entry.socket.close();
}

static json close_socket(const json &request)
{
    close(entry(request.at("socket")));
    sockets.erase(request.at("socket").get<int>());
    return json::object();
}

static json set(const json &request)
{
    auto &socket = socket_of(request);
    option(request.at("option")).set(socket, request.at("value"));
    return json::object();
}

static json get(const json &request)
{
    auto &socket = socket_of(request);
    return {{"value", option(request.at("option")).get(socket)}};
}

static json attach(const json &request, bool binds)
{
    auto &socket = socket_of(request);
    std::string endpoint = request.at("endpoint");
    socket.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
    if (!binds)
        socket.connect(endpoint);
    else
        socket.bind(endpoint);
    return {{"endpoint", binds ? socket.get(zmq::sockopt::last_endpoint) : endpoint}};
}

static json unbind(const json &request)
{
    socket_of(request).unbind(request.at("endpoint").get<std::string>());
    return json::object();
}

static json disconnect(const json &request)
{
    socket_of(request).disconnect(request.at("endpoint").get<std::string>());
    return json::object();
}

// cppzmq has a call for SUB; on XSUB subscriptions are messages.
static json subscribe(const json &request, bool starts)
{
    auto &socket = socket_of(request);
    auto prefix = octets(request.at("prefix"));
    if (socket.get(zmq::sockopt::type) == ZMQ_XSUB)
        (void)socket.send(zmq::buffer(std::string(1, starts ? '\1' : '\0') + prefix), zmq::send_flags::dontwait);
    else if (starts)
        socket.set(zmq::sockopt::subscribe, prefix);
    else
        socket.set(zmq::sockopt::unsubscribe, prefix);
    return json::object();
}

static json send_message(const json &request)
{
    auto &socket = socket_of(request);
    return {{"outcome", send(socket, message(request.at("parts")), after(request))}};
}

static json receive_message(const json &request)
{
    auto parts = receive(socket_of(request), after(request));
    if (!parts)
        throw TimedOut();
    auto list = json::array();
    for (const auto &part : *parts)
        list.push_back(hex(part.to_string_view()));
    return {{"parts", list}};
}

static json poll(const json &request)
{
    auto readable = json::array();
    auto act = [&] {
        for (const auto &number : request.at("sockets"))
            if (entry(number).socket.get(zmq::sockopt::events) & ZMQ_POLLIN)
                readable.push_back(number);
        return !readable.empty();
    };
    patiently(act, after(request));
    return {{"readable", readable}};
}

static void put(unsigned char *octets, std::uint64_t number)
{
    for (int i = 0; i < 8; i++)
        octets[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
}

static json flood(const json &request)
{
    auto &socket = socket_of(request);
    std::int64_t count = request.at("count"), seed = request.at("seed");
    std::size_t size = request.at("size_octets");
    auto end = after(request);
    for (std::int64_t index = 0; index < count; index++) {
        auto parts = message(request.value("head", json::array()));
        auto body = parts.emplace_back(size).data<unsigned char>();
        put(body, static_cast<std::uint64_t>(index));
        for (std::size_t j = 8; j < size; j++)
            body[j] = static_cast<unsigned char>(static_cast<std::uint64_t>(seed + index) + j);
        if (send(socket, std::move(parts), end) != std::string("accepted"))
            return {{"accepted", index}};
    }
    return {{"accepted", count}};
}

static json index_in(const zmq::message_t &body)
{
    if (body.size() < 8)
        return nullptr;
    std::uint64_t index = 0;
    for (int i = 0; i < 8; i++)
        index = index << 8 | body.data<unsigned char>()[i];
    return index;
}

static json drain(const json &request)
{
    auto &socket = socket_of(request);
    std::int64_t count = request.at("count"), received = 0;
    auto end = after(request);
    json first, last;
    SHA2_CTX sum;
    SHA256Init(&sum);
    for (; received < count; received++) {
        auto parts = receive(socket, end);
        if (!parts)
            break;
        const auto &body = parts->back();
        unsigned char length[8];
        put(length, body.size());
        SHA256Update(&sum, length, sizeof length);
        SHA256Update(&sum, body.data<unsigned char>(), body.size());
        last = index_in(body);
        if (received == 0)
            first = last;
    }
    char digest[SHA256_DIGEST_STRING_LENGTH];
    SHA256End(&sum, digest);
    return {{"received", received}, {"digest", digest}, {"first", first}, {"last", last}};
}

static json proxy(const json &request)
{
    auto &frontend = entry(request.at("frontend")), &backend = entry(request.at("backend"));
    auto made = std::make_shared<Proxy>();
    auto endpoint = "inproc://proxy-" + request.at("frontend").dump();
    made->inside = zmq::socket_t(context, zmq::socket_type::pair);
    made->control = zmq::socket_t(context, zmq::socket_type::pair);
    made->inside.bind(endpoint);
    made->control.connect(endpoint);
    frontend.proxy = backend.proxy = made;
    made->thread = std::thread([made = made.get(), front = zmq::socket_ref(frontend.socket),
                                back = zmq::socket_ref(backend.socket)] {
        zmq::proxy_steerable(front, back, zmq::socket_ref(), made->inside);
    });
    return json::object();
}

static json monitor(const json &request)
{
    auto &entry = ::entry(request.at("socket"));
    if (!entry.watch) {
        entry.watch = std::make_unique<Watch>();
        entry.watch->init(entry.socket, "inproc://monitor-" + request.at("socket").dump());
    }
    return {{"events", entry.watch->take()}};
}

static const std::map<std::string, std::function<json(const json &)>> operations{
    {"hello", hello},
    {"open", open},
    {"close", close_socket},
    {"set", set},
    {"get", get},
    {"bind", [](const json &request) { return attach(request, true); }},
    {"connect", [](const json &request) { return attach(request, false); }},
    {"unbind", unbind},
    {"disconnect", disconnect},
    {"subscribe", [](const json &request) { return subscribe(request, true); }},
    {"cancel", [](const json &request) { return subscribe(request, false); }},
    {"send", send_message},
    {"recv", receive_message},
    {"poll", poll},
    {"flood", flood},
    {"drain", drain},
    {"proxy", proxy},
    {"monitor", monitor},
};

static json answer(const json &request)
{
    auto error = [&](const char *kind, const char *detail) {
        return json{{"id", request.at("id")}, {"error", {{"kind", kind}, {"detail", detail}}}};
    };
    try {
        auto operation = operations.find(request.at("op"));
        if (operation == operations.end())
            throw Unsupported(request.at("op").get<std::string>());
        return {{"id", request.at("id")}, {"ok", operation->second(request)}};
    } catch (const Unsupported &why) {
        return error("unsupported", why.what());
    } catch (const TimedOut &why) {
        return error("timeout", why.what());
    } catch (const std::exception &why) {
        return error("failed", why.what());
    }
}

// Read what there is and answer the requests that are whole; false at the end of input.
static bool take_input(std::string &buffer)
{
    char chunk[1 << 16];
    auto count = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (count <= 0)
        return false;
    buffer.append(chunk, static_cast<std::size_t>(count));
    for (std::size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1))
        std::cout << answer(json::parse(buffer.substr(0, end))) << std::endl;
    return true;
}

// Answer requests until the end of input; in between libzmq works whenever it has news.
int main()
{
    std::string buffer;
    for (bool more = true; more;) {
        touch();
        if (await(true, std::chrono::milliseconds(-1)))
            more = take_input(buffer);
    }
    for (auto &[number, entry] : sockets) {
        entry.socket.set(zmq::sockopt::linger, 0);
        close(entry);
    }
    sockets.clear();
    if (lingers) // the context would wait for what that socket still sends
        std::_Exit(buffer.empty() ? EXIT_SUCCESS : EXIT_FAILURE);
    return buffer.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}
