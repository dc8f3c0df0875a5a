#!/bin/sh
# Writes both clients from openapi.json, and compiles the two programs that use them.
set -eu
go tool oapi-codegen -generate types,client -package oapiclient -o oapiclient/client.gen.go openapi.json
go tool ogen --loglevel error --target ogenclient --package ogenclient --clean openapi.json
go build -o built/ ./oapi ./ogen
