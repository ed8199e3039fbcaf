/** The platforms that the demo's programs are made for. */
export type Architecture = 'amd64' | 'arm64';

/** Where the file lies in memory; any page above the first ones does. */
const base = 0x400000;
const fileHeaderBytes = 64;
const programHeaderBytes = 56;
const codeAt = fileHeaderBytes + programHeaderBytes;

/**
 * A program for Linux that prints a text and ends: an ELF file of two system calls, so that the
 * demo's images run although they hold nothing else.
 */
export function makeProgram(architecture: Architecture, text: string): Buffer {
  const message = Buffer.from(text);
  const code = codes[architecture](message.length);
  const body = Buffer.concat([code, message]);
  const header = Buffer.alloc(codeAt);
  // ELF-64 header: 64 bits, little-endian, version 1, System V, an executable.
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machines[architecture], 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base + codeAt), 24);
  header.writeBigUInt64LE(BigInt(fileHeaderBytes), 32);
  header.writeUInt16LE(fileHeaderBytes, 52);
  header.writeUInt16LE(programHeaderBytes, 54);
  header.writeUInt16LE(1, 56);
  // One segment: the whole file, readable and executable.
  header.writeUInt32LE(1, fileHeaderBytes);
  header.writeUInt32LE(5, fileHeaderBytes + 4);
  header.writeBigUInt64LE(BigInt(base), fileHeaderBytes + 16);
  header.writeBigUInt64LE(BigInt(base), fileHeaderBytes + 24);
  header.writeBigUInt64LE(BigInt(codeAt + body.length), fileHeaderBytes + 32);
  header.writeBigUInt64LE(BigInt(codeAt + body.length), fileHeaderBytes + 40);
  header.writeBigUInt64LE(0x1000n, fileHeaderBytes + 48);
  return Buffer.concat([header, body]);
}

/** `e_machine`: EM_X86_64, EM_AARCH64. */
const machines = { amd64: 62, arm64: 183 } as const;

/** write(1, message, length); exit(0). The message stands right behind the code. */
const codes: Readonly<Record<Architecture, (length: number) => Buffer>> = {
  amd64(length) {
    const instructions = [
      'b8 01 00 00 00', // mov eax, 1 (write)
      'bf 01 00 00 00', // mov edi, 1
      '48 8d 35 10 00 00 00', // lea rsi, [rip + 16]
      'ba 00 00 00 00', // mov edx, length
      '0f 05', // syscall
      'b8 3c 00 00 00', // mov eax, 60 (exit)
      '31 ff', // xor edi, edi
      '0f 05', // syscall
    ];
    const code = Buffer.from(instructions.join('').replaceAll(' ', ''), 'hex');
    code.writeUInt32LE(length, 18);
    return code;
  },
  arm64(length) {
    const words = [
      0xd2800020, // mov x0, #1
      0x100000e1, // adr x1, 28 bytes from here
      (0xd2800002 | (length << 5)) >>> 0, // mov x2, #length
      0xd2800808, // mov x8, #64 (write)
      0xd4000001, // svc #0
      0xd2800000, // mov x0, #0
      0xd2800ba8, // mov x8, #93 (exit)
      0xd4000001, // svc #0
    ];
    const code = Buffer.alloc(words.length * 4);
    words.forEach((word, index) => code.writeUInt32LE(word, index * 4));
    return code;
  },
};
