/** Timelines, messages and listings: ids beyond 2^53, emoji, other scripts, deep recursion of the same shape. */

import { type Draw, times } from "../draw.ts";
import type { Json } from "../json.ts";
import { hexNoise, instantNoise, numberNoise, type Shape } from "../shape.ts";

/** An id of 19 digits, too long for a double. */
const snowflake = (draw: Draw, at: number): bigint =>
  1_500_000_000_000_000_001n + BigInt(draw.int(1_000_000_000)) * 1_000_003n + BigInt(at);

const timeline: Shape = {
  name: "X: timeline with ids of 19 digits",
  contentType: "application/json;charset=utf-8",
  make: (draw) =>
    times(6, (at) => {
      const id = snowflake(draw, at);
      return {
        created_at: "Wed Oct 10 20:19:24 +0000 2018",
        id,
        id_str: String(id),
        full_text: `${draw.words(9)} 😀 #${draw.word()} 日本語 https://t.example/${draw.hex(6)}`,
        truncated: false,
        display_text_range: [0, 40 + draw.int(240)],
        entities: {
          hashtags: times(2, (n) => ({
            text: `${draw.word()}${n}`,
            indices: [draw.int(9), 10 + draw.int(9)],
          })),
          symbols: [],
          urls: [{ url: `https://t.example/${draw.hex(8)}`, indices: [draw.int(40), 63] }],
        },
        user: {
          id: 6_253_282,
          screen_name: draw.word(),
          verified: draw.chance(0.5),
          followers_count: draw.int(9_999_999),
        },
        geo: null,
        retweet_count: draw.int(500),
        lang: draw.pick(["en", "ja", "und"]),
      };
    }),
  unordered: [],
  noisy: [],
};

const toot: Shape = {
  name: "Mastodon: status",
  contentType: "application/json; charset=utf-8",
  make: (draw) => ({
    id: String(snowflake(draw, 1)),
    content: `<p>${draw.words(8)} <a href="https://social.example/@a" class="u-url mention">@<span>a</span></a></p>`,
    account: {
      acct: `${draw.word()}@social.example`,
      fields: times(2, (at) => ({ name: `${draw.word()} ${at}`, value: draw.words(3), verified_at: null })),
      emojis: [],
    },
    media_attachments: [
      {
        id: "7",
        meta: { original: { aspect: 1.7777777777777777, width: 1920 } },
        blurhash: `U${draw.hex(20)}`,
      },
    ],
    tags: times(3, (at) => ({ name: `${draw.word()}${at}`, url: `https://social.example/tags/${at}` })),
    spoiler_text: "",
    poll: null,
    edited_at: null,
    favourites_count: draw.int(99),
  }),
  unordered: [["tags"]],
  noisy: [],
};

function comment(draw: Draw, depth: number, path: string): Json {
  return {
    kind: "t1",
    data: {
      id: `${path}${draw.hex(5)}`,
      body: `${draw.words(5)}\n> ${draw.words(3)}`,
      score: draw.int(500) - 50,
      edited: draw.chance(0.2) ? 1_700_000_000.5 : false,
      replies:
        depth === 0
          ? ""
          : {
              kind: "Listing",
              data: { after: null, children: times(2, (at) => comment(draw, depth - 1, `${path}${at}`)) },
            },
    },
  };
}

const thread: Shape = {
  name: "Reddit: comments, replies within replies",
  contentType: "application/json; charset=UTF-8",
  make: (draw) => [
    {
      kind: "Listing",
      data: {
        modhash: draw.hex(50),
        dist: 1,
        children: [{ kind: "t3", data: { id: "p1", ups: draw.int(999), ratio: 0.97 } }],
      },
    },
    {
      kind: "Listing",
      data: { modhash: draw.hex(50), children: times(2, (at) => comment(draw, 3, String(at))) },
    },
  ],
  unordered: [],
  noisy: [hexNoise("*", "data", "modhash")],
};

const messages: Shape = {
  name: "Discord: messages",
  contentType: "application/json",
  make: (draw) =>
    times(4, (at) => ({
      id: String(snowflake(draw, at)),
      channel_id: "290926798999357250",
      content: `${draw.words(5)} <@!80351110224678912> ${at}`,
      timestamp: `2026-07-11T17:27:07.29900${at}+00:00`,
      edited_timestamp: null,
      mention_roles: times(3, (n) => String(snowflake(draw, n))),
      reactions: [{ count: draw.int(9), me: false, emoji: { id: null, name: "🔥" } }],
      nonce: String(snowflake(draw, 9)),
      flags: draw.int(8),
    })),
  unordered: [["*", "mention_roles"]],
  noisy: [{ at: ["*", "nonce"], fresh: (draw) => String(snowflake(draw, draw.int(1000))) }],
};

const videos: Shape = {
  name: "YouTube: search list",
  contentType: "application/json; charset=UTF-8",
  make: (draw) => ({
    kind: "youtube#searchListResponse",
    etag: draw.hex(27),
    nextPageToken: draw.hex(6).toUpperCase(),
    pageInfo: { totalResults: draw.int(1_000_000), resultsPerPage: 5 },
    servedAt: draw.instant(),
    items: times(5, (at) => ({
      kind: "youtube#searchResult",
      etag: draw.hex(27),
      id: { kind: "youtube#video", videoId: `${at}${draw.hex(10)}` },
      snippet: {
        publishedAt: "2026-01-01T00:00:00Z",
        title: `${draw.words(3)} &amp; Ω ${at}`,
        thumbnails: { default: { url: `https://i.example.com/${at}.jpg`, width: 120, height: 90 } },
        liveBroadcastContent: "none",
      },
      rank: draw.next(),
    })),
  }),
  unordered: [],
  noisy: [
    hexNoise("etag"),
    hexNoise("items", "*", "etag"),
    instantNoise("servedAt"),
    numberNoise("pageInfo", "totalResults"),
  ],
};

export const SOCIAL_SHAPES: readonly Shape[] = [timeline, toot, thread, messages, videos];
