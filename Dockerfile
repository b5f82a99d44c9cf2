# Two stages: one with npm that builds the page and keeps what production needs, one that only runs.
FROM node:24-trixie-slim AS build
WORKDIR /nhipcau
COPY package.json package-lock.json ./
COPY web ./web
COPY config ./config
RUN npm ci --no-audit --no-fund \
 && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 # The image has its own Node, and of uWebSockets.js it needs one binary of forty.
 && find node_modules/uWebSockets.js -name 'uws_*.node' ! -name "uws_linux_$(node -p process.arch)_$(node -p process.versions.modules).node" -delete

FROM node:24-trixie-slim
ENV NODE_ENV=production NHIPCAU_DATA_DIR=/data
WORKDIR /nhipcau
COPY --from=build /nhipcau/node_modules ./node_modules
COPY --from=build /nhipcau/web ./web
COPY main.ts open-node.ts public-url.ts nhipcau package.json ./
COPY config ./config
COPY core ./core
COPY relay ./relay
COPY signaling ./signaling
COPY bench ./bench
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080/tcp 40000-40015/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.NHIPCAU_HTTP_PORT||8080)+'/readyz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["./nhipcau"]
CMD ["core"]
