// The plainest walk in Node.js: readdir and lstat, no order, no checks.
import { lstatSync, readdirSync } from 'node:fs';

let files = 0;
const walk = (folder) => {
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    if (item.isDirectory()) walk(`${folder}/${item.name}`);
    else if (lstatSync(`${folder}/${item.name}`, { bigint: true }) !== undefined) files++;
  }
};
walk(process.argv[2]);
console.log(files);
