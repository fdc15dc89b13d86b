// node run.js FOLDER ROWS OUT: the answers of docs/node.md's service to JSON lines, as bytes that Python compares.
const { readFileSync, writeFileSync } = require("node:fs");
const [folder, rows, out] = process.argv.slice(2);
const { load } = require(`${out}/score.js`);

(async () => {
  const answer = await load(folder);
  const applicants = readFileSync(rows, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
  const answers = [];
  for (let first = 0; first < applicants.length; first += 1000) {
    answers.push(...(await answer(applicants.slice(first, first + 1000))));
  }
  const alone = await Promise.all(applicants.slice(0, 50).map((applicant) => answer([applicant])));
  writeFileSync(`${out}/probability`, Float64Array.from(answers, (each) => each.probability));
  writeFileSync(`${out}/alone`, Float64Array.from(alone, ([each]) => each.probability));
  writeFileSync(`${out}/margin`, Float32Array.from(answers.flatMap((each) => Array.from(each.margins))));
  writeFileSync(`${out}/score`, Float64Array.from(answers, (each) => each.credit_score));
  writeFileSync(`${out}/band`, JSON.stringify(answers.map((each) => each.score_band)));
})();
