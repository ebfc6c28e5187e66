// Preloaded into a run of the program: says at its end how many scripts came without V8's code, or with code that V8 refused.
const vm = require('node:vm');
const { writeSync } = require('node:fs');

const seen = { taken: 0, refused: 0, without: 0 };
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    seen[options.cachedData === undefined ? 'without' : this.cachedDataRejected ? 'refused' : 'taken']++;
  }
};
process.on('exit', () => writeSync(2, JSON.stringify(seen)));
