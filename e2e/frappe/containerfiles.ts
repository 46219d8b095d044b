/** Containerfiles of the shapes that frappe_docker has, for the stand-in of bench. */

const HEAD = `ARG FRAPPE_BRANCH=version-16
FROM frappe/build:\${FRAPPE_BRANCH} AS builder
ARG FRAPPE_BRANCH=version-16
ARG FRAPPE_PATH=https://github.com/frappe/frappe
`;

const INIT = `bench init \${APP_INSTALL_ARGS} \\
    --frappe-branch=\${FRAPPE_BRANCH} --frappe-path=\${FRAPPE_PATH} \\
    --no-procfile --no-backups --skip-redis-config-generation --verbose \\
    /home/frappe/frappe-bench`;

const CLEAN = 'cd /home/frappe/frappe-bench && find apps -mindepth 1 -path "*/.git" | xargs rm -fr';

const TAIL = `
FROM frappe/base:\${FRAPPE_BRANCH} AS backend
USER frappe
COPY --from=builder --chown=frappe:frappe /home/frappe/frappe-bench/apps /home/frappe/frappe-bench/apps
WORKDIR /home/frappe/frappe-bench
`;

const SECRET = `RUN --mount=type=secret,id=apps_json,target=/opt/frappe/apps.json,uid=1000,gid=1000`;
const GIT_CONFIG = `--mount=type=secret,id=gitconfig,target=/home/frappe/.gitconfig,uid=1000,gid=1000`;

/** images/layered of today: apps.json as a secret. */
export const SECRET_FORM = `${HEAD}ARG CACHE_BUST=""
USER frappe
${SECRET} \\
  : "\${CACHE_BUST}" && export APP_INSTALL_ARGS="" && \\
  if [ -f /opt/frappe/apps.json ]; then export APP_INSTALL_ARGS="--apps_path=/opt/frappe/apps.json"; fi && \\
  ${INIT} && \\
  ${CLEAN}
${TAIL}`;

/** The same, with credentials apart from the addresses, and without an argument that says that the apps are others. */
export const GIT_CONFIG_FORM = `${HEAD}USER frappe
${SECRET} ${GIT_CONFIG} \\
  export APP_INSTALL_ARGS="--apps_path=/opt/frappe/apps.json" && \\
  ${INIT} && \\
  ${CLEAN}
${TAIL}`;

/** images/layered of before: apps.json as an argument of the stage that is only copied from. */
export const BASE64_FORM = `${HEAD}ARG APPS_JSON_BASE64
USER root
RUN mkdir -p /opt/frappe && echo "\${APPS_JSON_BASE64}" | base64 -d > /opt/frappe/apps.json
USER frappe
RUN export APP_INSTALL_ARGS="--apps_path=/opt/frappe/apps.json" && \\
  ${INIT} && \\
  ${CLEAN}
${TAIL}`;

/** One stage for all: the argument would be in the history of the image. */
export const BASE64_IN_HISTORY = BASE64_FORM.slice(0, BASE64_FORM.indexOf("\nFROM frappe/base"));

/** Leaves .git folders, and the addresses in them, in the image. */
export const KEEPS_GIT_FOLDERS = SECRET_FORM.replace(` && \\\n  ${CLEAN}`, "");

/** Checks out the commits that stand in apps.json. */
export const COMMIT_FORM = GIT_CONFIG_FORM.replace(
  CLEAN,
  `jq -r '.[] | select(.commit) | .commit' /opt/frappe/apps.json | while read -r commit; do \\
    git -C apps/india_compliance fetch -q --depth 1 upstream "$commit" && git -C apps/india_compliance checkout -q "$commit"; \\
  done && \\
  ${CLEAN}`.replace("jq", "cd /home/frappe/frappe-bench && jq"),
);

/** Talks about commits and checks out none. */
export const IGNORES_COMMITS = GIT_CONFIG_FORM.replace(CLEAN, `echo "no commit" && ${CLEAN}`);

/** A stage for each app: another version of one builds that stage only. */
export const STAGES_FORM = `ARG FRAPPE_BRANCH=version-16
FROM frappe/build:\${FRAPPE_BRANCH} AS erpnext
ARG ERPNEXT_URL
ARG ERPNEXT_REF
RUN mkdir -p /tmp/erpnext/apps && cd /tmp/erpnext && bench get-app "\${ERPNEXT_URL}" --branch "\${ERPNEXT_REF}" && rm -rf apps/*/.git

FROM frappe/build:\${FRAPPE_BRANCH} AS india
ARG INDIA_COMPLIANCE_URL
ARG INDIA_COMPLIANCE_REF
RUN ${GIT_CONFIG} \\
  mkdir -p /tmp/india/apps && cd /tmp/india && bench get-app "\${INDIA_COMPLIANCE_URL}" --branch "\${INDIA_COMPLIANCE_REF}" && rm -rf apps/*/.git

FROM frappe/build:\${FRAPPE_BRANCH} AS frappe
ARG FRAPPE_BRANCH
ARG FRAPPE_PATH
RUN rm -rf apps && mkdir apps && git clone -q --depth 1 --branch "\${FRAPPE_BRANCH}" "\${FRAPPE_PATH}" apps/frappe && rm -rf apps/*/.git

FROM frappe/base:\${FRAPPE_BRANCH}
COPY --from=frappe /home/frappe/frappe-bench/apps /home/frappe/frappe-bench/apps
COPY --from=erpnext /tmp/erpnext/apps /home/frappe/frappe-bench/apps
COPY --from=india /tmp/india/apps /home/frappe/frappe-bench/apps
`;
