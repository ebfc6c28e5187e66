/*
 * sender SECONDS PORT SOURCE DESTINATION [SOURCE DESTINATION]...
 * Sends empty UDP datagrams as fast as it can, in turn from each source, until SIGTERM or the time is over; from the last source
 * only every eighth turn. Prints "sent NUMBER in SECONDS".
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MOST = 16 };

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct addrinfo *look(const char *host, const char *port) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
  struct addrinfo *found = NULL;
  if (getaddrinfo(host, port, &hints, &found) != 0) {
    fprintf(stderr, "not an address: %s\n", host);
    exit(2);
  }
  return found;
}

static int open_from(const char *source, const char *destination, const char *port) {
  struct addrinfo *from = look(source, "0"), *to = look(destination, port);
  int fd = socket(from->ai_family, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, from->ai_addr, from->ai_addrlen) != 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
    perror(source);
    exit(1);
  }
  freeaddrinfo(from);
  freeaddrinfo(to);
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 5 || argc % 2 == 0 || (argc - 3) / 2 > MOST) return 2;
  int fds[MOST], many = (argc - 3) / 2;
  for (int i = 0; i < many; i++) fds[i] = open_from(argv[3 + 2 * i], argv[4 + 2 * i], argv[2]);
  signal(SIGTERM, stop);
  struct mmsghdr batch[BATCH];
  memset(batch, 0, sizeof batch);
  double begun = now(), end = begun + atof(argv[1]);
  unsigned long long sent = 0;
  for (unsigned turn = 0; !stopped && now() < end; turn++) {
    int now_many = turn % 8 == 0 ? many : many - 1;
    for (int i = 0; i < now_many; i++) {
      int n = sendmmsg(fds[i], batch, BATCH, 0);
      if (n > 0) sent += (unsigned long long)n;
    }
  }
  printf("sent %llu in %.3f\n", sent, now() - begun);
  return 0;
}
