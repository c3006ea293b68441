# One certificate authority per control plane, and kubeconfigs that embed their client certificates.
# EC keys and `req -x509 -CA`: one openssl process and about 20 ms each. Valid for 30 days; every `up` makes new ones.

new_authority() { # DIR
  mkdir -p "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=plenuslb-lab" \
    -keyout "$1/ca.key" -out "$1/ca.crt" 2>/dev/null
  # The API server signs ServiceAccount tokens with this one; RSA, as clusters made by kubeadm have it.
  openssl genrsa -out "$1/sa.key" 2048 2>/dev/null
  openssl rsa -in "$1/sa.key" -pubout -out "$1/sa.pub" 2>/dev/null
}

new_certificate() { # DIR NAME SUBJECT [SUBJECT-ALTERNATIVE-NAMES]
  local alternative=()
  [ $# -lt 4 ] || alternative=(-addext "subjectAltName=$4")
  openssl req -x509 -CA "$1/ca.crt" -CAkey "$1/ca.key" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj "$3" "${alternative[@]}" -addext "basicConstraints=critical,CA:FALSE" \
    -addext "extendedKeyUsage=serverAuth,clientAuth" -keyout "$1/$2.key" -out "$1/$2.crt" 2>/dev/null
}

new_kubeconfig() { # DIR NAME SERVER: of the certificate NAME, into DIR/NAME.conf
  local dir=$1 name=$2
  cat >"$dir/$name.conf" <<EOF
apiVersion: v1
kind: Config
current-context: lab
clusters: [{name: lab, cluster: {server: "$3", certificate-authority-data: $(base64 -w0 "$dir/ca.crt")}}]
contexts: [{name: lab, context: {cluster: lab, user: $name}}]
users: [{name: $name, user: {client-certificate-data: $(base64 -w0 "$dir/$name.crt"), client-key-data: $(base64 -w0 "$dir/$name.key")}}]
EOF
}
