import { expect, test } from 'vitest';
import { proxyFor } from '../../src/io/http-proxy.js';

const ENVIRONMENT = { http_proxy: 'proxy.example.org:3128', https_proxy: 'http://secure.example.org:3128' };

test.each([
  'http://localhost:8080',
  'http://127.0.0.1:8080',
  'https://127.9.9.9',
  'http://127.1',
  'http://[::1]:8080',
  // As listen_uri of CrowdSec often has them: whoever connects to them arrives on this host (RFC 1122 section 3.2.1.3).
  'http://0.0.0.0:8080',
  'http://[::]:8080',
  'http://[::ffff:127.0.0.1]:8080',
])('%s is this host, which no proxy reaches', (url) => {
  expect(proxyFor(new URL(url), ENVIRONMENT)).toBe('');
});

test.each([
  ['http://10.0.0.1', 'http://proxy.example.org:3128'],
  ['http://localhost.example.org', 'http://proxy.example.org:3128'],
  ['http://128.0.0.1', 'http://proxy.example.org:3128'],
  ['http://[::2]', 'http://proxy.example.org:3128'],
  ['https://lapi.example.org', 'http://secure.example.org:3128'],
])('%s is asked through a proxy', (url, proxy) => {
  expect(proxyFor(new URL(url), ENVIRONMENT)).toBe(proxy);
});

test('without a proxy in the environment there is none', () => {
  expect(proxyFor(new URL('http://10.0.0.1'), {})).toBe('');
});
