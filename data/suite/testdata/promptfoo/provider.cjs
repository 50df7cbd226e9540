// A provider that gives the stored answer of a test.
const fs = require('fs');
const path = require('path');
const answers = {};
for (const line of fs.readFileSync(process.env.ANSWERS, 'utf8').split('\n')) {
  if (line) {
    const a = JSON.parse(line);
    answers[a.id] = a;
  }
}
module.exports = class {
  id() {
    return 'stored';
  }
  async callApi(prompt, context) {
    const a = answers[context.vars.id];
    return { output: a.text, logProbs: a.logprobs };
  }
};
