#!/usr/bin/env bash
# Makes the expected signatures anew, by OpenSSL, with the keys that are here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
message() { # LENGTH: byte i is (31 i + 7) mod 251
    python3 -c "import sys; sys.stdout.buffer.write(bytes((31 * i + 7) % 251 for i in range($1)))"
}
for bits in 1024 2048 3072 4096; do
    for length in 0 11 4096 1048576; do
        message "$length" | openssl dgst -sha256 -sign "rsa$bits.pem" -out "rsa$bits.$length.signature"
    done
done
