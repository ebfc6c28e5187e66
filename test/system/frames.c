/*
 * frames INTERFACE
 * Sends each line of its input, an Ethernet frame in hexadecimal digits, as it is.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  struct sockaddr_ll to = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(argv[1])};
  int link = socket(AF_PACKET, SOCK_RAW, 0);
  if (link < 0 || to.sll_ifindex == 0) {
    perror("frames");
    return 1;
  }
  char line[4096];
  while (fgets(line, sizeof line, stdin) != NULL) {
    unsigned char frame[2048];
    size_t size = 0;
    for (unsigned value; sscanf(line + 2 * size, "%2x", &value) == 1; size++) frame[size] = (unsigned char)value;
    if (sendto(link, frame, size, 0, (struct sockaddr *)&to, sizeof to) != (ssize_t)size) {
      perror("frames");
      return 1;
    }
  }
  return 0;
}
