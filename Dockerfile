# The image of Assay: built JavaScript and production packages, run by an unprivileged user.
# The root file system may be read-only; /var/lib/assay is the only place that is written.
# test/e2e/image-build.test.ts runs these instructions, so they use no shell syntax and no
# absolute path but in COPY.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package needs its install script: what is native comes built, and Node is the image's own.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build
RUN mkdir state

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build --chown=1000:1000 /app/state /var/lib/assay
USER 1000:1000
VOLUME /var/lib/assay
EXPOSE 5000 5001
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5001/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# What a request leaves behind is gone with it: a larger space for what is new only takes memory.
ENTRYPOINT ["node", "--max-semi-space-size=8", "dist/main.js"]
CMD ["serve", "--config", "/etc/assay/assay.yaml"]
