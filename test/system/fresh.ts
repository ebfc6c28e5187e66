import { afterAll, afterEach, beforeAll } from 'vitest';
import { Namespace } from './namespace.js';
import { Project, type TestSource } from './project.js';
import { watchers } from './waiting.js';

export interface Fresh {
  readonly namespace: Namespace;
  /** its rules are built */
  readonly project: Project;
}

/**
 * For a block of tests: a way to get a namespace and a project of one's own, which go away with the test, watchdogs included. The rules are
 * built once for all of them.
 * @param prepare what else is done to the project that all others are copies of
 */
export function freshProjects(
  sources: readonly TestSource[],
  prepare: (template: Project) => Promise<void> = async () => undefined,
): () => Promise<Fresh> {
  let template: Project;
  const made: Fresh[] = [];
  beforeAll(async () => {
    template = await Project.create(sources);
    await template.done(undefined, 'build');
    await prepare(template);
  });
  afterAll(() => template.remove());
  afterEach(async () => {
    for (const { namespace, project } of made.splice(0)) {
      for (const pid of watchers(project)) process.kill(pid, 'SIGKILL');
      await namespace.remove();
      await project.remove();
    }
  });
  return async () => {
    const fresh = { namespace: await Namespace.create(), project: await Project.copyOf(template) };
    made.push(fresh);
    return fresh;
  };
}
