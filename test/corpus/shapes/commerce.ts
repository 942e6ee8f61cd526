/** Money and goods: amounts in minor units and as texts, nested lists, expandable objects. */

import { type Draw, times } from "../draw.ts";
import type { Json } from "../json.ts";
import { hexNoise, instantNoise, type Shape, uuidNoise } from "../shape.ts";

const minor = (draw: Draw): number => 100 + draw.int(90_000);

const charge: Shape = {
  name: "Stripe: charge",
  contentType: "application/json",
  make: (draw) => ({
    id: `ch_${draw.hex(24)}`,
    object: "charge",
    amount: minor(draw),
    amount_refunded: 0,
    balance_transaction: `txn_${draw.hex(24)}`,
    billing_details: {
      address: { city: null, country: "NL", line1: null, postal_code: draw.hex(5) },
      email: null,
      name: draw.words(2),
    },
    captured: true,
    created: draw.epochSeconds(),
    currency: draw.pick(["eur", "usd"]),
    disputed: false,
    fraud_details: {},
    livemode: false,
    metadata: { order_id: String(draw.int(9999)), "weird key": draw.word(), "": "empty name" },
    outcome: {
      network_status: "approved_by_network",
      risk_score: draw.int(99),
      seller_message: draw.words(3),
    },
    payment_method_details: {
      card: { brand: "visa", checks: { cvc_check: "pass" }, exp_month: 8, exp_year: 2030, last4: "4242" },
      type: "card",
    },
    refunds: { object: "list", data: [], has_more: false, url: "/v1/charges/refunds" },
  }),
  unordered: [],
  noisy: [],
};

const invoices: Shape = {
  name: "Stripe: list of invoices",
  contentType: "application/json",
  make: (draw) => ({
    object: "list",
    url: "/v1/invoices",
    has_more: true,
    request_id: `req_${draw.hex(14)}`,
    data: times(4, (at) => ({
      id: `in_${at}${draw.hex(22)}`,
      object: "invoice",
      amount_due: minor(draw),
      attempted: draw.chance(0.5),
      lines: {
        object: "list",
        data: times(3, (n) => ({
          id: `il_${n}${draw.hex(20)}`,
          amount: minor(draw),
          description: `${draw.int(9)} × ${draw.words(2)} (at €${draw.price()})`,
          period: { start: draw.epochSeconds(), end: draw.epochSeconds() },
          price: {
            unit_amount_decimal: `${draw.price()}`,
            recurring: { interval: "month", interval_count: 1 },
          },
          quantity: 1 + draw.int(5),
        })),
        total_count: 3,
      },
      number: `${draw.hex(8).toUpperCase()}-000${at}`,
      status: draw.pick(["paid", "open", "void"]),
      tax_percent: draw.pick([null, 21, 9.5]),
      total: -minor(draw),
    })),
  }),
  unordered: [["data", "*", "lines", "data"]],
  noisy: [{ at: ["request_id"], fresh: (draw) => `req_${draw.hex(14)}` }],
};

function variant(draw: Draw, at: number): Json {
  return {
    id: 808_950_810 + at,
    product_id: 632_910_392,
    title: `${draw.word()} ${at}`,
    price: `${draw.price()}`,
    sku: `SKU-${draw.hex(5)}`,
    position: at + 1,
    grams: draw.int(1000),
    weight: draw.price(),
    taxable: true,
    barcode: String(1_234_567_890 + draw.int(1000)),
    inventory_quantity: draw.int(100) - 10,
  };
}

const product: Shape = {
  name: "Shopify: product",
  contentType: "application/json; charset=utf-8",
  make: (draw) => ({
    product: {
      id: 632_910_392,
      admin_graphql_api_id: "gid://shop/Product/632910392",
      title: `${draw.words(3)} – 8GB`,
      body_html: `<p>${draw.words(6)} &amp; <strong>${draw.words(2)}</strong></p>`,
      tags: times(4, () => draw.word()).join(", "),
      variants: times(5, (at) => variant(draw, at)),
      options: [{ id: 594_680_422, name: "Color", position: 1, values: ["Pink", "Red", "Green", "Black"] }],
      images: times(2, (at) => ({
        id: 850_703_190 + at,
        src: `https://cdn.example.com/p-${at}.jpg?v=${draw.epochSeconds()}`,
        variant_ids: times(2, (n) => 808_950_810 + n),
      })),
      published_at: "2026-01-02T03:04:05-05:00",
      image: null,
    },
  }),
  unordered: [
    ["product", "variants"],
    ["product", "options", "*", "values"],
  ],
  noisy: [],
};

const order: Shape = {
  name: "PayPal: order",
  contentType: "application/json",
  make: (draw) => ({
    id: draw.hex(17).toUpperCase(),
    debug_id: draw.hex(13),
    intent: "CAPTURE",
    status: "COMPLETED",
    purchase_units: times(2, (at) => ({
      reference_id: `unit-${at}`,
      amount: {
        currency_code: "EUR",
        value: `${draw.int(900)}.${10 + draw.int(90)}`,
        breakdown: { item_total: { currency_code: "EUR", value: `${draw.int(900)}.50` } },
      },
      payments: {
        captures: [
          {
            id: draw.hex(17),
            final_capture: true,
            create_time: "2026-05-06T07:08:09Z",
            seller_protection: { dispute_categories: ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"] },
          },
        ],
      },
    })),
    links: times(3, (at) => ({
      href: `https://pay.example.com/v2/${at}`,
      rel: draw.word() + at,
      method: "GET",
    })),
  }),
  unordered: [["links"]],
  noisy: [hexNoise("debug_id")],
};

const oauth: Shape = {
  name: "OAuth 2.0: token answer",
  contentType: "application/json;charset=UTF-8",
  make: (draw) => ({
    access_token: draw.hex(64),
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: draw.hex(40),
    scope: "read write",
    id: draw.uuid(),
    issued_at: draw.instant(),
  }),
  unordered: [],
  noisy: [hexNoise("access_token"), hexNoise("refresh_token"), uuidNoise("id"), instantNoise("issued_at")],
};

export const COMMERCE_SHAPES: readonly Shape[] = [charge, invoices, product, order, oauth];
