/** Formats with a specification: geography, hypermedia, health care. */

import { times } from "../draw.ts";
import { instantNoise, type Shape, uuidNoise } from "../shape.ts";

const geo: Shape = {
  name: "GeoJSON: FeatureCollection",
  contentType: "application/geo+json",
  make: (draw) => ({
    type: "FeatureCollection",
    bbox: times(4, () => draw.next() * 100),
    features: times(3, (at) => ({
      type: "Feature",
      id: `f${at}`,
      geometry: {
        type: "Polygon",
        coordinates: [times(12, () => [draw.next() * 180 - 90, draw.next() * 90])],
      },
      properties: {
        name: `${draw.words(2)} straße`,
        population: draw.int(10_000_000),
        "iso:code": "NL",
        elevation: null,
      },
    })),
  }),
  unordered: [],
  noisy: [],
};

const overpass: Shape = {
  name: "OpenStreetMap: Overpass elements",
  contentType: "application/json",
  make: (draw) => ({
    version: 0.6,
    generator: "Overpass API",
    osm3s: { timestamp_osm_base: draw.instant(), copyright: draw.words(5) },
    elements: times(6, (at) => ({
      type: draw.pick(["node", "way"]),
      id: 25_496_583 + at,
      lat: 52 + draw.next(),
      lon: 4 + draw.next(),
      nodes: times(4, (n) => 240_109_189 + n),
      tags: {
        "addr:housenumber": String(draw.int(200)),
        amenity: draw.word(),
        "name:ja": "東京",
        wheelchair: "yes",
      },
    })),
  }),
  unordered: [["elements"]],
  noisy: [instantNoise("osm3s", "timestamp_osm_base")],
};

const jsonApi: Shape = {
  name: "JSON:API: articles with included people",
  contentType: "application/vnd.api+json",
  make: (draw) => ({
    jsonapi: { version: "1.1" },
    data: times(3, (at) => ({
      type: "articles",
      id: String(at + 1),
      attributes: { title: draw.words(4), "word-count": draw.int(2000), published: draw.chance(0.5) },
      relationships: {
        author: { data: { type: "people", id: String(draw.int(3)) } },
        comments: { data: times(3, (n) => ({ type: "comments", id: String(n) })) },
      },
      links: { self: `https://api.example.com/articles/${at + 1}` },
    })),
    included: times(4, (at) => ({
      type: "people",
      id: String(at),
      attributes: { name: draw.words(2), twitter: draw.word() },
    })),
    meta: { requestId: draw.uuid() },
  }),
  unordered: [["included"]],
  noisy: [uuidNoise("meta", "requestId")],
};

const hal: Shape = {
  name: "HAL: orders",
  contentType: "application/hal+json",
  make: (draw) => ({
    _links: {
      self: { href: "/orders" },
      "ea:find": { href: "/orders{?id}", templated: true },
      curies: [{ name: "ea", href: "https://example.com/docs/{rel}", templated: true }],
    },
    currentlyProcessing: draw.int(20),
    _embedded: {
      "ea:order": times(3, (at) => ({
        _links: { self: { href: `/orders/${at}` } },
        total: draw.price(),
        currency: "EUR",
        status: draw.word(),
      })),
    },
  }),
  unordered: [],
  noisy: [],
};

const odata: Shape = {
  name: "OData: entity set",
  contentType: "application/json;odata.metadata=minimal;odata.streaming=true",
  make: (draw) => ({
    "@odata.context": "https://services.example.com/$metadata#Products",
    "@odata.count": draw.int(500),
    value: times(4, (at) => ({
      "@odata.etag": `W/"${draw.hex(12)}"`,
      ID: at,
      Name: draw.words(2),
      Rating: draw.int(5),
      Price: draw.price(),
      Address: { "Street'Name": draw.words(2), City: draw.word() },
      "Dimensions\\Raw": [draw.int(9), draw.int(9) + 10],
    })),
  }),
  unordered: [],
  noisy: [{ at: ["value", "*", "@odata.etag"], fresh: (draw) => `W/"${draw.hex(12)}"` }],
};

const fhir: Shape = {
  name: "FHIR: bundle of patients",
  contentType: "application/fhir+json; fhirVersion=4.0",
  make: (draw) => ({
    resourceType: "Bundle",
    id: draw.uuid(),
    meta: { lastUpdated: draw.instant() },
    type: "searchset",
    total: 3,
    entry: times(3, (at) => ({
      fullUrl: `https://fhir.example.com/Patient/p${at}`,
      resource: {
        resourceType: "Patient",
        id: `p${at}`,
        active: true,
        name: [{ use: "official", family: draw.word(), given: [draw.word(), `${draw.word()}2`] }],
        birthDate: `19${10 + draw.int(89)}-0${1 + draw.int(8)}-1${draw.int(9)}`,
        _birthDate: {
          extension: [{ url: "http://hl7.example/birthTime", valueDateTime: "1974-12-25T14:35:45-05:00" }],
        },
        multipleBirthInteger: draw.int(3),
        telecom: times(2, (n) => ({
          system: "phone",
          rank: n + 1,
          value: `+31 20 555 0${draw.int(900)}${n}`,
        })),
        deceasedBoolean: false,
      },
      search: { mode: "match", score: draw.next() },
    })),
  }),
  unordered: [["entry", "*", "resource", "telecom"]],
  noisy: [uuidNoise("id"), instantNoise("meta", "lastUpdated")],
};

export const STANDARD_SHAPES: readonly Shape[] = [geo, overpass, jsonApi, hal, odata, fhir];
