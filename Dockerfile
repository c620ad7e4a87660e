# The four services in one image; APP says which of them a container runs.
#   docker build -t millrace-shop .
#   docker run -e APP=catalog -e REDIS_URL=redis://... -p 3001:3000 millrace-shop

# The manifests alone, so that a change of sources leaves the layers with installed packages as they are.
FROM node:20-bookworm-slim AS manifests
WORKDIR /srv
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

FROM node:20-bookworm-slim AS build
WORKDIR /srv
COPY --from=manifests /srv ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.base.json ./
COPY libs libs
COPY apps apps
RUN npx tsc -b apps/catalog apps/order apps/payment apps/orchestrator \
  && find libs apps -type f ! -path '*/dist/*.js' ! -name package.json -delete \
  && rm -rf libs/testing apps/demo \
  && find libs apps -type d -empty -delete

# Optional packages are what tools bring (a compiler, for one); no service needs any.
FROM node:20-bookworm-slim AS packages
WORKDIR /srv
COPY --from=manifests /srv ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  -w @shop/catalog -w @shop/order -w @shop/payment -w @shop/orchestrator

FROM node:20-bookworm-slim
WORKDIR /srv
COPY --from=packages /srv/node_modules node_modules
COPY --from=build /srv/libs libs
COPY --from=build /srv/apps apps
# A named volume mounted here takes over this owner.
RUN mkdir -p /var/lib/millrace && chown node:node /var/lib/millrace
ARG APP=order
ENV NODE_ENV=production APP=$APP PORT=3000
USER node
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=5 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["sh", "-c", "exec node apps/$APP/dist/main.js"]
