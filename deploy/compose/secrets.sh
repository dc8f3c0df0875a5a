#!/bin/sh
# Makes the passwords that are not there yet, each in a file of its own: deploy/compose/secrets.sh [FOLDER]
# Nobody has to know one. The folder keeps others out; the containers' user, another one, must be able to read the files.
set -eu
folder=${1:-secrets}
mkdir -p "$folder"
chmod 0700 "$folder"
for name in database_admin database_intake database_routing database_followup \
            kafka_intake kafka_routing kafka_followup kafka_senders; do
    file=$folder/$name
    if [ ! -s "$file" ]; then
        head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$file"
        echo "made $file"
    fi
    chmod 0444 "$file"
done
