import { minVolumeBytes } from './volume-list.ts';

const mebibyte = 1024 ** 2;

/** What a volume may be at most, by the name of what it is to fit on. Bytes. */
export const volumeSizes = {
  /** 74 minutes, mode 1 (ISO 9660 itself takes the rest). */
  cd: 650 * 10 ** 6,
  /** Single layer: 4.7e9 bytes, less what the file system takes. */
  dvd: 4_480 * mebibyte,
  /** The largest file of FAT32 is 4 GiB - 1; less 64 KiB, to be whole clusters. */
  fat32: 4 * 1024 * mebibyte - 64 * 1024,
  /** Single layer: 25.025e9 bytes, less what the file system and spare areas take. */
  bd25: 23_000 * mebibyte,
} as const;

const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: mebibyte,
  GiB: 1024 * mebibyte,
  TiB: mebibyte ** 2,
  KB: 10 ** 3,
  MB: 10 ** 6,
  GB: 10 ** 9,
  TB: 10 ** 12,
};

/** Bytes of `4GiB`, `650 MB` or a preset such as `dvd`; undefined where it is none, or too small. */
export function parseVolumeSize(text: string): number | undefined {
  const preset = Object.entries(volumeSizes).find(([name]) => name === text);
  if (preset !== undefined) return preset[1];
  const [, amount = '', unit = ''] = /^(\d{1,12}) ?([KMGT]i?B|B)$/.exec(text) ?? [];
  const bytes = Number(amount) * (units[unit] ?? 0);
  return Number.isSafeInteger(bytes) && bytes >= minVolumeBytes ? bytes : undefined;
}
