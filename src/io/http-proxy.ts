/** Which proxy of the environment a server is asked through. */

/**
 * Address of the proxy, empty for none. As curl has it, http_proxy does not serve https; as Go, and with it CrowdSec, has it, this host itself is
 * never asked through a proxy: it could not reach it, and would learn the key.
 */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): string {
  if (isLoopback(url)) return '';
  const isSecure = url.protocol === 'https:';
  return proxyAddress(isSecure ? (env.https_proxy ?? env.HTTPS_PROXY) : (env.http_proxy ?? env.HTTP_PROXY));
}

/**
 * Whether an address names this host by its loopback (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3), mapped or not, or as
 * "this host", the unspecified address: connect(2) takes that for the loopback.
 */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::(1|ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4})?\])$/.test(hostname);
}

/** Written without a scheme, it is of http: so reads curl it. */
function proxyAddress(text: string | undefined): string {
  return text === undefined || text === '' || /^[a-z0-9+.-]+:\/\//i.test(text) ? (text ?? '') : `http://${text}`;
}
