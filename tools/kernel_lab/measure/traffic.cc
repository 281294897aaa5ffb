#include "tools/kernel_lab/measure/traffic.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "tools/kernel_lab/socket_calls.h"

namespace cnisim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience(3);
constexpr int kWarmUp = 20;  // round trips, connections
constexpr size_t kMaxConnections = 10'000;

class Socket {
 public:
  Socket(Traffic traffic, int fd) : fd_(fd) {
    const timeval patience{kPatience.count(), 0};
    Set(SOL_SOCKET, SO_RCVTIMEO, patience);
    Set(SOL_SOCKET, SO_SNDTIMEO, patience);
    if (traffic == Traffic::kTcpPingPong || traffic == Traffic::kTcpConnect) {
      Set(IPPROTO_TCP, TCP_NODELAY, 1);
    }
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  int fd() const { return fd_; }

 private:
  template <typename T>
  void Set(int level, int name, const T& value) {
    (void)setsockopt(fd_, level, name, &value, sizeof value);
  }

  int fd_;
};

bool IsTcp(Traffic traffic) {
  return traffic != Traffic::kUdpPingPong && traffic != Traffic::kUdpFlood;
}

// In this thread's namespace.
Socket Open(Traffic traffic) {
  return {traffic, socket(AF_INET, (IsTcp(traffic) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0)};
}

Status Pin(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(cpu), &cpus);
  if (const int error = pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus); error != 0) {
    return Fail(std::string(kSocketFailed), fmt::format("CPU {}: {}", cpu, std::strerror(error)));
  }
  return {};
}

// All of it, of a stream; false if the other end is gone or does not answer.
bool SendAll(int fd, const std::vector<char>& message) {
  for (size_t done = 0; done < message.size();) {
    const ssize_t count = send(fd, message.data() + done, message.size() - done, MSG_NOSIGNAL);
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}
bool ReceiveAll(int fd, std::vector<char>& message) {
  return recv(fd, message.data(), message.size(), MSG_WAITALL) ==
         static_cast<ssize_t>(message.size());
}

// Until the client has closed the connection.
void ServeConnection(Traffic traffic, int fd, std::vector<char>& message,
                     std::atomic<int64_t>& received) {
  if (traffic != Traffic::kTcpStream) {
    while (ReceiveAll(fd, message) && SendAll(fd, message)) {
    }
    return;
  }
  for (ssize_t count; (count = recv(fd, message.data(), message.size(), 0)) > 0;) {
    received += count;
  }
}

// Until the socket is shut down.
void Serve(Traffic traffic, int fd, std::vector<char> message, std::atomic<int64_t>& received) {
  sockaddr_in from{};
  socklen_t length = sizeof from;
  auto* const address = reinterpret_cast<sockaddr*>(&from);
  if (IsTcp(traffic)) {
    for (int accepted; (accepted = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const Socket connection(traffic, accepted);
      ServeConnection(traffic, accepted, message, received);
    }
  } else if (traffic == Traffic::kUdpFlood) {
    while (recv(fd, message.data(), message.size(), 0) > 0) ++received;
  } else {
    while (recvfrom(fd, message.data(), message.size(), 0, address, &length) > 0 &&
           sendto(fd, message.data(), message.size(), 0, address, length) > 0) {
    }
  }
}

// The client's side.
class Client {
 public:
  Client(Traffic traffic, int bytes, const sockaddr_in& server,
         const std::atomic<int64_t>& received, const std::atomic<bool>& stop)
      : traffic_(traffic),
        message_(static_cast<size_t>(bytes), 'x'),
        server_(server),
        received_(received),
        stop_(stop) {}

  Result<Tally> Run(std::chrono::duration<double> time) {
    const auto nanoseconds = std::chrono::duration_cast<Clock::duration>(time);
    if (traffic_ == Traffic::kTcpConnect) {
      return RoundTrips(nanoseconds, [this] {
        const Socket socket = Open(traffic_);
        return Connect(socket) && PingPong(socket.fd());
      });
    }
    const Socket socket = Open(traffic_);
    if (!Connect(socket)) return FailWithErrno("connect");
    if (traffic_ == Traffic::kUdpFlood || traffic_ == Traffic::kTcpStream) {
      return Pour(socket.fd(), nanoseconds);
    }
    return RoundTrips(nanoseconds, [this, &socket] { return PingPong(socket.fd()); });
  }

 private:
  bool Connect(const Socket& socket) const {
    return connect(socket.fd(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_) == 0;
  }
  bool PingPong(int fd) { return SendAll(fd, message_) && ReceiveAll(fd, message_); }

  template <typename RoundTrip>
  Result<Tally> RoundTrips(Clock::duration time, RoundTrip round_trip) {
    const size_t most = traffic_ == Traffic::kTcpConnect ? kMaxConnections : SIZE_MAX;
    for (int n = 0; n < kWarmUp; ++n) {
      if (!round_trip()) return FailWithErrno("no answer");
    }
    Tally tally;
    const Clock::time_point start = Clock::now();
    Clock::time_point now = start;
    while (now < start + time && !stop_ && tally.round_trips_us.size() < most) {
      if (!round_trip()) return FailWithErrno("no answer");
      const Clock::time_point before = std::exchange(now, Clock::now());
      tally.round_trips_us.push_back(
          std::chrono::duration<double, std::micro>(now - before).count());
    }
    tally.seconds = std::chrono::duration<double>(now - start).count();
    return tally;
  }

  // As much as goes. The first fifth of the time does not count. A server that had no turn on a
  // busy CPU is waited for.
  Result<Tally> Pour(int fd, Clock::duration time) {
    Tally tally;
    const auto pour = [&](Clock::duration how_long) {
      const Clock::time_point start = Clock::now();
      Clock::time_point now = start;
      tally = {};
      const int64_t received = received_;
      const auto is_over = [&] {
        const Clock::time_point end = start + how_long;
        return now >= end && (received_ != received || now >= end + kPatience);
      };
      while (!is_over() && !stop_) {
        if (!SendAll(fd, message_)) return false;
        tally.sent += IsTcp(traffic_) ? static_cast<int64_t>(message_.size()) : 1;
        now = Clock::now();
      }
      tally.received = received_ - received;
      tally.seconds = std::chrono::duration<double>(now - start).count();
      return true;
    };
    if (!pour(time / 5) || !pour(time - time / 5)) return FailWithErrno("send");
    if (tally.received == 0 && !stop_) return Fail(std::string(kSocketFailed), "nothing arrived");
    return tally;
  }

  Traffic traffic_;
  std::vector<char> message_;
  sockaddr_in server_;
  const std::atomic<int64_t>& received_;
  const std::atomic<bool>& stop_;
};

// Bound to any port of the server's address.
Result<Socket> Listen(Traffic traffic, const Place& place, sockaddr_in& address) {
  const NamespaceVisit visit(place.netns);
  if (!visit.entered()) return FailWithErrno(place.netns);
  Socket socket = Open(traffic);
  address = AddressOf(place.ip.v4(), 0);
  socklen_t length = sizeof address;
  auto* const bound = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.fd(), bound, length) != 0 || getsockname(socket.fd(), bound, &length) != 0 ||
      (IsTcp(traffic) && listen(socket.fd(), SOMAXCONN) != 0)) {
    return FailWithErrno(place.netns);
  }
  return socket;
}

}  // namespace

Result<Tally> Exchange(Traffic traffic, int bytes, const End& client, const End& server,
                       std::chrono::duration<double> time, const std::atomic<bool>& stop) {
  sockaddr_in address{};
  const auto listening = Listen(traffic, server.place, address);
  if (!listening) return tl::unexpected(listening.error());
  std::atomic<int64_t> received{0};
  Status served;
  Result<Tally> tally;
  {
    const std::jthread serving([&] {
      served = Pin(server.cpu);
      if (served) Serve(traffic, listening->fd(), std::vector<char>(bytes), received);
    });
    {
      const std::jthread asking([&] {
        const NamespaceVisit visit(client.place.netns);
        if (!visit.entered()) {
          tally = FailWithErrno(client.place.netns);
        } else if (const Status pinned = Pin(client.cpu); !pinned) {
          tally = tl::unexpected(pinned.error());
        } else {
          tally = Client(traffic, bytes, address, received, stop).Run(time);
        }
      });
    }
    shutdown(listening->fd(), SHUT_RDWR);  // wakes the server, of UDP too
  }
  if (!served) return tl::unexpected(served.error());
  return tally;
}

}  // namespace cnisim
