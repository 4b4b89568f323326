// Walks a folder with our local replica, as a cycle does, and counts the files.
//   node walk-ours.mjs DIST FOLDER
const [dist, folder] = process.argv.slice(2);
const { createLocalReplica } = await import(`${dist}/replica/local/local-replica.js`);
const { createDefaultFileSystem } = await import(`${dist}/replica/local/default-file-system.js`);
const { createPathFilter } = await import(`${dist}/replica/local/filter.js`);
const { systemRuntime } = await import(`${dist}/s3/system-runtime.js`);
const replica = createLocalReplica({
  root: folder,
  fileSystem: createDefaultFileSystem(),
  runtime: systemRuntime,
  pathRules: 'linux',
  runId: 'bench',
});
await replica.prepare({ readonly: true });
let files = 0;
for await (const page of replica.scan({ filter: createPathFilter() })) files += page.entries.length;
await replica.close();
console.log(files);
