"""Reads a WSDL, does one exchange by it with zeep, and prints the answer as JSON; the rest comes from the environment."""

import json
import os
import sys

from zeep import Client
from zeep.exceptions import Fault

client = Client(sys.argv[1])
headers = {"ApplicationToken": os.environ["CLIENT_SECRET"], "ContextIdentifier": os.environ["CONTEXT"]}
try:
    answer = client.service.Authenticate(
        SignedSystemToken=os.environ["SIGNED_SYSTEM_TOKEN"],
        ReturnTokenType=os.environ.get("RETURN_TOKEN_TYPE", "Jwt"),
        _soapheaders=headers,
    )
    print(json.dumps({name: answer[name] for name in ("IsSuccessful", "Token", "ErrorMessage")}))
except Fault as fault:
    print(json.dumps({"Fault": fault.code, "Reason": fault.message}))
