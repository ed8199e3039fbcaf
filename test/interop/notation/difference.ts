/** The ids under which docs/differences.md explains where Assay and notation part. */
export const differenceIds = [
  'D01',
  'D02',
  'D03',
  'D04',
  'D05',
  'D06',
  'D07',
  'D08',
  'D09',
  'D10',
  'D11',
  'D12',
  'D13',
  'D14',
  'D15',
  'D16',
  'D17',
] as const;

export type DifferenceId = (typeof differenceIds)[number];
