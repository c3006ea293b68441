# Two images of one program: `controller` and `operator`. The bundles are built before (`npm run build`) and copied, so
# that building an image needs neither npm nor, on a prepared base, the network.
#
#   docker build --target controller -t plenus/plenuslb .
#   docker build --target operator -t plenus/plenuslb-operator .

ARG BASE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim
# A base that has the operator's tools already spares their installation.
ARG OPERATOR_BASE_IMAGE=${BASE_IMAGE}

FROM ${BASE_IMAGE} AS controller
COPY dist/controller*.cjs dist/THIRD-PARTY-NOTICES.txt LICENSE /app/
USER 65532:65532
EXPOSE 8080
# With 5,000 Services 153 MiB instead of more than 250: V8 otherwise keeps what a burst took (npm run bench -- memory).
ENTRYPOINT ["node", "--max-semi-space-size=2", "--optimize-for-size", "/app/controller.cjs"]
CMD ["controller"]

FROM ${OPERATOR_BASE_IMAGE} AS operator
RUN set -e; \
    for tool in ip nft arping ndptool socat conntrack; do command -v "$tool" >/dev/null || missing=1; done; \
    if [ -n "$missing" ]; then \
      apt-get update; \
      apt-get install -y --no-install-recommends iproute2 nftables iputils-arping libndp-tools socat conntrack; \
      rm -rf /var/lib/apt/lists/*; \
    fi
COPY docker/supervise.sh dist/agent.cjs dist/THIRD-PARTY-NOTICES.txt LICENSE /app/
# 62 MiB with 100 addresses, on every node; docs/facts/memory.md has what each brings: the interpreter alone, a small
# heap that grows slowly, one malloc arena, and a fixed threshold, with which glibc gives big blocks back to the kernel
# when they are freed. Three of the flags cannot stand in NODE_OPTIONS, which refuses them.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
USER 0:0
EXPOSE 8080
ENTRYPOINT ["/app/supervise.sh", "node", "--optimize-for-size", "--max-semi-space-size=1", "--max-old-space-size=24", "--no-opt", "--no-maglev", "--no-sparkplug", "/app/agent.cjs"]
