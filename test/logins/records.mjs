// Writes login records as glibc lays them out (bits/utmp.h), for tests and the benchmark.

/**
 * @typedef {object} MadeRecord
 * @property {number} type ut_type
 * @property {number} [pid]
 * @property {string} [line]
 * @property {string} [id]
 * @property {string} [user]
 * @property {string} [host]
 * @property {number} seconds
 * @property {number} [micros]
 * @property {readonly number[]} [address] 4 or 16 bytes
 */

/** Offsets of session, seconds, microseconds and address. */
const PLACES = { 384: [336, 340, 344, 348], 400: [336, 344, 352, 360] };

/**
 * @param {MadeRecord} record
 * @param {384 | 400} [size]
 * @returns {Buffer}
 */
export function recordBytes(record, size = 384) {
  const { type, pid = 0, line = '', id = '', user = '', host = '', seconds, micros = 0, address = [] } = record;
  const [, second, micro, peer] = /** @type {[number, number, number, number]} */ (PLACES[size]);
  const bytes = Buffer.alloc(size);
  bytes.writeInt16LE(type, 0);
  bytes.writeInt32LE(pid, 4);
  bytes.write(line, 8, 32);
  bytes.write(id, 40, 4);
  bytes.write(user, 44, 32);
  bytes.write(host, 76, 256);
  bytes.writeUInt32LE(seconds, second);
  bytes.writeUInt32LE(micros, micro);
  bytes.set(address, peer);
  return bytes;
}

/**
 * A login over ssh, as sshd writes it.
 * @param {Partial<MadeRecord> & {readonly seconds: number}} some what is other than in the usual one
 * @returns {MadeRecord}
 */
export function sshLogin(some) {
  return {
    type: 7,
    pid: 1201,
    line: 'pts/0',
    id: 'ts/0',
    user: 'alice',
    host: '198.51.100.23',
    address: [198, 51, 100, 23],
    ...some,
  };
}

/**
 * @param {readonly MadeRecord[]} records
 * @param {384 | 400} [size]
 * @returns {Buffer}
 */
export function fileOf(records, size = 384) {
  return Buffer.concat(records.map((record) => recordBytes(record, size)));
}
