// Compares the program with promptfoo from end to end: the verdict, score and metrics of each of the answers that
// make.mjs judged with promptfoo, and that ten runs write the same bytes.
//
//   WITHOUT=perplexity node make.mjs FOLDER 500 9 OUT && node compare.mjs bin/instruct OUT
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const [program, folder] = process.argv.slice(2);
const lines = (file) => fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const answers = path.join(folder, 'responses.jsonl');
fs.writeFileSync(answers, lines(path.join(folder, 'answers.jsonl'))
  .map((a) => JSON.stringify({ prompt: a.id, response: a.text }) + '\n').join(''));

// run gives what one eval prints and writes.
function run() {
  const out = path.join(folder, 'eval');
  const args = ['eval', '--suite', path.join(folder, 'suite.yaml'), '--answers', answers, '--out', out];
  const printed = execFileSync(path.resolve(program), args, { encoding: 'utf8' });
  return [printed, fs.readFileSync(path.join(out, 'samples-1-suite.jsonl'), 'utf8')];
}

const [printed, samples] = run();
for (let i = 1; i < 10; i++) {
  const again = run();
  if (again[0] !== printed || again[1] !== samples) {
    throw new Error(`run ${i + 1} differs from the first`);
  }
}
const close = (a, b) => Math.abs(a - b) <= 1e-9;
const ours = samples.trim().split('\n').map((line) => JSON.parse(line));
const theirs = lines(path.join(folder, 'verdicts.jsonl'));
let differ = 0;
theirs.forEach((want, i) => {
  const got = ours[i];
  const named = Object.keys(want.named);
  const same = got.pass === want.pass && close(got.score, want.score) &&
    named.length === got.metrics.length - 2 && named.every((n) => close(got[n], want.named[n])); // pass and score
  if (!same) {
    differ++;
    console.log(want.id, JSON.stringify(got), JSON.stringify(want));
  }
});
console.log(`${theirs.length} answers, ${theirs.filter((t) => t.pass).length} pass, ${differ} differ; ten runs are equal`);
if (differ > 0 || ours.length !== theirs.length) {
  process.exit(1);
}
