import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, must, start, until } from './processes.js';

/** What these tests need: Debian's CrowdSec, see test/setup/crowdsec.ts. */
export const LAPI_NEEDS = ['crowdsec', 'cscli'];

/** A local API of CrowdSec on a port of the loopback, with a database of its own. No agent, no central service, no hub. */
export class Lapi {
  private running: Background | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {}

  static async create(): Promise<Lapi> {
    const folder = await mkdtemp(join(tmpdir(), 'blocklist-lapi-'));
    const lapi = new Lapi(folder, await freePort());
    await lapi.configure();
    await lapi.addMachine('cscli', 'cscli.yaml');
    await lapi.start();
    return lapi;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Runs `cscli`, which must succeed, and gives what it printed. */
  cscli(...command: readonly string[]): Promise<string> {
    return must(['cscli', '-c', join(this.folder, 'config.yaml'), ...command]);
  }

  async addBouncer(name: string, key: string): Promise<void> {
    await this.cscli('bouncers', 'add', name, '-k', key);
  }

  /** Makes an account, and gives the path of its credentials. */
  async addMachine(name: string, file: string): Promise<string> {
    const path = join(this.folder, file);
    await this.cscli('machines', 'add', name, '--auto', '--force', '--file', path);
    return path;
  }

  /** A decision by hand: `-i ADDRESS`, `-r RANGE`, `--scope country --value CN`. */
  async decide(...options: readonly string[]): Promise<void> {
    await this.cscli('decisions', 'add', ...options);
  }

  /** A decision as an agent sends one; cscli makes none that is only simulated. */
  async alert(value: string, duration: string, kind: 'real' | 'simulated'): Promise<void> {
    const simulated = kind === 'simulated';
    const [scenario, at] = [`test/${kind}`, new Date().toISOString()];
    const decision = { origin: 'crowdsec', type: 'ban', scope: 'Ip', value, duration, scenario, simulated };
    const unused = { scenario_hash: '', scenario_version: '', message: '', capacity: 0, leakspeed: '0', events: [] };
    const source = { scope: 'Ip', value, ip: value };
    const alert = { ...unused, scenario, simulated, events_count: 1, start_at: at, stop_at: at, source };
    await this.post('alerts', [{ ...alert, decisions: [decision] }], { authorization: `Bearer ${await this.token()}` });
  }

  async undecide(...options: readonly string[]): Promise<void> {
    await this.cscli('decisions', 'delete', ...options);
  }

  /** The decisions in force as `SCOPE VALUE`, those of one scenario if that is named. */
  async decisions(...filter: readonly string[]): Promise<string[]> {
    const alerts = JSON.parse(await this.cscli('decisions', 'list', '-o', 'json', '--limit', '0', ...filter)) as
      | { decisions: { scope: string; value: string }[] }[]
      | null;
    return (alerts ?? []).flatMap(({ decisions }) => decisions.map(({ scope, value }) => `${scope} ${value}`)).sort();
  }

  async start(): Promise<void> {
    const running = start(['crowdsec', '-c', join(this.folder, 'config.yaml'), '-no-cs']);
    this.running = running;
    try {
      await until('the API answers', () => this.answers());
    } catch (cause) {
      throw new Error(`crowdsec does not start: ${running.output().slice(-1000)}`, { cause });
    }
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Logs in as cscli does. */
  private async token(): Promise<string> {
    const credentials = await readFile(join(this.folder, 'cscli.yaml'), 'utf8');
    const password = /^password: (\S+)$/m.exec(credentials)?.[1];
    const answer = await this.post('watchers/login', { machine_id: 'cscli', password, scenarios: [] });
    return ((await answer.json()) as { token: string }).token;
  }

  private async post(path: string, value: object, headers: Record<string, string> = {}): Promise<Response> {
    // Without a slash in it a name of a program is refused.
    const all = { 'content-type': 'application/json', 'user-agent': 'test/1', ...headers };
    const answer = await fetch(`${this.url}/v1/${path}`, { method: 'POST', headers: all, body: JSON.stringify(value) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  private async answers(): Promise<boolean> {
    try {
      const { status } = await fetch(`${this.url}/v1/decisions`);
      return status === 403;
    } catch {
      // Nobody listens yet.
      return false;
    }
  }

  private async configure(): Promise<void> {
    const { folder } = this;
    const at = (name: string) => join(folder, name);
    for (const name of ['data', 'hub', 'plugins', 'notifications']) await mkdir(at(name));
    await writeFile(at('hub/.index.json'), '{}');
    await writeFile(at('simulation.yaml'), 'simulation: false\n');
    await writeFile(at('profiles.yaml'), 'name: none\nfilters: ["false"]\non_success: break\n');
    const server = { listen_uri: `127.0.0.1:${this.port}`, profiles_path: at('profiles.yaml') };
    const config = {
      common: { daemonize: false, log_media: 'stdout', log_level: 'warning', working_dir: folder },
      config_paths: {
        config_dir: folder,
        data_dir: at('data'),
        simulation_path: at('simulation.yaml'),
        hub_dir: at('hub'),
        index_path: at('hub/.index.json'),
        notification_dir: at('notifications'),
        plugin_dir: at('plugins'),
      },
      db_config: { log_level: 'warning', type: 'sqlite', db_path: at('data/crowdsec.db') },
      api: { client: { credentials_path: at('cscli.yaml') }, server },
      prometheus: { enabled: false },
    };
    // JSON is YAML.
    await writeFile(at('config.yaml'), JSON.stringify(config));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The lines of a list that a project rendered; none when it did not. */
export async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
}
