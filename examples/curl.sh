#!/bin/sh
# REST with curl, as the demo's patient: start the server with --demo, sh curl.sh
set -eu
server=${WENZHEN_URL:-http://localhost:8080}

login=$(curl -fsS "$server/api/v1/auth/login" -H 'Content-Type: application/json' \
  -d '{"email":"bo@wenzhen.example","password":"wenzhen-demo"}')
token=$(printf '%s' "$login" | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')

curl -fsS "$server/api/v1/doctors?limit=3"
echo
curl -fsS "$server/api/v1/consultations?status=active" -H "Authorization: Bearer $token"
echo
