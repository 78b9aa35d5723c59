// A SOAP service made of the WSDL at its first argument, by node-soap: it hands each exchange on, as REST, to the login
// service at its second, and breaks down over the tenant `Fault`. Prints its address, and ends with its standard input.

import http from 'node:http';
import axios from 'axios';
import soap from 'soap';

const [wsdlUrl, loginUrl] = process.argv.slice(2);
const PATH = '/login/services/PartnerSystemUserService.svc';

async function Authenticate(request, _callback, headers) {
  if (headers.ContextIdentifier === 'Fault') {
    throw { Fault: { faultcode: 'soap:Server', faultstring: 'broken <down> & out' } };
  }
  const body = {
    SignedSystemToken: request.SignedSystemToken,
    ApplicationToken: headers.ApplicationToken,
    ContextIdentifier: headers.ContextIdentifier,
    ReturnTokenType: request.ReturnTokenType.toUpperCase(),
  };
  const { data } = await axios.post(`${loginUrl}/Login/api/PartnerSystemUser/Authenticate`, body);
  // What is null is left out.
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
}

const { data: wsdl } = await axios.get(wsdlUrl, { responseType: 'text' });
const server = http.createServer((_request, response) => response.writeHead(404).end());
server.listen(0, '127.0.0.1', () => {
  const port = { BasicHttpBinding_IPartnerSystemUserService: { Authenticate } };
  soap.listen(server, PATH, { PartnerSystemUserService: port }, wsdl);
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.stdin.on('end', () => process.exit()).resume();
