/** A ZIP archive of a few texts, stored without compression. */
export interface File_ { name: string; text: string }

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

export function zip(files: File_[]): Blob {
  const encoder = new TextEncoder();
  const parts: Uint8Array<ArrayBuffer>[] = [], directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0, size = 0;
  for (const file of files) {
    const name = encoder.encode(file.name), data = encoder.encode(file.text);
    // version 2.0, UTF-8 names, stored, 1 January 2000, checksum, sizes, length of the name, no extra field
    const common = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0x28, ...four(crc(data)), ...four(data.length), ...four(data.length), ...two(name.length), 0, 0];
    const local = Uint8Array.from([0x50, 0x4b, 3, 4, ...common, ...name]);
    directory.push(Uint8Array.from([0x50, 0x4b, 1, 2, 20, 0, ...common, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...four(offset), ...name]));
    parts.push(local, data);
    offset += local.length + data.length;
    size += directory[directory.length - 1]!.length;
  }
  const end = Uint8Array.from([0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...two(files.length), ...two(files.length), ...four(size), ...four(offset), 0, 0]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}

const two = (n: number): number[] => [n & 255, (n >>> 8) & 255];
const four = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];
