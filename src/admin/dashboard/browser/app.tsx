/** The page: the token first, then the frame around the views. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatAgo } from "../../../model/figures.ts";
import { ActionButton } from "./act.tsx";
import { useCell } from "./cell.ts";
import { createClient, keepToken, takeToken, wordsOf } from "./client.ts";
import { isLate, startLive } from "./live.ts";
import { Mismatches } from "./mismatches.tsx";
import { Overview } from "./overview.tsx";
import { Pair } from "./pair.tsx";
import { mismatchesLink, type Place, usePlace } from "./places.ts";
import { RoomContext, useRoom } from "./room.ts";
import { RouteView } from "./route.tsx";
import { Rules } from "./rules.tsx";
import { Warnings } from "./warnings.tsx";
import { visible } from "./words.ts";

const TOLD_MS = 8_000;

export function App() {
  const [token, setToken] = useState(takeToken);
  const [why, setWhy] = useState<string | null>(null);
  // The link may be opened in a tab that shows the page already.
  useEffect(() => {
    const again = (): void => {
      if (location.hash.startsWith("#token=")) setToken(takeToken());
    };
    addEventListener("hashchange", again);
    return () => removeEventListener("hashchange", again);
  }, []);
  const forget = (reason: string | null): void => {
    keepToken(null);
    setToken(null);
    setWhy(reason);
  };
  if (token === null) {
    return (
      <TokenForm
        why={why}
        onToken={(next) => {
          keepToken(next);
          setWhy(null);
          setToken(next);
        }}
      />
    );
  }
  return <Frame key={token} token={token} onForget={forget} />;
}

function TokenForm({
  why,
  onToken,
}: {
  readonly why: string | null;
  readonly onToken: (token: string) => void;
}) {
  const [typed, setTyped] = useState("");
  const [refusal, setRefusal] = useState(why);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const token = typed.trim();
    if (token === "") return;
    try {
      await createClient(token, () => {}).get("api/v1/audit?limit=1");
      onToken(token);
    } catch (error) {
      setRefusal(wordsOf(error));
    }
  };
  return (
    <main class="token">
      <h1>cutover</h1>
      <form onSubmit={submit}>
        <label>
          Admin token
          <input
            type="password"
            name="token"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="act">
          Open
        </button>
        {refusal !== null && (
          <p class="refusal" role="alert">
            {visible(refusal)}
          </p>
        )}
      </form>
      <p class="quiet">
        <code>cutover serve</code> prints a link that holds it. It is in the file <code>admin.token</code> of
        the state folder, or it is what was set as <code>CUTOVER_ADMIN_TOKEN</code>.
      </p>
    </main>
  );
}

function Frame({
  token,
  onForget,
}: {
  readonly token: string;
  readonly onForget: (why: string | null) => void;
}) {
  const place = usePlace();
  const [told, setTold] = useState("");
  const main = useRef<HTMLElement>(null);
  const room = useMemo(() => {
    const client = createClient(token, onForget);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = (message: string): void => {
      setTold(message);
      clearTimeout(timer);
      timer = setTimeout(() => setTold(""), TOLD_MS);
    };
    return { client, live: startLive(client), tell };
  }, [token]);
  useEffect(() => () => room.live.stop(), [room]);
  const address = JSON.stringify(place);
  const first = useRef(address);
  // Whoever goes to another view by keyboard or reader is taken to its beginning.
  useEffect(() => {
    if (first.current !== address) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first.current = "";
  }, [address]);
  return (
    <RoomContext.Provider value={room}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/">
          cutover
        </a>
        <nav aria-label="Views">
          <NavLink href="#/" label="Routes" isHere={place.kind === "overview" || place.kind === "route"} />
          <NavLink
            href={mismatchesLink(null)}
            label="Mismatches"
            isHere={place.kind === "mismatches" || place.kind === "pair"}
          />
          <NavLink href="#/rules" label="Rules" isHere={place.kind === "rules"} />
        </nav>
        <Pulse />
        <ActionButton action="rollback" route={null} />
        <button type="button" class="forget" onClick={() => onForget(null)}>
          Sign out
        </button>
      </header>
      <p class="told" role="status">
        {visible(told, 1_000)}
      </p>
      <Warnings />
      <main id="main" ref={main} tabIndex={-1}>
        <View place={place} />
      </main>
    </RoomContext.Provider>
  );
}

function NavLink({
  href,
  label,
  isHere,
}: {
  readonly href: string;
  readonly label: string;
  readonly isHere: boolean;
}) {
  return (
    <a href={href} {...(isHere ? { "aria-current": "page" as const } : {})}>
      {label}
    </a>
  );
}

function View({ place }: { readonly place: Place }) {
  switch (place.kind) {
    case "overview":
      return <Overview />;
    case "route":
      return <RouteView key={place.name} name={place.name} />;
    case "mismatches":
      return <Mismatches key={place.route ?? ""} route={place.route} />;
    case "pair":
      return <Pair key={place.id} id={place.id} />;
    case "rules":
      return <Rules />;
  }
}

/** Tells in the title too, for those who look at another tab. */
function useTitle(latched: number): void {
  useEffect(() => {
    document.title = latched === 0 ? "cutover" : `⬣ ${latched} ROLLED BACK · cutover`;
  }, [latched]);
}

/** Whether what is shown is what is. */
function Pulse() {
  const { client, live } = useRoom();
  const snapshot = useCell(live.snapshot);
  const { trouble, atMs, report } = snapshot;
  useTitle(report?.routes.filter((route) => route.latched).length ?? 0);
  const [nowMs, setNowMs] = useState(client.nowMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(client.nowMs()), 1_000);
    return () => clearInterval(timer);
  }, [client]);
  if (trouble === null && !isLate(snapshot, nowMs))
    return <span class="pulse">{atMs === 0 ? "asking …" : "● live"}</span>;
  return (
    <span class="pulse is-lost">
      {/* What counts the seconds is no part of it: a reader would begin anew with each. */}
      <span role="alert">✕ no answer{trouble === null ? " yet" : `: ${visible(trouble)}`}</span>
      {atMs !== 0 && `; shown is from ${formatAgo(new Date(atMs).toISOString(), nowMs)}`}
    </span>
  );
}
