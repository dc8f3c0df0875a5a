#!/bin/sh
# Makes the passwords that are not there yet, each in a file of its own: deploy/compose/secrets.sh [FOLDER]
# New ones in place of those that are: deploy/compose/secrets.sh --renew NAME...
# Nobody has to know one. The folder keeps others out; the containers' user, another one, must be able to read the files.
set -eu
folder=${LIAISON_SECRETS:-secrets}
names="database_admin database_intake database_routing database_followup \
       kafka_intake kafka_routing kafka_followup kafka_senders grafana_admin"
if [ "${1:-}" = --renew ]; then
    shift
    for name in "$@"; do
        [ -s "$folder/$name" ] || { echo "there is no $folder/$name to renew" >&2; exit 1; }
        rm "$folder/$name"
    done
    names=$*
else
    folder=${1:-$folder}
fi
mkdir -p "$folder"
chmod 0700 "$folder"
for name in $names; do
    file=$folder/$name
    if [ ! -s "$file" ]; then
        head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$file.new"
        chmod 0444 "$file.new"
        mv "$file.new" "$file"
        echo "made $file"
    fi
    chmod 0444 "$file"
done
