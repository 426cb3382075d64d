// The epoll loop of echo.c in C++: the same metrics, by the owners of tachograph.hpp.

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include "tachograph.hpp"

namespace {

class File {
 public:
  File(int number, const char *what) : number_(number) {
    if (number < 0) throw std::system_error(errno, std::generic_category(), what);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() { close(number_); }
  int number() const { return number_; }

 private:
  int number_;
};

void check(int result, const char *what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

class Server {
 public:
  Server()
      : recorder_(metrics_.recorder()),
        accepted_(metrics_.counter("connections.accepted", {{"protocol", "tcp"}})),
        open_(metrics_.up_down_counter("connections.open")),
        chunk_(metrics_.histogram("chunk.size")),
        turn_(metrics_.timing("loop.turn")),
        ready_(metrics_.gauge("loop.ready")),
        listener_(socket(AF_INET, SOCK_STREAM, 0), "socket"),
        epoll_(epoll_create1(0), "epoll_create1") {
    metrics_.describe("chunk.size", "bytes", "what one read returns");
    sockaddr_in address{};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *any = reinterpret_cast<sockaddr *>(&address);
    check(bind(listener_.number(), any, size), "bind");
    check(listen(listener_.number(), 64), "listen");
    check(getsockname(listener_.number(), any, &size), "getsockname");
    std::printf("%u\n", static_cast<unsigned>(ntohs(address.sin_port)));
    std::fflush(stdout);
    watch(listener_.number());
    watch(STDIN_FILENO);
  }

  void run() {
    while (turn()) {
    }
    const std::string page = metrics_.prometheus();
    std::fwrite(page.data(), 1, page.size(), stdout);
  }

 private:
  void watch(int file) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = file;
    check(epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, file, &event), "epoll_ctl");
  }

  bool turn() {
    std::array<epoll_event, 64> events;
    const int ready = epoll_wait(epoll_.number(), events.data(), events.size(), -1);
    if (ready < 0 && errno != EINTR) check(ready, "epoll_wait");
    const tachograph::Stamp began = metrics_.now();
    bool running = true;
    for (int i = 0; i < ready; i++) {
      const int file = events[static_cast<std::size_t>(i)].data.fd;
      if (file == STDIN_FILENO) {
        running = false;
      } else if (file == listener_.number()) {
        accept_one();
      } else {
        echo(file);
      }
    }
    recorder_.set(ready_, ready);
    recorder_.record_since(turn_, began);
    return running;
  }

  void accept_one() {
    const int client = accept(listener_.number(), nullptr, nullptr);
    check(client, "accept");
    watch(client);
    recorder_.increment(accepted_);
    recorder_.add(open_, 1);
  }

  void echo(int client) {
    std::array<char, 16384> chunk;
    const ssize_t received = read(client, chunk.data(), chunk.size());
    if (received <= 0) {
      close(client);
      recorder_.add(open_, -1);
      return;
    }
    recorder_.record(chunk_, static_cast<std::uint64_t>(received));
    // Blocks while the client does not read, which is good enough for an example.
    for (ssize_t sent = 0; sent < received;) {
      const auto left = static_cast<std::size_t>(received - sent);
      const ssize_t more = send(client, chunk.data() + sent, left, MSG_NOSIGNAL);
      if (more < 0) break;
      sent += more;
    }
  }

  // First, so that it is freed last; any other order would do, too.
  tachograph::Collector metrics_;
  tachograph::Recorder recorder_;
  tachograph::Counter accepted_;
  tachograph::UpDownCounter open_;
  tachograph::Histogram chunk_;
  tachograph::Timing turn_;
  tachograph::Gauge ready_;
  File listener_;
  File epoll_;
};

}  // namespace

int main() {
  try {
    Server().run();
  } catch (const std::exception &error) {
    std::fprintf(stderr, "echo: %s\n", error.what());
    return 1;
  }
}
