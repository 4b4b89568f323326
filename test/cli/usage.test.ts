import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from './harness.js';

const BUCKET = 's3://bucket/photos';

describe('wrong usage', () => {
  const rows: readonly (readonly [argv: readonly string[], says: readonly string[]])[] = [
    [
      ['snyc', '.', BUCKET],
      ["unknown command 'snyc'", '(Did you mean sync?)'],
    ],
    [
      ['sync', '.', BUCKET, '--exlude', 'x'],
      ["unknown option '--exlude'", '(Did you mean --exclude?)', 'filecloudsync sync --help'],
    ],
    [['sync'], ['Which folder and which bucket?', 'filecloudsync sync <folder> <s3://bucket/prefix>']],
    [
      ['sync', '.'],
      ['Which bucket is . to be kept the same with?', 's3://bucket/prefix'],
    ],
    [
      ['sync', BUCKET],
      ['Which folder?', 'The folder comes first'],
    ],
    [['sync', BUCKET, '.'], [`Folder and bucket are swapped. The folder comes first: . ${BUCKET}`]],
    [['sync', BUCKET, BUCKET], ['Both are buckets']],
    [
      ['sync', 'no-such-folder', BUCKET],
      ['no-such-folder does not exist', 'mkdir', 'ERR_FOLDER_MISSING'],
    ],
    [['sync', 'a-file', BUCKET], ['a-file is a file, not a folder']],
    [['sync', '', BUCKET], ['The folder is empty']],
    [['sync', '.', 'http://bucket'], ['"http://" is not supported']],
    [['sync', '.', './other-folder'], ['the name of a bucket has at least 3 letters']],
    [['sync', '.', BUCKET, '--prefix', 'other/'], ['the prefix is given twice']],
    [['sync', '.', BUCKET, 'more'], ['Too many arguments']],
    [
      ['sync', '.', BUCKET, '--conflict', 'oldest'],
      ['--conflict must be one of "newest", "local", "bucket", "keep-both", "manual"', '"oldest"'],
    ],
    [['sync', '.', BUCKET, '--max-delete', '150%'], ['--max-delete must be a share from 0 to 1, not 1.5']],
    [
      ['sync', '.', BUCKET, '--concurrency', 'many', '--endpoint', 'storage.example.com'],
      [
        '2 things are wrong',
        '--concurrency must be a whole number of files from 1 to 256, not "many"',
        '--endpoint must be an address',
      ],
    ],
    [['watch', '.', BUCKET, '--delay', '0'], ['--delay must be seconds from 0.1']],
    [['sync', '.', BUCKET, '--delay', '5'], ["unknown option '--delay'"]],
    [['verify', '.', BUCKET, '--sample', '2'], ['--sample must be a share from 0 to 1 (or 10%), not "2"']],
    [['trash', '.', BUCKET, '--purge-older-than', 'soon'], ['--purge-older-than must be an age such as 30d']],
    [['trash', '.', BUCKET, '--yes'], ['--yes belongs to --purge-older-than']],
    [
      ['resolve', '.', BUCKET, 'a'],
      ['Which version counts?', '--use keep-both'],
    ],
    [['resolve', '.', BUCKET, 'a', '--use', 'mine'], ['Allowed choices are local, bucket, keep-both']],
    [['resolve', '.', BUCKET], ['Something is missing: filecloudsync resolve <folder> <s3://bucket/prefix> <path>']],
    [['restore', '.', BUCKET], ['Restore what?']],
    [['restore', '.', BUCKET, 'a', '--run', 'r'], ['not both']],
    [['completion', 'tcsh'], ['Allowed choices are bash, zsh, fish']],
    [['help', 'snyc'], ["Unknown command 'snyc'"]],
    [['demo', '--port', '99999'], ['--port must be a port']],
  ];

  it.each(rows)('%j is refused with help', async (argv, says) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'a-file'), '');
    mkdirSync(join(cwd, 'other-folder'));
    const ran = await run(argv, { cwd });
    for (const part of says) expect(ran.stderr.toLowerCase()).toContain(part.toLowerCase());
    expect(ran.stderr).not.toMatch(/\.\.(\s|$)|\n {4}at /m);
    expect([ran.code, ran.stdout, ran.connects, ran.opened]).toEqual([2, '', [], []]);
  });

  it('without a command shows the help on stderr', async () => {
    const ran = await run([]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain('Usage: filecloudsync');
  });
});
