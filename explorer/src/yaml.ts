/** Plain values as block-style YAML 1.2. */

export function yaml(value: unknown, indent = ''): string {
  if (Array.isArray(value) && value.length) return value.map((item) => `${indent}- ${nested(item, `${indent}  `)}`).join('');
  if (isMap(value) && Object.keys(value).length) {
    return Object.entries(value).map(([key, item]) => `${indent}${scalar(key)}:${isBlock(item) ? `\n${yaml(item, `${indent}  `)}` : ` ${scalar(item)}\n`}`).join('');
  }
  return `${indent}${scalar(value)}\n`;
}

function nested(item: unknown, indent: string): string {
  return isBlock(item) ? yaml(item, indent).slice(indent.length) : `${scalar(item)}\n`;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isBlock = (value: unknown): boolean => (Array.isArray(value) && value.length > 0) || (isMap(value) && Object.keys(value).length > 0);

/** JSON is YAML; a plain word needs no quotes. Codes such as 06 and words such as null and yes stay text. */
function scalar(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z_][\w-]*$/.test(value) && !/^(null|true|false|yes|no|on|off|y|n)$/i.test(value)) return value;
  return JSON.stringify(value);
}
