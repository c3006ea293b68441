# The product in the lab: bundles, images, chart. Sourced by cluster.sh.
REPOSITORY=$(cd "$LAB_DIR/../.." && pwd)

# Images are rebuilt each time; what did not change costs a second.
build_product_images() {
  local args target name
  (cd "$REPOSITORY" && PATH="$REPOSITORY/node_modules/.bin:$PATH" node test/tools/bundle.ts >/dev/null 2>"$LAB_STATE/log/bundle.log") ||
    fail "The bundles could not be built: $LAB_STATE/log/bundle.log"
  mapfile -t args < <("$LAB_DIR/base-image.sh" | sed 's/^/--build-arg=/')
  for target in controller operator; do
    name=plenuslb; [ $target = controller ] || name=plenuslb-operator
    buildah bud --quiet --isolation oci --runtime runc --network none --pull-never "${args[@]}" \
      --target $target -t "localhost/$name:lab" "$REPOSITORY" >"$LAB_STATE/log/image-$target.log" 2>&1 ||
      fail "Image $name could not be built: $LAB_STATE/log/image-$target.log"
  done
}

image_id() { buildah inspect --type image --format '{{.FromImageID}}' "$1" | cut -c1-12; }

# By the command of the documentation, plus where the images are. Further arguments go to helm. Under their one name the
# images change with each build, so the annotation is what makes Kubernetes start new Pods.
install_product() {
  kubectl get namespace plenuslb >/dev/null 2>&1 || kubectl create namespace plenuslb >/dev/null
  kubectl label --overwrite namespace plenuslb pod-security.kubernetes.io/enforce=privileged >/dev/null
  KUBECONFIG=$KUBECONFIG_ADMIN in_host "$LAB_BIN/helm" upgrade --install --namespace=plenuslb --set envs.CLUSTER_NAME=mycluster --atomic --wait --timeout 180s \
    --set image.repository=localhost/plenuslb --set image.tag=lab --set image.pullPolicy=Never \
    --set operator.image.repository=localhost/plenuslb-operator --set operator.image.tag=lab \
    --set operator.image.pullPolicy=Never --set-string "controller.podAnnotations.image=$(image_id localhost/plenuslb:lab)" \
    --set-string "operator.podAnnotations.image=$(image_id localhost/plenuslb-operator:lab)" "$@" plenuslb "$REPOSITORY/chart"
}

deploy() { # HELM-ARGS…
  build_product_images
  load_images localhost/plenuslb:lab localhost/plenuslb-operator:lab
  install_product "$@"
}
