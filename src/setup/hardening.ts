/** What a service may not do (systemd.exec(5)). Each list is a set of lines for [Service]. */

const ALWAYS = [
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateDevices=yes',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectProc=invisible',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  // A call that is not allowed is refused instead of ending the program: node tries io_uring and does without.
  'SystemCallErrorNumber=EPERM',
  'UMask=0022',
] as const;

/** The fetcher: no capability at all, the network, and three folders of its own. */
export const FETCHER = [
  'CapabilityBoundingSet=',
  ...ALWAYS,
  'PrivateTmp=yes',
  'PrivateIPC=yes',
  'RemoveIPC=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX',
  '# nft checks a sample of the rules in a network namespace of its own.',
  'RestrictNamespaces=user net',
  '# Not MemoryDenyWriteExecute=: node compiles JavaScript while it runs.',
] as const;

/** The loader: root, so that nobody else can alter what it knows, with the one capability that nft, ss -K and conntrack need. */
export const LOADER = [
  'CapabilityBoundingSet=CAP_NET_ADMIN',
  ...ALWAYS,
  'PrivateTmp=yes',
  'PrivateIPC=yes',
  'RestrictAddressFamilies=AF_NETLINK AF_UNIX',
  'RestrictNamespaces=yes',
  '# It talks to the kernel and to nobody else.',
  'IPAddressDeny=any',
  '# Not MemoryDenyWriteExecute=: node compiles JavaScript while it runs.',
] as const;

/** Plain nft early at boot. PrivateTmp= is left out: it would order this after the units that set up /tmp. */
export const BOOT_LOADER = [
  'CapabilityBoundingSet=CAP_NET_ADMIN',
  ...ALWAYS,
  'MemoryDenyWriteExecute=yes',
  'RestrictAddressFamilies=AF_NETLINK AF_UNIX',
  'RestrictNamespaces=yes',
] as const;

/** The reporter. NoNewPrivileges= and an empty bounding set would take the setgid bit from a mail program (postfix's postdrop). */
export const REPORTER = [
  'ProtectSystem=full',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'LockPersonality=yes',
  'MemoryDenyWriteExecute=yes',
] as const;
