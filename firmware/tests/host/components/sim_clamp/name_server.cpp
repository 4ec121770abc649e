// Where the environment variable SIM_NAME_SERVER holds a port, every address is a name, which the name server at that
// port of this machine has to resolve: glibc's own resolver asks it, once, and waits for its usual five seconds.

#include <cstdlib>
#include <netdb.h>
#include <resolv.h>

extern "C" int __real_getaddrinfo(const char *, const char *, const addrinfo *, addrinfo **);

extern "C" int __wrap_getaddrinfo(const char *node, const char *service, const addrinfo *hints, addrinfo **found) {
  const char *port = std::getenv("SIM_NAME_SERVER");
  if (port == nullptr)
    return __real_getaddrinfo(node, service, hints, found);
  res_init();
  _res.retry = 1;
  _res.nscount = 1;
  _res.nsaddr_list[0].sin_family = AF_INET;
  _res.nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  _res.nsaddr_list[0].sin_port = htons(std::atoi(port));
  return __real_getaddrinfo("home-assistant.test.", service, hints, found);
}
