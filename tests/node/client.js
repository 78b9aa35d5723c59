// A client of SuperOffice's login service that follows the documented steps with the packages of
// SuperOffice's own sample: sign with node:crypto, post with axios, validate with jsonwebtoken against the
// environment's certificate. It knows nothing of soticket. Prints the JWT's claims as one line of JSON, and what
// the API says of the ticket's owner unless it is told `--ticket-only`.
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import axios from 'axios';
import jsonwebtoken from 'jsonwebtoken';

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
const claim = (name) => `http://schemes.superoffice.net/identity/${name}`;

function signedSystemToken(systemUserToken, privateKey) {
  const time = new Date().toISOString().replace(/[-T:]/g, '').slice(0, 12);
  const message = `${systemUserToken}.${time}`;
  const signature = createSign('SHA256').update(message).sign(privateKey, 'base64');
  return `${message}.${signature}`;
}

async function exchange(host) {
  const answer = await axios.post(
    `https://${host}/Login/api/PartnerSystemUser/Authenticate`,
    {
      SignedSystemToken: signedSystemToken(setting('SYSTEM_USER_TOKEN'), readFileSync(setting('PRIVATE_KEY'))),
      ApplicationToken: setting('CLIENT_SECRET'),
      ContextIdentifier: setting('CONTEXT'),
      ReturnTokenType: 'JWT',
    },
    { headers: { 'Content-Type': 'application/json', Accept: 'application/json' } },
  );
  if (!answer.data.IsSuccessful) throw new Error(`refused: ${answer.data.ErrorMessage}`);
  return answer.data.Token;
}

const jwt = await exchange(setting('HOST'));
const claims = jsonwebtoken.verify(jwt, readFileSync(setting('CERTIFICATE')), { algorithms: ['RS256'], issuer: 'SuperOffice AS' });

async function currentPrincipal() {
  const api = claims[claim('webapi_url')].replace(/\/$/, '');
  const headers = { Authorization: `SOTicket ${claims[claim('ticket')]}`, 'SO-AppToken': setting('CLIENT_SECRET') };
  return (await axios.get(`${api}/v1/User/currentPrincipal`, { headers })).data;
}

const principal = process.argv.includes('--ticket-only') ? null : await currentPrincipal();
console.log(JSON.stringify({ claims, principal }));
