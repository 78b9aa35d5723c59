// Verifies a signed system token, read from standard input, with node:crypto under the public key in the
// PEM file that is the only argument. Exits with 0 if it is good and with 1 if it is not.
import { createVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const signed = readFileSync(0, 'utf8').trim();
const dot = signed.lastIndexOf('.');
const good = createVerify('SHA256').update(signed.slice(0, dot)).verify(readFileSync(process.argv[2]), signed.slice(dot + 1), 'base64');
process.exit(good ? 0 : 1);
