/**
 * The scenario under which a host pushes its bans to CrowdSec. By it the host knows them again, and does not take them for somebody else's; other
 * hosts take them. Hosts of the same name leave each other's out.
 */
export function scenarioOf(host: string): string {
  return `blocklist/${host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .slice(0, 64)}`;
}
