#!/bin/sh
# Makes every key file of this folder with the openssl command line (3.0 or newer) and python3.
#
# All keys are TEST KEYS: published, worthless, and used nowhere but in this package's tests. The name of every
# file that holds a private key begins with `test-key-`, so that secret scanners can be told to leave it alone.
#
# Run it in an empty folder to make a fresh set; the tests depend on the names and formats, not on the keys,
# but for the passphrase, which is `test passphrase`.
set -eu

pass="test passphrase"

for bits in 1024 1536 2048 3072 4096; do
    k="test-key-rsa$bits"
    openssl genrsa -traditional -out "$k.pkcs1.pem" "$bits" 2>/dev/null
    openssl rsa -in "$k.pkcs1.pem" -traditional -outform DER -out "$k.pkcs1.der" 2>/dev/null
    openssl pkcs8 -topk8 -nocrypt -in "$k.pkcs1.pem" -out "$k.pkcs8.pem"
    openssl pkcs8 -topk8 -nocrypt -in "$k.pkcs1.pem" -outform DER -out "$k.pkcs8.der"
    openssl pkey -in "$k.pkcs1.pem" -pubout -out "$k.public.pem"
done

k=test-key-p256
openssl ecparam -name prime256v1 -genkey -out "$k.sec1-parameters.pem"
openssl ec -in "$k.sec1-parameters.pem" -out "$k.sec1.pem" 2>/dev/null
openssl ec -in "$k.sec1.pem" -outform DER -out "$k.sec1.der" 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in "$k.sec1.pem" -out "$k.pkcs8.pem"
openssl pkcs8 -topk8 -nocrypt -in "$k.sec1.pem" -outform DER -out "$k.pkcs8.der"
openssl pkey -in "$k.sec1.pem" -pubout -out "$k.public.pem"

# RSAKeyValue: the clean form and, for 1024 bits, the forms seen in the wild.
for bits in 1024 1536 2048 3072 4096; do
    python3 - "test-key-rsa$bits" <<'PYTHON'
import base64, subprocess, sys
name = sys.argv[1]
text = subprocess.run(["openssl", "asn1parse", "-in", name + ".pkcs1.pem"], capture_output=True, text=True, check=True).stdout
numbers = [bytes.fromhex(line.rsplit(":", 1)[1].strip().zfill(2)) for line in text.splitlines() if "INTEGER" in line][1:]
names = ["Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ"]
encoded = {key: base64.b64encode(value).decode() for key, value in zip(names, numbers)}
order = ["Modulus", "Exponent", "P", "Q", "DP", "DQ", "InverseQ", "D"]
elements = lambda keys: "".join(f"<{key}>{encoded[key]}</{key}>" for key in keys)
write = lambda suffix, data: open(f"{name}.{suffix}", "wb").write(data)
write("xml", f"<RSAKeyValue>{elements(order)}</RSAKeyValue>".encode())
if name.endswith("1024"):
    wrap = lambda value: "\r\n      " + "\r\n      ".join(value[i : i + 40] for i in range(0, len(value), 40)) + "\r\n    "
    body = "".join(f"    <{key}>{wrap(encoded[key])}</{key}>\r\n" for key in sorted(order))
    loose = f'<?xml version="1.0" encoding="utf-8"?>\r\n<!-- test key -->\r\n<RSAKeyValue>\r\n{body}</RSAKeyValue>\r\n'
    write("loose.xml", b"\xef\xbb\xbf" + loose.encode())
    write("utf16.xml", loose.replace("utf-8", "utf-16").encode("utf-16"))
    write("without-crt.xml", f"<RSAKeyValue>{elements(['Modulus', 'Exponent', 'D'])}</RSAKeyValue>".encode())
    write("public.xml", f"<RSAKeyValue>{elements(['Modulus', 'Exponent'])}</RSAKeyValue>".encode())
PYTHON
done

# Encrypted PKCS#8: each derivation and cipher that is read, in PEM, and one of each key in DER.
for k in test-key-rsa2048 test-key-p256; do
    in="$k.pkcs8.pem"
    e() { openssl pkcs8 -topk8 -in "$in" -passout "pass:$pass" "$@"; }
    e -v2 aes-128-cbc -out "$k.pbkdf2-sha256-aes128.pem"
    e -v2 aes-192-cbc -out "$k.pbkdf2-sha256-aes192.pem"
    e -v2 aes-256-cbc -out "$k.pbkdf2-sha256-aes256.pem"
    e -v2 aes-256-cbc -v2prf hmacWithSHA1 -out "$k.pbkdf2-sha1-aes256.pem"
    e -v2 aes-256-cbc -v2prf hmacWithSHA512 -out "$k.pbkdf2-sha512-aes256.pem"
    e -scrypt -out "$k.scrypt-aes256.pem"
    e -scrypt -outform DER -out "$k.scrypt-aes256.der"
    e -v2 aes-256-cbc -outform DER -out "$k.pbkdf2-sha256-aes256.der"
done

# What is refused, each for its own reason.
openssl pkcs8 -topk8 -v2 des3 -in test-key-rsa2048.pkcs8.pem -passout "pass:$pass" -out test-key-refused.pbes2-3des.pem
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in test-key-rsa2048.pkcs8.pem -passout "pass:$pass" -out test-key-refused.pbes1.pem
openssl rsa -aes256 -traditional -in test-key-rsa2048.pkcs1.pem -passout "pass:$pass" -out test-key-refused.legacy.pem 2>/dev/null
openssl genrsa -traditional -out test-key-refused.rsa512.pem 512 2>/dev/null
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out test-key-refused.pss.pem 2>/dev/null
openssl genpkey -algorithm ED25519 -out test-key-refused.ed25519.pem
openssl genpkey -algorithm X25519 -out test-key-refused.x25519.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out test-key-refused.p384.pem
openssl ecparam -name secp256k1 -genkey -noout -out test-key-refused.secp256k1.pem
openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout -out test-key-refused.explicit-curve.pem
openssl dsaparam -genkey -out test-key-refused.dsa-parameters.pem 1024 2>/dev/null
openssl dsa -in test-key-refused.dsa-parameters.pem -outform DER -out test-key-refused.dsa.der 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in test-key-refused.dsa-parameters.pem -out test-key-refused.dsa.pem
rm test-key-refused.dsa-parameters.pem
openssl genrsa -primes 3 -traditional -out test-key-refused.three-primes.pem 2048 2>/dev/null

# What people hand over by mistake.
openssl req -new -x509 -key test-key-rsa2048.pkcs8.pem -subj "/CN=test" -days 36500 -out mistaken.certificate.pem
openssl x509 -in mistaken.certificate.pem -outform DER -out mistaken.certificate.der
openssl req -new -key test-key-rsa2048.pkcs8.pem -subj "/CN=test" -out mistaken.request.pem
openssl req -in mistaken.request.pem -outform DER -out mistaken.request.der
openssl crl2pkcs7 -nocrl -certfile mistaken.certificate.pem -out mistaken.pkcs7.pem
openssl crl2pkcs7 -nocrl -certfile mistaken.certificate.pem -outform DER -out mistaken.pkcs7.der
openssl pkcs12 -export -inkey test-key-rsa2048.pkcs8.pem -in mistaken.certificate.pem -passout "pass:$pass" -out test-key-rsa2048.pkcs12.p12
openssl pkey -in test-key-rsa2048.pkcs8.pem -pubout -outform DER -out mistaken.public.der
openssl rsa -in test-key-rsa2048.pkcs8.pem -RSAPublicKey_out -out mistaken.public-pkcs1.pem 2>/dev/null
openssl rsa -in test-key-rsa2048.pkcs8.pem -RSAPublicKey_out -outform DER -out mistaken.public-pkcs1.der 2>/dev/null

# A PKCS#12 file taken apart: text before the blocks, and a certificate after the key.
openssl pkcs12 -in test-key-rsa2048.pkcs12.p12 -passin "pass:$pass" -nodes -out test-key-rsa2048.bag-attributes.pem
