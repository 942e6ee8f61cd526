/** Code hosting, issue tracking, packages: lists of things with ids, people, labels and links. */

import { type Draw, times } from "../draw.ts";
import type { Json } from "../json.ts";
import { hexNoise, instantNoise, numberNoise, type Shape, uuidNoise } from "../shape.ts";

function user(draw: Draw, id: number): Json {
  const login = `${draw.word()}-${draw.word()}-${id}`;
  return {
    login,
    id,
    node_id: `MDQ6VXNlcj${draw.hex(8)}`,
    avatar_url: `https://avatars.example.com/u/${id}?v=4`,
    url: `https://api.example.com/users/${login}`,
    type: draw.pick(["User", "Organization", "Bot"]),
    site_admin: draw.chance(0.1),
  };
}

const issues: Shape = {
  name: "GitHub: issues of a repository",
  contentType: "application/json; charset=utf-8",
  make: (draw) =>
    times(6, (at) => ({
      id: 1_900_000_000 + at * 17,
      number: 400 - at,
      title: `${draw.words(4)} "quoted" and <tagged> — ${draw.hex(4)}`,
      user: user(draw, 9000 + at),
      labels: times(3, (n) => ({
        id: 208_045_946 + n,
        name: `${draw.word()} ${n}`,
        color: draw.hex(6),
        default: n === 0,
        description: n === 1 ? null : draw.words(5),
      })),
      state: draw.pick(["open", "closed"]),
      locked: false,
      assignee: at % 2 === 0 ? null : user(draw, 100 + at),
      assignees: at % 2 === 0 ? [] : times(2, (n) => user(draw, 200 + n)),
      milestone: null,
      comments: draw.int(50),
      created_at: "2026-03-04T05:06:07Z",
      closed_at: null,
      author_association: draw.pick(["NONE", "MEMBER", "CONTRIBUTOR"]),
      body: `${draw.words(30)}\n\n- [ ] ${draw.words(6)}\n- [x] ${draw.words(6)} 👍🏽`,
      reactions: {
        total_count: draw.int(9),
        "+1": draw.int(9),
        "-1": draw.int(3),
        laugh: draw.int(2),
        heart: draw.int(7),
      },
      performed_via_github_app: null,
      score: draw.next(),
      temp_clone_token: draw.hex(40),
    })),
  unordered: [
    ["*", "labels"],
    ["*", "assignees"],
  ],
  noisy: [hexNoise("*", "temp_clone_token")],
};

const repository: Shape = {
  name: "GitHub: one repository",
  contentType: "application/vnd.github+json",
  make: (draw) => ({
    id: 1_296_269,
    full_name: `${draw.word()}/${draw.word()}`,
    private: false,
    owner: user(draw, 1),
    description: `${draw.words(8)} – naïve café`,
    fork: false,
    size: draw.int(100_000),
    stargazers_count: draw.int(99_999),
    language: draw.pick(["TypeScript", "Go", "Rust"]),
    topics: times(5, (at) => `${draw.word()}-${at}`),
    license: { key: "apache-2.0", name: "Apache License 2.0", spdx_id: "Apache-2.0" },
    permissions: { admin: false, maintain: false, push: draw.chance(0.5), pull: true },
    pushed_at: draw.instant(),
    homepage: "",
    mirror_url: null,
    security_and_analysis: { secret_scanning: { status: draw.pick(["enabled", "disabled"]) } },
    network_count: draw.int(400),
  }),
  unordered: [["topics"]],
  noisy: [],
};

const jira: Shape = {
  name: "Jira: search",
  contentType: "application/json;charset=UTF-8",
  make: (draw) => ({
    expand: "schema,names",
    startAt: 0,
    maxResults: 50,
    total: 4,
    issues: times(4, (at) => ({
      id: String(10_000 + at),
      key: `MOVE-${at + 1}`,
      self: `https://tracker.example.com/rest/api/3/issue/${10_000 + at}`,
      fields: {
        summary: draw.words(6),
        customfield_10010: draw.chance(0.5) ? null : [draw.words(2)],
        customfield_10011: draw.price(),
        timeestimate: draw.int(90_000),
        status: { name: draw.pick(["To Do", "In Progress", "Done"]), id: String(draw.int(9)) },
        priority: { name: draw.pick(["High", "Low"]), iconUrl: "https://tracker.example.com/p.svg" },
        components: times(3, (n) => ({ id: String(700 + n), name: draw.word() })),
        created: `2026-02-0${at + 1}T10:20:30.000+0100`,
        "aggregated time": { "in progress": draw.int(500) },
      },
    })),
    renderedInMs: draw.int(900),
  }),
  unordered: [["issues", "*", "fields", "components"]],
  noisy: [numberNoise("renderedInMs")],
};

const packages: Shape = {
  name: "npm: package document",
  contentType: "application/json",
  make: (draw) => {
    const versions = ["1.0.0", "1.0.1", "2.0.0-rc.1"];
    return {
      _id: "left-quarry",
      _rev: `17-${draw.hex(32)}`,
      name: "left-quarry",
      "dist-tags": { latest: "1.0.1", next: "2.0.0-rc.1" },
      versions: Object.fromEntries(
        versions.map((version) => [
          version,
          {
            name: "left-quarry",
            version,
            dependencies: { "@scope/amber": `^${draw.int(9)}.0.0`, "cedar.js": "~1.2.3" },
            dist: {
              integrity: `sha512-${draw.hex(60)}==`,
              tarball: `https://registry.example.com/${version}.tgz`,
              unpackedSize: draw.int(90_000),
            },
            maintainers: times(2, (at) => ({
              name: `${draw.word()}${at}`,
              email: `${draw.word()}${at}@example.com`,
            })),
          },
        ]),
      ),
      keywords: times(4, (at) => `${draw.word()}${at}`),
      readme: `# left-quarry\n\n${draw.words(40)}\n`,
    };
  },
  unordered: [["keywords"]],
  noisy: [{ at: ["_rev"], fresh: (draw) => `17-${draw.hex(32)}` }],
  isDataKey: (name) => /^\d+\.\d+\.\d+$/.test(name),
};

const pipelines: Shape = {
  name: "GitLab: pipelines",
  contentType: "application/json",
  make: (draw) => ({
    requestId: draw.uuid(),
    servedAt: draw.instant(),
    pipelines: times(5, (at) => ({
      id: 46 + at,
      iid: 11 + at,
      sha: draw.hex(40),
      ref: draw.pick(["main", "feature/x", "v1.2"]),
      status: draw.pick(["success", "failed", "running"]),
      coverage: `${draw.price()}`,
      duration: draw.price(),
      tag: draw.chance(0.5),
      variables: times(2, (n) => ({ key: `KEY_${n}`, value: draw.hex(6) })),
    })),
  }),
  unordered: [["pipelines", "*", "variables"]],
  noisy: [uuidNoise("requestId"), instantNoise("servedAt")],
};

export const WORK_SHAPES: readonly Shape[] = [issues, repository, jira, packages, pipelines];
