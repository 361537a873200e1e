#!/usr/bin/env -S node -C dist
// `-C dist` picks the built files of the libraries inside the workspace; published packages have nothing else.
import '../dist/main.js';
