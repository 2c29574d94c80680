import type { DatasetInfo } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { lazy } from "../ui/lazy.tsx";

const Banner = lazy(() => import("./held-banner.tsx").then((part) => part.HeldBanner), "penstock-held");

/** A line above everything while another process edits, until one chooses to read only. */
export function Held({ session }: { session: Session }) {
  const { store } = session;
  const holder = store.dataset.value?.holder ?? null;
  if (holder === null || !store.isLive.value || store.heldSeen.value === heldKey(holder)) return null;
  return <Banner session={session} holder={holder} />;
}

/** What tells one holder from the next. */
export function heldKey({ pid, host, since }: NonNullable<DatasetInfo["holder"]>): string {
  return `${pid} ${host} ${since}`;
}
