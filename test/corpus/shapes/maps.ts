/** Queries and graphs, and maps whose member names are data. */

import { times } from "../draw.ts";
import { instantNoise, numberNoise, type Shape } from "../shape.ts";

const graphql: Shape = {
  name: "GraphQL: data beside errors",
  contentType: "application/graphql-response+json",
  make: (draw) => ({
    data: {
      viewer: {
        login: draw.word(),
        repositories: {
          totalCount: draw.int(40),
          edges: times(4, (at) => ({
            cursor: `Y3Vyc29y${draw.hex(6)}${at}`,
            node: { name: draw.word(), isFork: draw.chance(0.5), owner: null },
          })),
        },
      },
      broken: null,
    },
    errors: times(2, (at) => ({
      message: draw.words(5),
      locations: [{ line: draw.int(40), column: 3 + at }],
      path: ["viewer", "repositories", "edges", at, "node", "owner"],
      extensions: { code: "FORBIDDEN" },
    })),
    extensions: {
      cost: { requestedQueryCost: draw.int(900) },
      tracing: { startTime: draw.instant(), duration: draw.int(9_999_999) },
    },
  }),
  unordered: [["errors"]],
  noisy: [
    instantNoise("extensions", "tracing", "startTime"),
    numberNoise("extensions", "tracing", "duration"),
  ],
};

const linked: Shape = {
  name: "JSON-LD: a graph",
  contentType: "application/ld+json",
  make: (draw) => ({
    "@context": [
      "https://schema.org/",
      { ex: "https://example.com/ns#", dates: { "@id": "ex:dates", "@container": "@set" } },
    ],
    "@graph": times(4, (at) => ({
      "@id": `_:b${at}`,
      "@type": ["Recipe", "ex:Thing"],
      name: { "@value": draw.words(3), "@language": draw.pick(["en", "fr"]) },
      recipeIngredient: times(4, (n) => `${n + 1} ${draw.word()}`),
      "ex:cooked": { "@value": `PT${1 + draw.int(50)}M`, "@type": "xsd:duration" },
    })),
  }),
  unordered: [
    ["@graph", "*", "@type"],
    ["@graph", "*", "recipeIngredient"],
  ],
  noisy: [],
};

const weather: Shape = {
  name: "OpenWeather: now",
  contentType: "application/json; charset=utf-8",
  make: (draw) => ({
    coord: { lon: -0.1257, lat: 51.5085 },
    weather: [{ id: 803, main: "Clouds", description: draw.words(2), icon: "04d" }],
    main: { temp: 280 + draw.next() * 20, pressure: 1000 + draw.int(40), humidity: draw.int(100) },
    wind: { speed: draw.price(), deg: draw.int(360) },
    rain: { "1h": draw.next() },
    dt: draw.epochSeconds(),
    timezone: -3600,
    id: 2_643_743,
    name: draw.word(),
    cod: 200,
  }),
  unordered: [],
  noisy: [{ at: ["dt"], fresh: (draw) => draw.epochSeconds() }],
};

const wiki: Shape = {
  name: "Wikipedia: pages keyed by id",
  contentType: "application/json; charset=utf-8",
  make: (draw) => ({
    batchcomplete: "",
    query: {
      normalized: [{ from: "albert_einstein", to: "Albert Einstein" }],
      pages: Object.fromEntries(
        times(4, (at) => [
          String(73_600 + at),
          { pageid: 73_600 + at, ns: 0, title: `${draw.words(2)} ${at}`, extract: draw.words(20) },
        ]),
      ),
    },
  }),
  unordered: [],
  noisy: [],
  isDataKey: (name) => /^\d+$/.test(name),
};

const stocks: Shape = {
  name: "Alpha Vantage: days as member names",
  contentType: "application/json",
  make: (draw) => ({
    "Meta Data": { "1. Information": draw.words(4), "2. Symbol": "IBM", "3. Last Refreshed": "2026-03-06" },
    "Time Series (Daily)": Object.fromEntries(
      times(6, (at) => [
        `2026-03-0${at + 1}`,
        {
          "1. open": `${draw.price()}00`,
          "4. close": `${draw.price()}10`,
          "5. volume": String(draw.int(9_999_999)),
        },
      ]),
    ),
  }),
  unordered: [],
  noisy: [],
  isDataKey: (name) => /^\d{4}-\d{2}-\d{2}$/.test(name),
};

const users: Shape = {
  name: "Firebase: a map keyed by UUIDs",
  contentType: "application/json",
  make: (draw) => ({
    users: Object.fromEntries(
      times(5, () => [
        draw.uuid(),
        {
          nick: draw.word(),
          seen: draw.epochSeconds() * 1000,
          roles: { admin: draw.chance(0.5) },
          badges: times(3, (n) => `${draw.word()}${n}`),
        },
      ]),
    ),
  }),
  unordered: [["users", "*", "badges"]],
  noisy: [],
  isDataKey: (name) => /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(name),
};

export const MAP_SHAPES: readonly Shape[] = [graphql, linked, weather, wiki, stocks, users];
