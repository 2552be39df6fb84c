# One image, two programs: the api (the default command) and the worker. docs/deployment.md says how it is used.
# test/image.test.ts carries out these very steps without Docker and starts what comes of them.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY . .
# Exactly what the lock names; no package of the tree has an install script.
RUN npm ci --no-audit --no-fund --ignore-scripts
RUN npm run build
# What only builds and tests need goes, and so do the sources.
RUN npm prune --omit=dev --no-audit --no-fund --ignore-scripts
RUN rm -rf libs/*/src apps/*/src libs/*/test libs/*/tsconfig.json apps/*/tsconfig.json
RUN mkdir -p spool

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production TIDEMARK_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/libs libs
COPY --from=build /app/apps apps
# A volume that is new takes over the owner of what it covers.
COPY --from=build --chown=1000:1000 /app/spool /data
# The user "node" of the image, by number, so that "runAsNonRoot" can be checked.
USER 1000:1000
EXPOSE 8000 8001
# The flags of apps/api/package.json (config.nodeFlags). The worker: node --max-semi-space-size=8 apps/worker/dist/main.js
CMD ["node", "--max-semi-space-size=8", "apps/api/dist/main.js"]
