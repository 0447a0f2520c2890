# syntax=docker/dockerfile:1

# One image for the API (the default command), a worker (`node worker.ts`) and the schema migrations (`node scripts/db-migrate.ts`).
# The root file system may be read-only: only DATA_DIR is written.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No dependency of production has an install script, so none gets to run.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production \
    DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json .sequelizerc ./
COPY app.ts compose.ts server.ts worker.ts ./
COPY scripts/db-migrate.ts ./scripts/
COPY src ./src
# A new volume takes over the owner of the folder that it covers.
RUN mkdir /data && chown node:node /data
VOLUME /data
# The user `node` by number: Kubernetes cannot tell that a name is not root.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not `npm start`: npm does not hand signals on, and the process would be killed instead of drained.
CMD ["node", "server.ts"]
