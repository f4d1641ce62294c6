oidc-gen sallyport --manual --flow=device --issuer="$ISSUER" --client-id="$CLIENT_ID" --client-secret="$CLIENT_SECRET" \
  --redirect-uri=http://localhost:4242 --scope="openid email offline_access" --pw-env=OIDC_ENCRYPTION_PW --prompt=none
