# docker build -t cutover .
# docker run -p 8080:8080 -v ./rules:/etc/cutover:ro -v cutover-state:/var/lib/cutover cutover
# docs/operations.md, "In a container", says the rest.

FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# The one install script there is fetches a Node for checkouts; here the image brings it.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.ts
# OpenTelemetry's packages are optional ones of the package and development ones of the checkout: these alone go.
RUN npm pkg delete devDependencies && npm prune --ignore-scripts --no-audit --no-fund

FROM node:26-slim
WORKDIR /opt/cutover
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY --from=build /build/bin bin
COPY --from=build /build/package.json /build/LICENSE ./
# The state folder belongs to the user `node` of the base image: a new volume takes that over.
RUN ln -s /opt/cutover/bin/cutover.js /usr/local/bin/cutover \
 && install -d -o 1000 -g 1000 -m 0700 /var/lib/cutover

# Outside the container nothing of 127.0.0.1 in here can be reached. Beyond loopback the admin token guards all of
# the admin port but /healthz, /readyz and /metrics; publish it (-p 9090:9090) only where those may be read.
ENV NODE_ENV=production \
    CUTOVER_LISTEN=0.0.0.0:8080 \
    CUTOVER_ADMIN=0.0.0.0:9090 \
    CUTOVER_STATE=/var/lib/cutover
# A number, so that Kubernetes can tell that it is not root.
USER 1000:1000
VOLUME /var/lib/cutover
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "/opt/cutover/bin/cutover.js", "status", "--ready"]
ENTRYPOINT ["node", "/opt/cutover/bin/cutover.js"]
CMD ["serve", "/etc/cutover"]
