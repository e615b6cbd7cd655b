#!/usr/bin/env bash
# Checks the committed template with cfn-lint, pinned with hashes and kept in
# an environment of its own, made anew when the lock changes.
set -euo pipefail
cd "$(dirname "$0")"

venv=../.local/venv-lint
stamp=$(sha256sum requirements.lock 2>/dev/null || shasum -a 256 requirements.lock)
if [ "$(cat "$venv/lock.sum" 2>/dev/null || true)" != "$stamp" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
  printf '%s\n' "$stamp" >"$venv/lock.sum"
fi
"$venv/bin/cfn-lint" --non-zero-exit-code informational testdata/template.golden.json
echo "cfn-lint: clean"
