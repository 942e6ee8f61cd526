/** YAML text → SourceFile: syntax errors placed and explained, hostile documents bounded. */

import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  Parser,
  visit,
} from "yaml";
import { type Env, readPlainScalar, substitute } from "./env.ts";
import { fileProblem, MAX_PROBLEMS, type Problem, placeText, problemAt, type SourceText } from "./problem.ts";
import { follow, type SourceFile } from "./source-file.ts";
import { syntaxProblems } from "./syntax.ts";

/** Rules need 8; beyond some thousands the parser's recursion would end the process, not throw. */
const MAX_DEPTH = 48;
/** 8 MiB of nothing but brackets, 8 million lexemes, took a minute and then all of the heap (tried). */
const MAX_LEXEMES = 3_000_000;
/** Values that aliases may add, all together. */
const MAX_ALIASED_NODES = 100_000;

export interface ParsedFile {
  /** Null when the text is no YAML that could be looked at further. */
  readonly file: SourceFile | null;
  readonly problems: readonly Problem[];
  /** Names of the variables that were filled in. */
  readonly variables: readonly string[];
}

/**
 * Reads one file's text. All of its syntax errors that are not mere consequences are reported. Without an `env`
 * variables stay as they are written.
 */
export function parseYaml(source: SourceText, env: Env | null): ParsedFile {
  const failed = (...problems: Problem[]): ParsedFile => ({ file: null, problems, variables: [] });
  const excess = excessProblem(source);
  if (excess) return failed(excess);
  const documents = [
    ...new Composer({ prettyErrors: false, uniqueKeys: false, version: "1.2", schema: "core" }).compose(
      tokensOf(source),
    ),
  ];
  const [document, second] = documents;
  if (!document || document.contents === null) {
    const syntax = document ? syntaxProblems(source, document) : [];
    return failed(
      ...(syntax.length > 0
        ? syntax
        : [fileProblem(source.path, "the file is empty: begin with version: 1")]),
    );
  }
  const syntax = syntaxProblems(source, document);
  if (syntax.length > 0) return failed(...syntax, ...unsetVariables(source, document, env));
  if (second) {
    const start = second.contents?.range?.[0] ?? second.range[0];
    return failed(
      problemAt(
        source,
        { start, end: start + 1 },
        "a rules file holds one YAML document: put the second (after ---) in a file of its own",
      ),
    );
  }
  return convert(source, document, env);
}

function* tokensOf(source: SourceText) {
  const parser = new Parser();
  yield* parser.parse(source.text);
}

/**
 * What would exhaust the stack or the memory of the composer. The parser in front of it is not recursive, so it
 * can look ahead.
 */
function excessProblem(source: SourceText): Problem | undefined {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    for (const _ of parser.next(lexeme)) {
      // Tokens are made again for the composer; only the depth matters here.
    }
    if (++lexemes > MAX_LEXEMES) {
      return fileProblem(source.path, "the file has millions of values: put long lists of keys in a newFile");
    }
    if (parser.stack.length > MAX_DEPTH) {
      const span = { start: parser.offset, end: parser.offset + 1 };
      return problemAt(source, span, `blocks are nested more than ${MAX_DEPTH} deep: no rules need that`);
    }
  }
  return undefined;
}

/**
 * Variables that are not set, in a file whose syntax is broken. Of other mistakes nothing can be said there: the
 * parser may have read anything as a text.
 */
function unsetVariables(source: SourceText, document: Document.Parsed, env: Env | null): Problem[] {
  const problems: Problem[] = [];
  if (env === null) return problems;
  visit(document, {
    Scalar: (_, { value, range }) => {
      if (typeof value !== "string" || !value.includes("${") || !range) return undefined;
      const substituted = substitute(value, env);
      if (substituted.ok || !substituted.isUnset) return undefined;
      problems.push(problemAt(source, { start: range[0], end: range[1] }, substituted.why));
      return problems.length >= MAX_PROBLEMS ? visit.BREAK : undefined;
    },
  });
  return problems;
}

/** The tree as plain data, following aliases within a budget. */
function convert(source: SourceText, document: Document.Parsed, env: Env | null): ParsedFile {
  const anchors = new Map<string, Node>();
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node) && node.anchor) anchors.set(node.anchor, node);
    },
  });
  // Keyed by place and text, as an alias brings the same mistake up once more.
  const problems = new Map<string, Problem>();
  const variables = new Set<string>();
  let aliased = 0;

  const report = (node: Node | null, message: string): undefined => {
    if (problems.size >= MAX_PROBLEMS) return;
    const start = node?.range?.[0] ?? 0;
    const problem = problemAt(source, { start, end: Math.max(start + 1, node?.range?.[1] ?? 0) }, message);
    problems.set(problem.text, problem);
  };

  const plain = (node: Node | null, depth: number, underAlias: boolean): unknown => {
    if (underAlias && ++aliased > MAX_ALIASED_NODES) return undefined;
    if (depth > MAX_DEPTH)
      return report(node, "an alias (*name) stands inside of what it names, or too deep");
    if (isAlias(node)) {
      const target = follow(node, anchors);
      if (target) return plain(target, depth + 1, true);
      return report(
        node,
        `there is no anchor &${node.source}; a text that begins with * must be quoted: "*${node.source}"`,
      );
    }
    if (isScalar(node)) return scalar(node);
    if (isSeq(node)) return node.items.map((item) => plain(item as Node, depth + 1, underAlias));
    if (!isMap(node)) return null;
    const result: Record<string, unknown> = {};
    const seen = new Map<string, Node>();
    for (const { key, value } of node.items) {
      const name = fieldNameOf(key as Node, seen);
      if (name !== undefined) result[name] = plain(value as Node | null, depth + 1, underAlias);
    }
    return result;
  };

  // The parser's own check for names that are there twice takes hours for a megabyte of them.
  const fieldNameOf = (key: Node | null, seen: Map<string, Node>): string | undefined => {
    const name = isScalar(key) && key.value !== null ? String(key.value) : undefined;
    if (!key || name === undefined || name === "__proto__")
      return report(key, "a field's name is a plain text");
    if (name === "<<") {
      return report(key, "merge keys (<<) are no part of rules: put what routes share under defaults");
    }
    const first = seen.get(name);
    seen.set(name, first ?? key);
    if (!first) return name;
    const at = placeText(source, { start: first.range?.[0] ?? 0, end: 0 });
    return report(key, `${name} is written twice in this block, first at ${at}: keep one of the two`);
  };

  const scalar = (node: Node & { value: unknown; type?: string | undefined }): unknown => {
    if (env === null || typeof node.value !== "string" || !node.value.includes("$")) return node.value;
    const substituted = substitute(node.value, env);
    if (!substituted.ok) return report(node, substituted.why);
    for (const name of substituted.used) variables.add(name);
    const isPlain = node.type === "PLAIN" && substituted.used.length > 0;
    return isPlain ? readPlainScalar(substituted.text) : substituted.text;
  };

  const data = plain(document.contents, 0, false);
  if (aliased > MAX_ALIASED_NODES) {
    const why = `aliases (*name) unfold to more than ${MAX_ALIASED_NODES} values: write them out, or use fewer`;
    return { file: null, problems: [fileProblem(source.path, why)], variables: [] };
  }
  const file = { path: source.path, text: source.text, root: document.contents, anchors, data };
  return { file, problems: [...problems.values()], variables: [...variables] };
}
