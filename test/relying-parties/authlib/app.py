import json
import sys

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import jwt
from authlib.oidc.core import CodeIDToken

issuer, client_id, client_secret, redirect_uri = sys.argv[1:]
provider = requests.get(f"{issuer}/.well-known/openid-configuration").json()
session = OAuth2Session(
    client_id,
    client_secret,
    scope="openid profile email",
    redirect_uri=redirect_uri,
    code_challenge_method="S256",
    token_endpoint=provider["token_endpoint"],
)

verifier, nonce = generate_token(48), generate_token()
address, state = session.create_authorization_url(
    provider["authorization_endpoint"], code_verifier=verifier, nonce=nonce
)
print(address, flush=True)

callback = sys.stdin.readline().strip()
token = session.fetch_token(authorization_response=callback, state=state, code_verifier=verifier)
keys = requests.get(provider["jwks_uri"]).json()
claims = jwt.decode(
    token["id_token"],
    keys,
    claims_cls=CodeIDToken,
    claims_options={"iss": {"essential": True, "value": issuer}},
    claims_params={"client_id": client_id, "nonce": nonce, "access_token": token["access_token"]},
)
claims.validate(leeway=60)
print(json.dumps(claims), flush=True)

refreshed = session.refresh_token(provider["token_endpoint"])
print(json.dumps({"before": token["refresh_token"], "after": refreshed["refresh_token"]}), flush=True)
print(json.dumps(session.get(provider["userinfo_endpoint"]).json()), flush=True)
