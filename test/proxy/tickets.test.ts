import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ticket } from "../../src/model/pair.ts";
import type { Deadlines } from "../../src/proxy/deadlines.ts";
import { type Kept, Tickets } from "../../src/proxy/tickets.ts";
import { factsOf } from "../model/rules.ts";
import { until } from "../support/until.ts";

const MIB = 2 ** 20;

/** Tickets whose clock stands still and whose deadlines fall due by hand. */
function startTickets() {
  const due = new Map<object, { afterMs: number; fire: () => void }>();
  const set = (afterMs: number, fire: () => void) => {
    const deadline = { refresh: () => {}, clear: () => void due.delete(deadline) };
    due.set(deadline, { afterMs, fire });
    return deadline;
  };
  let held = 0;
  const tickets = new Tickets({
    thread: 3,
    firstId: 1000,
    deadlines: { set } as unknown as Deadlines,
    nowMs: () => 5_000,
    onHeld: () => {
      held++;
    },
    onLetGo: () => {
      held--;
    },
  });
  const told: [number, string][] = [];
  const asked: Ticket[] = [];
  tickets.onUnconfirmed = (id, why) => told.push([id, why]);
  tickets.onDue = async (ticket) => void asked.push(ticket);
  return { tickets, due, told, asked, held: () => held };
}

function repeatable(changes: Partial<Kept> = {}): Kept {
  return {
    question: { facts: factsOf("/x", ["accept", "*/*"]) },
    body: null,
    answeredMs: 5_000,
    confirmAfterMs: 0,
    ...changes,
  };
}

test("the oldest ticket that nobody has asked for makes room for the next, one that is asked for stays", async () => {
  const { tickets, asked, told, held } = startTickets();
  const ids = Array.from(
    { length: 256 },
    () => tickets.issue(repeatable({ confirmAfterMs: 60_000 }))?.id ?? 0,
  );
  assert.deepEqual([ids[0], ids[255], tickets.count, held()], [1000, 1255, 256, 256]);
  tickets.confirm(1000);
  tickets.issue(repeatable());
  assert.deepEqual([tickets.count, held()], [256, 256]);
  tickets.confirm(1001);
  assert.deepEqual(told, [[1001, "expired"]], "it had to go");
  tickets.close();
  assert.deepEqual(told.slice(1), [[1000, "lost"]], "of the others nobody waits to hear");
  assert.deepEqual([tickets.count, held(), asked.length], [0, 0, 0]);
  assert.equal(tickets.issue(repeatable()), null);
});

test("when all are asked for there is no further ticket", () => {
  const { tickets } = startTickets();
  for (let i = 0; i < 256; i++)
    tickets.confirm(tickets.issue(repeatable({ confirmAfterMs: 60_000 }))?.id ?? 0);
  assert.equal(tickets.issue(repeatable()), null);
  tickets.close();
});

test("large bodies make room sooner, and one beyond all bounds gets no ticket", () => {
  const { tickets } = startTickets();
  const body = Buffer.alloc(5 * MIB);
  for (let i = 0; i < 10; i++) assert.notEqual(tickets.issue(repeatable({ body })), null);
  assert.equal(tickets.count, 3);
  assert.equal(tickets.issue(repeatable({ body: Buffer.alloc(16 * MIB) })), null);
  assert.equal(tickets.count, 3, "nothing was given up for it");
});

test("a ticket that nobody asks for is dropped ten seconds after its time, and nobody is told", () => {
  const { tickets, due, told, held } = startTickets();
  tickets.issue(repeatable({ confirmAfterMs: 2_000 }));
  const [deadline] = [...due.values()];
  assert.equal(deadline?.afterMs, 12_000);
  deadline?.fire();
  assert.deepEqual([tickets.count, held(), told.length], [0, 0, 0]);
});

test("one that is asked for is asked again once, however often control says so, and its backends are let go", async () => {
  const { tickets, asked, told, held, due } = startTickets();
  const ticket = tickets.issue(repeatable({ answeredMs: 1_000, confirmAfterMs: 500 }));
  assert.ok(ticket);
  tickets.confirm(ticket.id);
  tickets.confirm(ticket.id);
  await until("it is asked again", () => asked.length > 0);
  await until("its backends are let go", () => held() === 0);
  assert.deepEqual([asked, told, due.size], [[ticket], [], 0]);
});

test("a repeat that fails by a fault of ours is said to be lost", async () => {
  const { tickets, told, held } = startTickets();
  const warned = new Promise((resolve) => process.once("warning", resolve));
  tickets.onDue = async () => {
    throw new Error("a bug");
  };
  tickets.confirm(tickets.issue(repeatable())?.id ?? 0);
  await until("it is said", () => told.length > 0);
  assert.deepEqual(told, [[1000, "lost"]]);
  await warned;
  await until("its backends are let go", () => held() === 0);
});
