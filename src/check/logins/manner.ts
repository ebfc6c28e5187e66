import type { LoginRule } from './rule.js';

const MANY_FAILURES = 5;

/** It was tried until it worked. */
export const afterFailures: LoginRule = {
  code: 'LOGIN-AFTER-FAILURES',
  inLearning: 'speaks',
  judge: ({ visit, address }) => {
    if (visit.failures < MANY_FAILURES || address === undefined) return undefined;
    return {
      code: 'LOGIN-AFTER-FAILURES',
      severity: 'high',
      words: `after ${visit.failures >= 20 ? 'at least 20' : visit.failures} failures of the same address within ten minutes`,
      evidence: { failures: visit.failures },
    };
  },
};

/** A key that this user never came with, while he uses keys. */
export const newKey: LoginRule = {
  code: 'LOGIN-NEW-KEY',
  inLearning: 'silent',
  judge: ({ visit, knowledge }) => {
    const known = Object.keys(knowledge.of(visit.user)?.keys ?? {});
    if (visit.key === undefined || known.length === 0 || known.includes(visit.key)) return undefined;
    return {
      code: 'LOGIN-NEW-KEY',
      severity: 'low',
      words: `with a key not seen before, ${visit.key}`,
      evidence: { key: visit.key, known: known.length },
    };
  },
};

/** A password where it always was a key, and the like. */
export const newMethod: LoginRule = {
  code: 'LOGIN-NEW-METHOD',
  inLearning: 'silent',
  judge: ({ visit, knowledge }) => {
    const known = Object.keys(knowledge.of(visit.user)?.methods ?? {});
    if (visit.method === undefined || known.length === 0 || known.includes(visit.method)) return undefined;
    return {
      code: 'LOGIN-NEW-METHOD',
      severity: 'info',
      words: `by ${visit.method}; it always was ${known.join(', ')}`,
      evidence: { method: visit.method, known },
    };
  },
};

/** PAM asks for a password in both ways (sshd_config(5), PermitRootLogin). */
const BY_PASSWORD = /^(?:password|keyboard-interactive)/;

export const rootByPassword: LoginRule = {
  code: 'LOGIN-ROOT-PASSWORD',
  inLearning: 'speaks',
  judge: ({ visit, address }) => {
    if (visit.user !== 'root' || address === undefined || !BY_PASSWORD.test(visit.method ?? '')) return undefined;
    return {
      code: 'LOGIN-ROOT-PASSWORD',
      severity: 'medium',
      words: `root by ${visit.method}`,
      evidence: { method: visit.method },
    };
  },
};

/** Only a text log tells of it, which every local user can write into, and pam tells nothing, as it does of other logins. */
export const notBorneOut: LoginRule = {
  code: 'LOG-FORGED',
  inLearning: 'speaks',
  judge: ({ visit, hasPam }) => {
    const isAlone = visit.writer === 'anyone' && visit.service === 'sshd' && visit.isOpened === undefined;
    if (!isAlone || !hasPam) return undefined;
    return {
      code: 'LOG-FORGED',
      severity: 'medium',
      words: 'no session was opened for it, and no record but the log has it: any local user can write such a line',
      evidence: { pid: visit.pid ?? null },
    };
  },
};
