import t from 'tap';
import { parseCidr } from '../../../src/config/cidr.ts';

const good = [
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['192.0.2.1/32', '192.0.2.1/32'],
  ['FD00::/8', 'fd00::/8'],
  ['::1/128', '::1/128'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.0/104', '::ffff:10.0.0.0/104'],
  ['1:2:3:4:5:6:7:8/128', '1:2:3:4:5:6:7:8/128'],
  ['10.0.0.0/08', '10.0.0.0/8'],
] as const;

for (const [text, block] of good) {
  t.test(`${text} is a block`, async (t) => {
    t.equal(parseCidr(text), block);
  });
}

const bad = [
  '10.1.0.0/8',
  '10.0.0.1/31',
  'fd00::1/64',
  '10.0.0.0',
  '10.0.0.0/33',
  '::/129',
  '10.0.0/8',
  '010.0.0.0/8',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  '10.0.0.0/',
  'fe80::%eth0/10',
  'localhost/8',
  '',
];

for (const text of bad) {
  t.test(`${JSON.stringify(text)} is none`, async (t) => {
    t.equal(parseCidr(text), undefined);
  });
}
