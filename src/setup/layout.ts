import { join } from 'node:path';

/** The system user that fetches lists and renders rules, with no right on this host but to write its own folders. */
export const SYSTEM_USER = 'blocklist';

/** Where everything is on a host. The folders with `owner: 'user'` are those that the unprivileged update writes. */
export const PLACE = {
  config: '/etc/blocklist/blocklist.yaml',
  folder: '/etc/blocklist',
  rules: '/etc/blocklist/rules',
  cache: '/var/cache/blocklist',
  state: '/var/lib/blocklist',
  updateState: '/var/lib/blocklist/update',
  boot: '/var/lib/blocklist/boot',
  /** there after an `unload` by hand: nothing loads the rules again by itself */
  unloaded: '/var/lib/blocklist/unloaded',
  units: '/etc/systemd/system',
  systemUser: '/etc/sysusers.d/blocklist.conf',
  cron: '/etc/cron.d/blocklist',
} as const;

export interface FolderSpec {
  readonly path: string;
  readonly owner: 'root' | 'user';
}

/** Parents first. All have mode 0755: root without CAP_DAC_OVERRIDE reads what the update writes, as anybody may. */
export const FOLDERS: readonly FolderSpec[] = [
  { path: PLACE.folder, owner: 'root' },
  { path: PLACE.rules, owner: 'user' },
  { path: PLACE.cache, owner: 'user' },
  { path: PLACE.state, owner: 'root' },
  { path: PLACE.updateState, owner: 'user' },
];

/** The place of an absolute path in the tree of an image: `/etc` below `/mnt/image` is `/mnt/image/etc`. */
export function below(root: string, path: string): string {
  return root === '/' ? path : join(root, path);
}
