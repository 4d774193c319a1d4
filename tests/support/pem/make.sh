#!/bin/sh
# Makes the certificates of tests/support/test-ca.ts, valid from 2024 for 50 years. They protect nothing: the keys are public.
# Run in this folder: sh make.sh
set -eu
from=20240101000000Z
until=20740101000000Z
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# `openssl ca` because `openssl x509` cannot set a start date before version 3.4.
cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = it
[it]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CNF
: > "$work/index"

sign() { # request, extensions, certificate, and how to sign
  request=$1 extensions=$2 certificate=$3
  shift 3
  printf '%b' "$extensions" > "$work/ext"
  openssl ca -batch -notext -config "$work/ca.cnf" -startdate "$from" -enddate "$until" \
    -in "$request" -extfile "$work/ext" -out "$certificate" "$@"
}

key_and_request() { # key, subject
  openssl ecparam -name prime256v1 -genkey -noout -out "$1"
  openssl req -new -key "$1" -subj "/CN=$2" -out "$work/request"
}

authority() { # name, subject
  key_and_request "$work/$1.key" "$2"
  sign "$work/request" 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' "$1.pem" \
    -selfsign -keyfile "$work/$1.key"
}

leaf() { # name, authority, alternative names
  key_and_request "$1-key.pem" "$1"
  sign "$work/request" "subjectAltName=$3\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n" "$1.pem" \
    -cert "$2.pem" -keyfile "$work/$2.key"
}

authority ca 'Claude Code Relay test CA'
authority stranger-ca 'Claude Code Relay stranger CA'
leaf leaf ca 'DNS:localhost,DNS:upstream.test,IP:127.0.0.1,IP:::1'
leaf elsewhere ca 'DNS:elsewhere.test'
