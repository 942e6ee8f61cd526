/** A queue that any of its members can leave at once, however long it is. */

/** A member knows its neighbours; they are the queue's to set. */
export interface Queued<T> {
  previous: T | null;
  next: T | null;
}

/** Longest first. Each member is in one queue at most, once. */
export class Queue<T extends Queued<T>> {
  length = 0;
  first: T | null = null;
  #last: T | null = null;

  push(member: T): void {
    member.previous = this.#last;
    if (this.#last === null) this.first = member;
    else this.#last.next = member;
    this.#last = member;
    this.length++;
  }

  /** Takes out the one that waits longest; null: none does. */
  shift(): T | null {
    const member = this.first;
    if (member !== null) this.remove(member);
    return member;
  }

  /** Does nothing for one that is not in the queue. */
  remove(member: T): void {
    if (member.previous === null && this.first !== member) return;
    if (member.previous === null) this.first = member.next;
    else member.previous.next = member.next;
    if (member.next === null) this.#last = member.previous;
    else member.next.previous = member.previous;
    member.previous = null;
    member.next = null;
    this.length--;
  }
}
