#!/bin/sh
# embed.sh FILE: prints C that holds FILE's bytes and a final 0, named after it: points.js becomes points_js[].
set -eu
name=$(basename "$1" | sed 's/[^A-Za-z0-9]/_/g')
echo "/* Made from $(basename "$1") by apps/web/embed.sh. */"
echo "extern const char ${name}[];"
echo "const char ${name}[] = {"
# Octal escapes: a byte above 127 is a char whatever the sign of char.
od -An -v -to1 "$1" | sed "s/ *\([0-7][0-7]*\)/'\\\\\1',/g"
echo "0};"
