// Makes what the tests compare with promptfoo's verdicts: answers and a suite that judges them (suite.yaml,
// answers.jsonl), drawn from pool.json, and what promptfoo says of them (verdicts.jsonl) and asks for cases.yaml
// (cases.jsonl).
//
//   npm install promptfoo@0.121.20        # in a folder of its own; the newest that runs on node 20
//   node make.mjs FOLDER [TESTS [SEED [OUT]]]  # take another seed where the reader refuses a block of text
//
// WITHOUT=perplexity in the environment draws no such assertion; compare.mjs needs that.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const here = import.meta.dirname;
const modules = path.resolve(process.argv[2], 'node_modules');
const count = Number(process.argv[3] || 400);
let seed = Number(process.argv[4] || 1);
const out = path.resolve(process.argv[5] || here);
const yaml = await import(pathToFileURL(path.join(modules, 'js-yaml/dist/js-yaml.mjs')));
const pool = JSON.parse(fs.readFileSync(path.join(here, 'pool.json'), 'utf8'));

// random is Mulberry32, in [0, 1).
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const times = (n, f) => Array.from({ length: n }, f);
const sentence = () => times(1 + below(12), () => pick(pool.words)).join(random() < 0.6 ? ' ' : '');
const share = () => pick([0, 0.25, 0.5, 0.6, 0.75, 0.9, 1]);
const types = [
  'equals', 'contains', 'icontains', 'contains-any', 'contains-all', 'icontains-any', 'icontains-all', 'starts-with',
  'regex', 'regex', 'is-json', 'is-json', 'contains-json', 'contains-json', 'contains-json', 'word-count',
  'levenshtein', 'rouge-n', 'rouge-n', 'is-refusal', 'perplexity',
].filter((type) => type !== process.env.WITHOUT);

// schema is one of the schemas, at times as text, as those with a $ref must be.
function schema() {
  const s = pick(pool.schemas);
  return random() < 0.2 || s.definitions ? JSON.stringify(s) : s;
}

// value draws the value of an assertion, if it has one.
function value(type) {
  switch (type) {
    case 'equals':
      return pick([...pool.texts, 1, 0, -0, true, false, 1.5, -3, 2 ** 70, null, [1, 2, 3], [], {}, { a: 1 },
        { a: 1, b: [1, 2, { c: null }] }]);
    case 'contains':
    case 'icontains':
      return pick([...pool.strings, 1, 0, 1.5]);
    case 'contains-any':
    case 'contains-all':
    case 'icontains-any':
    case 'icontains-all':
      return pick(pool.lists);
    case 'starts-with':
      return pick(pool.strings);
    case 'regex':
      return pick(pool.expressions);
    case 'is-json':
    case 'contains-json':
      return random() < 0.75 ? schema() : undefined;
    case 'word-count':
      return pick([0, 1, 2, 3, 5, '3', ' 6 ', { min: 2 }, { max: 3 }, { min: 1, max: 6 }, { min: 5, max: 5 }]);
    case 'levenshtein':
      return pick(pool.texts);
    case 'rouge-n':
      return random() < 0.5 ? sentence() : pick(pool.texts);
  }
  return undefined;
}

// threshold draws a threshold, which only perplexity must have.
function threshold(type) {
  switch (type) {
    case 'levenshtein':
      return random() < 0.6 ? pick([0, 1, 2, 2.5, 3, 5, 10, 50]) : undefined;
    case 'rouge-n':
    case 'assert-set':
      return random() < 0.7 ? share() : undefined;
    case 'perplexity':
      return pick([1, 1.5, 2, 5, 20]);
  }
  return undefined;
}

// suited are answers that suit an assertion.
function suited(type, v) {
  if (type === 'equals' && random() < 0.4) {
    return [typeof v === 'object' ? JSON.stringify(v) : String(v)];
  }
  if (type === 'starts-with' && random() < 0.3) {
    return [v + 'x', v];
  }
  if (type === 'is-refusal' && random() < 0.7) {
    return pool.refusals;
  }
  return /json|equals/.test(type) && random() < 0.9 ? pool.jsons : pool.texts;
}

// finish gives an assertion or an assert-set its other keys.
function finish(type, keys, metrics) {
  keys.threshold = threshold(type);
  keys.weight = random() < 0.25 ? pick([0, 0.1, 0.5, 1, 2, 3]) : undefined;
  keys.metric = random() < 0.25 ? pick(metrics) : undefined;
  return JSON.parse(JSON.stringify(keys)); // without those that have no value
}

// assertion draws an assertion, and an answer for it.
function assertion() {
  const type = pick(types);
  const v = value(type);
  const a = finish(type, { type: (random() < 0.3 ? 'not-' : '') + type, value: v }, ['M', 'N', 'tone']);
  return [a, edited(pick(suited(type, v)), type)];
}

const assertSet = () =>
  finish('assert-set', { type: 'assert-set', assert: times(1 + below(3), () => assertion()[0]) }, ['M', 'S']);

// edited is a text with some characters changed, or words at random where an assertion counts words.
function edited(text, type) {
  if (random() < 0.5) {
    return text;
  }
  if (/rouge|levenshtein|word/.test(type)) {
    return sentence();
  }
  let chars = [...text];
  for (let n = below(4); n > 0; n--) {
    const at = below(chars.length + 1);
    if (random() < 0.35) {
      chars.splice(at, 1);
    } else if (random() < 0.2) {
      chars = [...chars, ...pick(pool.jsons)];
    } else {
      chars.splice(at, 0, pick(pool.edits));
    }
  }
  return chars.join('');
}

// draw makes the tests and the answers.
function draw() {
  const tests = [];
  const answers = [];
  for (let i = 0; i < count; i++) {
    const id = `t${i}`;
    const [first, text] = assertion();
    const test = { vars: { id }, assert: [first] };
    if (random() < 0.4) {
      test.assert.push(...times(1 + below(3), () => (random() < 0.35 ? assertSet() : assertion()[0])));
      if (random() < 0.5) {
        test.threshold = share();
      }
    }
    tests.push(test);
    answers.push({ id, text, logprobs: times(1 + below(5), () => pick([-0.01, -0.1, -0.5, -1, -2, -3.7])) });
  }
  return [tests, answers];
}

const jsonl = (rows) => rows.map((row) => JSON.stringify(row) + '\n').join('');

// evaluate runs promptfoo, and gives its results in the order of its cases.
function evaluate(config, provider, env) {
  const result = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'promptfoo-')), 'results.json');
  const program = path.join(modules, 'promptfoo/dist/src/main.js');
  const args = [program, 'eval', '-c', config, '-r', provider, '-o', result, '--no-cache', '--no-write', '--no-table'];
  const off = { PROMPTFOO_DISABLE_TELEMETRY: '1', PROMPTFOO_DISABLE_UPDATE: '1', PROMPTFOO_SELF_HOSTED: '1' };
  try {
    execFileSync('node', args, { env: { ...process.env, ...off, ...env }, stdio: 'pipe', cwd: path.dirname(config) });
  } catch (err) {
    if (!fs.existsSync(result)) {
      throw err; // A test that fails is no error here.
    }
  }
  const rows = JSON.parse(fs.readFileSync(result, 'utf8')).results.results;
  return rows.sort((a, b) => a.testIdx - b.testIdx || a.promptIdx - b.promptIdx);
}

const verdict = (row) => ({
  pass: row.success,
  score: row.score,
  error: row.gradingResult ? undefined : row.error,
  parts: row.gradingResult?.componentResults.map((part) => [part.pass, part.score]),
  named: row.namedScores,
});

// plainer writes what the Go reader of YAML does not know in another way: a block that holds a line break only, a
// number with nothing behind its point, and text without quotes that looks like a number.
const plainer = (text) =>
  text
    .replace(/\|\+\n\n(?=\s*[-a-z])/g, '"\\n"\n')
    .replace(/(\d)\.e\+/g, '$1.0e+')
    .replace(/^(\s*(?:- |value: ))1e400$/gm, "$1'1e400'");

const [tests, answers] = draw();
const suite = path.join(out, 'suite.yaml');
fs.writeFileSync(suite, plainer(yaml.dump({ prompts: ['{{id}}'], tests }, { lineWidth: 100 })));
fs.writeFileSync(path.join(out, 'answers.jsonl'), jsonl(answers));
const provider = pathToFileURL(path.join(here, 'provider.cjs')).href;
const judged = evaluate(suite, provider, { ANSWERS: path.join(out, 'answers.jsonl') });
fs.writeFileSync(path.join(out, 'verdicts.jsonl'), jsonl(judged.map((row) => ({ id: row.vars.id, ...verdict(row) }))));
const asked = evaluate(path.join(here, 'cases.yaml'), 'echo', {});
fs.writeFileSync(path.join(out, 'cases.jsonl'), jsonl(asked.map((row) => (
  { prompt: row.prompt.raw, text: row.response.output, ...verdict(row), metadata: row.testCase.metadata }))));
