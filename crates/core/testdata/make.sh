#!/bin/sh
# Makes the golden vectors of this folder with OpenSSL: throw-away keys, used by nothing but these tests.
# Run it again only to replace all of them; the private halves are thrown away.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '%s' 'My App. v2-pzqc70604i.202611231559' > "$work/message"
for bits in 1024 2048 4096; do
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:$bits -out "$work/rsa$bits.pem"
    openssl pkey -in "$work/rsa$bits.pem" -pubout -out "rsa$bits.pub.pem"
    openssl dgst -sha256 -sign "$work/rsa$bits.pem" -out "$work/signature" "$work/message"
    { cat "$work/message"; printf '.'; openssl base64 -A -in "$work/signature"; } > "rsa$bits.signed-token.txt"
done
openssl rsa -pubin -in rsa2048.pub.pem -RSAPublicKey_out -out rsa2048.pkcs1-pub.pem 2>/dev/null

openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/p256.pem"
openssl pkey -in "$work/p256.pem" -pubout -out p256.pub.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 | openssl pkey -pubout -out p384.pub.pem
openssl genpkey -quiet -algorithm ED25519 | openssl pkey -pubout -out ed25519.pub.pem

openssl req -x509 -key "$work/rsa2048.pem" -subj /CN=soticket-test -days 1 -sha1 -out rsa2048.cert.pem
openssl req -x509 -key "$work/p256.pem" -subj /CN=soticket-test -days 1 -out p256.cert.pem

# The key that signs the JWTs of the tests; its private half stays, because the tests make JWTs.
for name in jwt-signer other-signer; do
    openssl genrsa -traditional -out "$work/$name.pem" 2048 2>/dev/null
    openssl rsa -in "$work/$name.pem" -outform DER -traditional -out "$name.test-key.pkcs1.der" 2>/dev/null
    openssl pkey -in "$work/$name.pem" -pubout -out "$name.pub.pem"
done
