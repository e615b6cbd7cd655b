#!/usr/bin/env bash
# Runs the real `cdk bootstrap` and `cdk deploy` against a local engine of its
# own, over TLS with IAM enforced, checks the outputs and stops the engine.
#
#   FUNCTIONS_DIR  absolute folder with one folder per function; by default
#                  build/local, and placeholder files for what is missing there
#   ENGINE_PORT    port of the engine, by default a free one
set -euo pipefail
cd "$(dirname "$0")"
infra=$PWD
top=$(cd .. && pwd)
python=$top/.local/venv/bin/python
[ -x "$python" ] || { echo "deploy-local: the engine is not installed in .local/venv; run: make up" >&2; exit 1; }

mkdir -p "$top/.local"
work=$(mktemp -d "$top/.local/deploy.XXXXXX")
engine=
finish() {
  if [ -n "$engine" ]; then
    kill -TERM "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
port=${ENGINE_PORT:-$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}

# The command line is kept outside infra/, as it carries Go files that do not
# compile.
cli=$top/.local/cdk
if ! cmp -s package-lock.json "$cli/package-lock.json"; then
  rm -rf "$cli"
  mkdir -p "$cli"
  cp package.json "$cli/"
  cp package-lock.json "$cli/package-lock.json.new"
  mv "$cli/package-lock.json.new" "$cli/package-lock.json"
  npm ci --prefix "$cli" --no-audit --no-fund --silent || { rm -rf "$cli"; exit 1; }
fi

# A project authority: the command line refuses a self-signed leaf.
cd "$work"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -days 2 -subj "/CN=deploy-local" -out ca.crt \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
openssl req -new -key leaf.key -subj /CN=localhost -out leaf.csr
printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
  extendedKeyUsage=serverAuth subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1 >leaf.ext
openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out leaf.crt 2>/dev/null
cat leaf.crt ca.crt >chain.crt

mkdir tmp functions
AUTH=true USE_SSL=1 MINISTACK_SSL_CERT=$work/chain.crt MINISTACK_SSL_KEY=$work/leaf.key GATEWAY_PORT=$port \
  BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 TMPDIR=$work/tmp "$python" "$top/localstack/engine.py" >engine.log 2>&1 &
engine=$!
for attempt in $(seq 100); do
  "$python" -c 'import ssl, sys, urllib.request as u; u.urlopen(sys.argv[1], context=ssl.create_default_context(cafile=sys.argv[2]))' \
    "https://localhost:$port/_ministack/health" "$work/ca.crt" 2>/dev/null && break
  kill -0 "$engine" 2>/dev/null && [ "$attempt" -lt 100 ] || { cat engine.log >&2; echo "deploy-local: the engine did not start" >&2; exit 1; }
  sleep 0.2
done

source=${FUNCTIONS_DIR:-$top/build/local}
for list in "$infra"/rights/*.json; do
  name=$(basename "$list" .json)
  mkdir "functions/$name"
  if [ -f "$source/$name/bootstrap" ]; then
    cp "$source/$name/bootstrap" "functions/$name/"
  else
    printf 'placeholder of %s\n' "$name" >"functions/$name/bootstrap"
  fi
done

case $(uname -m) in arm64 | aarch64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
export AWS_ENDPOINT_URL=https://localhost:$port AWS_ENDPOINT_URL_S3=https://localhost:$port
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
export NODE_EXTRA_CA_CERTS=$work/ca.crt AWS_CA_BUNDLE=$work/ca.crt JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION=1
unset AWS_PROFILE AWS_SESSION_TOKEN
cd "$infra"
cdk() { "$cli/node_modules/.bin/cdk" "$@" --output "$work/cdk.out" -c functionsDir="$work/functions" \
  -c engineEndpoint="$AWS_ENDPOINT_URL" -c caBundle="$work/ca.crt"; }
cdk bootstrap aws://000000000000/us-east-1
cdk deploy --require-approval never --outputs-file "$work/outputs.json" \
  --parameters StrictConditions=false --parameters Architecture="$architecture"
"$python" -c 'import json, sys; out = next(iter(json.load(open(sys.argv[1])).values())); print("deploy-local: deployed,", len(out), "outputs, API", out["ApiId"])' "$work/outputs.json"
