#!/bin/sh
# Installs what the native rows of the bench need on Debian: cargo and the packaged crate vm-memory. Run as root.
set -eu
apt-get update
apt-get install --yes --no-install-recommends librust-vm-memory-dev
# Any cargo from 1.60 on will do; Debian's own is taken where none is there.
command -v cargo >/dev/null || [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ] ||
  apt-get install --yes --no-install-recommends cargo gcc libc6-dev
