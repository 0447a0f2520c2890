import { gzipSync } from 'node:zlib';

import { makeCsvFolder } from '../helpers/csv-files.ts';
import { describeSourceContract } from './source-contract.ts';

/** 64 bytes, one more than PostgreSQL takes. */
const LONG_NAME = `ü${'x'.repeat(62)}`;

describeSourceContract('csv', async () => {
  const folder = await makeCsvFolder();
  const wide = Array.from({ length: 1600 }, (_, index) => `c${String(index)}`).join(',');
  const location = await folder.write({
    people:
      'id,name,"say ""hi""",born\r\n1,"O\'Neil, ""Bo""",x,2024-02-29\r\n2,,"",\r\n3,back\\slash,"a\nb\tc",1970-01-01\n',
    select: 'from,order\n1,2\n3,4\n',
    'Mixed Case': 'Ä,🐘 col\nä,🐘\n',
    [LONG_NAME]: `${LONG_NAME}\n1\n2\n`,
    empty: 'a,b\n',
    only_rejects: 'a,b\n1\n1,2,3\n"x"y,2\n',
    keyless: 'a,b\n1,x\n1,x\n1,x\n',
    one_column: 'v\na\n\n""\nb\n',
    double_names: 'a,a,,a\n1,2,3,4\n',
    wide: `${wide}\n${wide}\n`,
    packed: gzipSync('a,b\n1,2\n3,4\n5,6\n'),
    utf16: Buffer.from('\ufeffa;b\ré;1\r🐘;2\rx;3', 'utf16le'),
    cp1252: Buffer.from('a|b\n\x80|\xe9\ny|\x00\n', 'latin1'),
    numbers: 'i;d;t;g\n1;1,5;01.02.2024;1.234,5\n-2;0,25;31.12.2024 10:00;7\n',
  });
  return {
    location,
    nowhere: { files: [{ path: `${folder.path}/missing.csv`, table: 'missing' }] },
    rows: {
      'Mixed Case': 1,
      cp1252: 2,
      double_names: 1,
      empty: 0,
      keyless: 3,
      [LONG_NAME]: 2,
      numbers: 2,
      one_column: 4,
      only_rejects: 3,
      packed: 3,
      people: 3,
      select: 2,
      utf16: 3,
      wide: 1,
    },
    remove: () => folder.remove(),
  };
});
