#!/bin/sh
# Creates missing secrets: the passwords, one file each, and the certificate of Kafka's outer port with its
# certificate authority: deploy/compose/secrets.sh [FOLDER]
# Replaces existing ones: deploy/compose/secrets.sh --renew NAME...
# Only the owner may enter the folder; the files are readable to all, because the containers run as another user.
set -eu
umask 077
folder=${LIAISON_SECRETS:-secrets}
names="database_admin database_intake database_routing database_followup database_desk \
       kafka_intake kafka_routing kafka_followup kafka_desk kafka_senders grafana_admin kafka_certificate desk_key"
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256"

# Reads a setting as docker compose does: from the environment, then from .env.
setting() {
    eval "value=\${$1-}"
    # shellcheck disable=SC2154 # eval sets it
    [ -n "$value" ] || value=$(sed -n "s/^$1=[\"']*\([^\"' #]*\).*/\1/p" .env 2>/dev/null | tail -n 1)
    echo "${value:-$2}"
}

password() {
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$file.new"
}

# An Ed25519 key as PKCS #8: the bytes before it say what it is (RFC 8410).
signing_key() {
    {
        echo "-----BEGIN PRIVATE KEY-----"
        { printf '0.\002\001\0000\005\006\003+ep\004"\004 '; head -c 32 /dev/urandom; } | base64
        echo "-----END PRIVATE KEY-----"
    } >"$file.new"
}

# Key and chain in one file, as Kafka expects them.
certificate() {
    if ! command -v openssl >/dev/null; then
        echo "Kafka's certificate wants openssl on this machine (Debian: apt install openssl)," >&2
        echo "or one of your own, key and chain as PEM, in $file" >&2
        # Unused without TLS, but docker compose requires the file.
        [ -z "$renew" ] && [ "$(setting LIAISON_KAFKA_OUTSIDE PLAINTEXT)" = PLAINTEXT ] || exit 1
        : >"$file.new"
        return
    fi
    work=$(mktemp -d "$folder/.certificate.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    describe >"$work/openssl.cnf"
    [ -s "$folder/kafka_authority_key" ] || authority
    # shellcheck disable=SC2086 # several words
    openssl req -new $key -config "$work/openssl.cnf" -subj "/CN=Liaison: Kafka" \
        -keyout "$work/key" -out "$work/request" 2>"$work/said" || failed
    openssl x509 -req -sha256 -days 825 -in "$work/request" -set_serial "0x$(openssl rand -hex 16)" \
        -CA "$folder/kafka_authority" -CAkey "$folder/kafka_authority_key" \
        -extfile "$work/openssl.cnf" -extensions server -out "$work/certificate" 2>"$work/said" || failed
    cat "$work/key" "$work/certificate" >"$file.new"
}

authority() {
    # shellcheck disable=SC2086 # several words
    openssl req -x509 -days 7300 $key -config "$work/openssl.cnf" \
        -subj "/CN=Liaison: authority of Kafka" -extensions authority \
        -keyout "$work/authority_key" -out "$work/authority" 2>"$work/said" || failed
    chmod 0400 "$work/authority_key"
    chmod 0444 "$work/authority"
    mv -f "$work/authority_key" "$folder/kafka_authority_key"
    mv -f "$work/authority" "$folder/kafka_authority"
    echo "made $folder/kafka_authority, for other systems to know Kafka by"
}

failed() {
    cat "$work/said" >&2
    exit 1
}

describe() {
    host=$(setting LIAISON_KAFKA_ADDRESS 127.0.0.1:9094 | tr -d '[]')
    host=${host%:*}
    case $host in *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) kind=IP ;; *) kind=DNS ;; esac
    cat <<SAYS
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $kind:$host,DNS:localhost,IP:127.0.0.1
SAYS
}

renew=
if [ "${1:-}" = --renew ]; then
    shift
    for name in "$@"; do
        [ -s "$folder/$name" ] || { echo "there is no $folder/$name to renew" >&2; exit 1; }
        [ "$name" != kafka_certificate ] || [ -s "$folder/kafka_authority_key" ] || {
            echo "$folder/kafka_certificate was not made here: put the new one in its place yourself" >&2
            exit 1
        }
    done
    names=$* renew=yes
else
    folder=${1:-$folder}
fi
mkdir -p "$folder"
chmod 0700 "$folder"
for name in $names; do
    file=$folder/$name
    if [ -n "$renew" ] || [ ! -s "$file" ]; then
        case $name in kafka_certificate) certificate ;; desk_key) signing_key ;; *) password ;; esac
        chmod 0444 "$file.new"
        mv -f "$file.new" "$file"
        echo "made $file"
    fi
    chmod 0444 "$file"
done
