#pragma once

// What the stand-ins for the board's HTTP clients have in common: one request and its answer, over a plain socket.

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace board {

struct Response {
  int status{-1};       // below 0 where nothing answered
  std::string headers;  // as they came, a line each
  std::string body;
};

inline int connect_to(const std::string &host, const std::string &port, int timeout_ms) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
    return -1;
  const int connection = socket(found->ai_family, found->ai_socktype, 0);
  const timeval timeout{timeout_ms / 1000, timeout_ms % 1000 * 1000};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  const bool is_connected = connect(connection, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (is_connected)
    return connection;
  close(connection);
  return -1;
}

/// Post to an address that begins with http:// and names its port.
inline Response post(const std::string &url, const std::string &headers, const std::string &body, int timeout_ms) {
  const auto host_at = url.find("//") + 2, port_at = url.find(':', host_at) + 1, path_at = url.find('/', port_at);
  const std::string host = url.substr(host_at, port_at - host_at - 1), port = url.substr(port_at, path_at - port_at);
  const int connection = connect_to(host, port, timeout_ms);
  if (connection < 0)
    return {};
  const std::string request = "POST " + url.substr(path_at) + " HTTP/1.1\r\nHost: " + host + ":" + port +
                              "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                              headers + "\r\n" + body;
  send(connection, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char part[512];
  for (ssize_t length; (length = recv(connection, part, sizeof(part), 0)) > 0;)
    answer.append(part, length);
  close(connection);
  const auto end = answer.find("\r\n\r\n"), first = answer.find("\r\n");
  if (end == std::string::npos)
    return {};
  return {std::atoi(answer.c_str() + answer.find(' ')), answer.substr(first + 2, end - first), answer.substr(end + 4)};
}

}  // namespace board
