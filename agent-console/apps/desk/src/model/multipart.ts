/** A body of parts (RFC 7578) as one Blob: the boundary is part of its bytes, so that a repeated command is the same command. */
export function multipart(fields: Record<string, string>, file: { name: string; file: Blob }): Blob {
  const boundary = `cloud-booth-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const parts: BlobPart[] = [];
  for (const [name, value] of Object.entries(fields)) parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${file.name}"; filename="${file.name}.jpg"\r\nContent-Type: ${file.file.type}\r\n\r\n`, file.file, `\r\n--${boundary}--\r\n`);
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
}
